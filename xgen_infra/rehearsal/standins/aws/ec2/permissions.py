"""Security group rules as EC2 holds them: one rule is one protocol, one port range, one peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.contract import Failure, Props

ALL = "-1"
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": ALL}
_KNOWN = {"tcp", "udp", "icmp", "icmpv6", ALL}
_PROTOCOL_NUMBERS = 255
_LISTS = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}


@dataclass(frozen=True, order=True)
class Permission:
    """One rule. `field` and `member` name the peer in EC2's IpPermissions, such as IpRanges and CidrIp."""

    protocol: str
    first: int
    last: int
    field: str
    member: str
    peer: str
    description: str = ""

    def bare(self) -> Permission:
        """Give the rule without its description: what makes two rules the same to EC2."""
        return Permission(self.protocol, self.first, self.last, self.field, self.member, self.peer)

    def request(self) -> dict[str, Any]:
        """Give the rule as an IpPermission."""
        entry = {self.member: self.peer, **({"Description": self.description} if self.description else {})}
        ports = {} if self.protocol == ALL else {"FromPort": self.first, "ToPort": self.last}
        return {"IpProtocol": self.protocol, **ports, self.field: [entry]}


def protocol_of(value: Any) -> str:
    """Give a protocol by its name: numbers and "all" have one."""
    text = str(value).lower()
    return _NAMES.get(text, text)


def asked(rule: Props, own_group: str) -> list[Permission]:
    """Give the permissions of one rule of a program: `self` means the group itself."""
    protocol = protocol_of(rule.get("protocol", ALL))
    first, last = (0, 0) if protocol == ALL else (int(rule["fromPort"]), int(rule["toPort"]))
    made = [
        Permission(protocol, first, last, field, member, str(peer), str(rule.get("description") or ""))
        for key, (field, member) in _LISTS.items()
        for peer in rule.get(key) or []
    ]
    groups = [rule.get("sourceSecurityGroupId"), own_group if rule.get("self") else None]
    field, member = _LISTS["securityGroups"]
    return made + [
        Permission(protocol, first, last, field, member, str(g), str(rule.get("description") or ""))
        for g in groups
        if g
    ]


def live(permissions: Iterable[Props]) -> Iterator[Permission]:
    """Give the permissions of a described group's IpPermissions or IpPermissionsEgress."""
    for one in permissions:
        protocol = protocol_of(one["IpProtocol"])
        ports = (0, 0) if protocol == ALL else (int(one.get("FromPort", 0)), int(one.get("ToPort", 0)))
        for field, member in _LISTS.values():
            for entry in one.get(field) or []:
                yield Permission(
                    protocol, *ports, field, member, entry[member], entry.get("Description") or ""
                )


def as_rules(permissions: Iterable[Permission], own_group: str) -> list[Props]:
    """Give permissions as the inline rules of a security group: one for each port range and description."""
    rules: dict[tuple[str, int, int, str], Props] = {}
    keys = {member: key for key, (_, member) in _LISTS.items()}
    for one in sorted(permissions):
        rule = rules.setdefault(
            (one.protocol, one.first, one.last, one.description),
            {
                "protocol": one.protocol,
                "fromPort": one.first,
                "toPort": one.last,
                "description": one.description,
                "self": False,
            },
        )
        if one.peer == own_group:
            rule["self"] = True
        else:
            rule.setdefault(keys[one.member], []).append(one.peer)
    return list(rules.values())


def failures(rule: Props) -> Iterator[Failure]:
    """Give what EC2 refuses of a rule by its form: protocol, ports, networks."""
    protocol = protocol_of(rule.get("protocol", ALL))
    if protocol not in _KNOWN and not (protocol.isdigit() and int(protocol) <= _PROTOCOL_NUMBERS):
        yield Failure("protocol", f'Invalid value "{rule.get("protocol")}" for IP protocol: unknown protocol')
    if protocol == ALL and any(int(rule.get(key) or 0) != 0 for key in ("fromPort", "toPort")):
        yield Failure("fromPort", 'with protocol "-1" (all), from and to port have to be 0')
    yield from checks.ports(rule, protocol=protocol)
    yield from checks.networks(rule, "cidrBlocks")
