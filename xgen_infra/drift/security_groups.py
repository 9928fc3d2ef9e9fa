"""Rules of security groups that nobody in the stack stated.

The engine compares what a resource states. A group whose rules are resources of their own states none, so that a
rule added by hand would pass unseen; it is in the group's outputs, and in no other resource's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from xgen_infra.drift.model import Difference, shown

GROUPS = frozenset(
    {"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"}
)
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_NEW_RULES = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ingress",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "egress",
}
_PEERS = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups")
_NEW_PEERS = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
_ALL = frozenset({"-1", "all"})


class Rule(NamedTuple):
    """One direction, protocol, port range and peer of one group."""

    group: str
    direction: str
    protocol: str
    first: int
    last: int
    peer: str


def rules_by_hand(read: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    """Yield the rules that groups have and no resource states. `read` has the refresh's metadata by URN."""
    stated = {rule for metadata in read.values() for rule in _stated(metadata)}
    for urn, metadata in read.items():
        new = metadata.get("new") or {}
        if metadata["type"] not in GROUPS or not new:
            continue
        for direction in ("ingress", "egress"):
            if direction in (new.get("inputs") or {}):
                # The engine itself compares what the group states.
                continue
            for rule in _listed(new["id"], direction, (new.get("outputs") or {}).get(direction)):
                if rule not in stated:
                    words = {
                        "protocol": rule.protocol,
                        "ports": f"{rule.first}-{rule.last}",
                        "peer": rule.peer,
                    }
                    name = urn.rpartition("::")[2]
                    yield Difference(name, metadata["type"], direction, "added", None, shown(words))


def _stated(metadata: Mapping[str, Any]) -> Iterator[Rule]:
    old = metadata.get("old") or {}
    outputs, kind = old.get("outputs") or {}, metadata["type"]
    group = outputs.get("securityGroupId", "")
    if kind in GROUPS:
        for direction in ("ingress", "egress"):
            yield from _listed(old.get("id", ""), direction, (old.get("inputs") or {}).get(direction))
    elif kind == _RULE:
        source = outputs.get("sourceSecurityGroupId")
        yield from _listed(
            group, outputs.get("type", ""), [{**outputs, "securityGroups": [source] if source else []}]
        )
    elif kind in _NEW_RULES:
        for key in _NEW_PEERS:
            if outputs.get(key):
                ports = _ports(outputs.get("ipProtocol"), outputs)
                yield Rule(group, _NEW_RULES[kind], *ports, outputs[key])


def _listed(group: str, direction: str, rules: Any) -> Iterator[Rule]:
    for rule in rules or ():
        peers = [peer for key in _PEERS for peer in rule.get(key) or ()]
        peers += [group] if rule.get("self") else []
        for peer in peers:
            yield Rule(group, direction, *_ports(rule.get("protocol"), rule), peer)


def _ports(protocol: Any, rule: Mapping[str, Any]) -> tuple[str, int, int]:
    """Return protocol and ports; with every protocol, ports mean nothing (Amazon EC2 API, IpPermission)."""
    if str(protocol) in _ALL:
        return "-1", 0, 0
    return str(protocol), int(rule.get("fromPort") or 0), int(rule.get("toPort") or 0)
