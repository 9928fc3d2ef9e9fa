"""Rules of security groups as resources of their own, in the older and the newer form."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2 import permissions
from xgen_infra.rehearsal.standins.aws.ec2.common import described, pairs, retag, tags_of
from xgen_infra.rehearsal.standins.aws.ec2.groups import DIRECTIONS, change
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_PEERS = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "self", "sourceSecurityGroupId")
_SHAPE = ("type", "protocol", "fromPort", "toPort", "securityGroupId")
_NEW_PEERS = {
    "cidrIpv4": ("IpRanges", "CidrIp", "CidrIpv4"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
}


class SecurityGroupRule(Kind):
    type_name = "aws:ec2/securityGroupRule:SecurityGroupRule"
    required = frozenset({*_SHAPE})
    optional = frozenset({*_PEERS, "description"})
    replace_on = frozenset({*_SHAPE, *_PEERS})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.one_of(inputs, "type", *DIRECTIONS)
        yield from permissions.failures(inputs)
        for other in ("cidrBlocks", "self"):
            yield from checks.exclusive(inputs, "sourceSecurityGroupId", other)

    def create(self, job: Job) -> str:
        group = job.text("securityGroupId")
        wanted = permissions.asked(job.inputs, group)
        if not wanted:
            raise AwsError("InvalidParameterValue", f"the rule {job.name} names no peer: {', '.join(_PEERS)}")
        change(job.aws, group, job.text("type"), [], wanted)
        shape = {k: job.inputs.get(k) for k in (*_SHAPE, *_PEERS)}
        return f"sgrule-{zlib.crc32(json.dumps(shape, sort_keys=True).encode())}"

    def read(self, ref: Ref) -> Props | None:
        group = str(ref.known.get("securityGroupId") or "")
        wanted = {p.bare() for p in permissions.asked(ref.known, group)}
        present = {p.bare(): p for p in self._live(ref, group) if p.bare() in wanted}
        if not present:
            return None
        lists = {
            key: [peer for peer in ref.known[key] if any(p.peer == peer for p in present)]
            for key in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds")
            if ref.known.get(key)
        }
        return {
            **{k: ref.known[k] for k in _SHAPE},
            **lists,
            "description": next(iter(present.values())).description or None,
            "securityGroupRuleId": self._rule_id(ref, group, present) if len(present) == 1 else "",
        }

    def update(self, job: Job, ref: Ref) -> None:
        group, direction = job.text("securityGroupId"), job.text("type")
        had = permissions.asked(ref.known, group)
        change(job.aws, group, direction, had, permissions.asked(job.inputs, group))

    def delete(self, ref: Ref) -> None:
        group = str(ref.known["securityGroupId"])
        wanted = {p.bare() for p in permissions.asked(ref.known, group)}
        present = [p for p in self._live(ref, group) if p.bare() in wanted]
        change(ref.aws, group, str(ref.known["type"]), present, [])

    def _live(self, ref: Ref, group_id: str) -> Iterator[permissions.Permission]:
        group = described(ref.aws, "describe_security_groups", "SecurityGroups", GroupIds=[group_id])
        yield from permissions.live((group or {}).get(DIRECTIONS[str(ref.known["type"])]) or [])

    def _rule_id(
        self, ref: Ref, group: str, present: dict[permissions.Permission, permissions.Permission]
    ) -> str:
        one = next(iter(present))
        rules = ref.client("ec2").describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [group]}]
        )["SecurityGroupRules"]
        for rule in rules:
            peer = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId")
            peer = peer or (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
            same_side = bool(rule.get("IsEgress")) is (ref.known["type"] == "egress")
            protocol = permissions.protocol_of(rule["IpProtocol"])
            ports = (0, 0) if protocol == permissions.ALL else (rule.get("FromPort"), rule.get("ToPort"))
            if same_side and (protocol, *ports, peer) == (one.protocol, one.first, one.last, one.peer):
                return str(rule["SecurityGroupRuleId"])
        return ""


class _VpcRule(Kind):
    """One rule, one peer, with an id and tags of its own."""

    direction = ""
    required = frozenset({"ipProtocol", "securityGroupId"})
    optional = frozenset({*_NEW_PEERS, "fromPort", "toPort", "description"})
    replace_on = frozenset({"securityGroupId"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from permissions.failures({**inputs, "protocol": inputs.get("ipProtocol", "tcp")})
        yield from checks.network(inputs, "cidrIpv4")
        yield from checks.exclusive(inputs, *_NEW_PEERS)

    def create(self, job: Job) -> str:
        made = getattr(job.aws.client("ec2"), f"authorize_security_group_{self.direction}")(
            GroupId=job.text("securityGroupId"), IpPermissions=[self._asked(job).request()]
        )
        ident = str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])
        if job.tags:
            job.aws.client("ec2").create_tags(Resources=[ident], Tags=pairs(job.tags))
        return ident

    def read(self, ref: Ref) -> Props | None:
        rule = described(
            ref.aws, "describe_security_group_rules", "SecurityGroupRules", SecurityGroupRuleIds=[ref.id]
        )
        if rule is None:
            return None
        unbounded = permissions.protocol_of(rule["IpProtocol"]) == permissions.ALL
        return {
            "arn": ref.aws.arn("ec2", f"security-group-rule/{ref.id}"),
            "securityGroupRuleId": ref.id,
            "securityGroupId": rule["GroupId"],
            "ipProtocol": rule["IpProtocol"],
            "fromPort": None if unbounded else rule.get("FromPort"),
            "toPort": None if unbounded else rule.get("ToPort"),
            "cidrIpv4": rule.get("CidrIpv4"),
            "cidrIpv6": rule.get("CidrIpv6"),
            "prefixListId": rule.get("PrefixListId"),
            "referencedSecurityGroupId": (rule.get("ReferencedGroupInfo") or {}).get("GroupId"),
            "description": rule.get("Description") or None,
            "tagsAll": tags_of(rule),
        }

    def update(self, job: Job, ref: Ref) -> None:
        if all(job.inputs.get(key) == ref.known.get(key) for key in (*self.required, *self.optional)):
            retag(job, ref)
            return
        one = self._asked(job)
        peers = {field: one.peer for key, (_, _, field) in _NEW_PEERS.items() if job.inputs.get(key)}
        first, last = (-1, -1) if one.protocol == permissions.ALL else (one.first, one.last)
        wanted = {"IpProtocol": one.protocol, "FromPort": first, "ToPort": last, **peers}
        job.aws.client("ec2").modify_security_group_rules(
            GroupId=job.text("securityGroupId"),
            SecurityGroupRules=[
                {
                    "SecurityGroupRuleId": ref.id,
                    "SecurityGroupRule": {**wanted, "Description": one.description},
                }
            ],
        )
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        live = self.read(ref)
        if live is not None:
            found(
                getattr(ref.client("ec2"), f"revoke_security_group_{self.direction}"),
                GroupId=live["securityGroupId"],
                SecurityGroupRuleIds=[ref.id],
            )

    def _asked(self, job: Job) -> permissions.Permission:
        for key, (field, member, _) in _NEW_PEERS.items():
            if job.inputs.get(key):
                protocol = permissions.protocol_of(job.text("ipProtocol"))
                bounds = (int(job.inputs.get("fromPort") or 0), int(job.inputs.get("toPort") or 0))
                return permissions.Permission(
                    protocol, *bounds, field, member, job.text(key), job.text("description")
                )
        raise AwsError("MissingParameter", f"the rule {job.name} names no peer: {', '.join(_NEW_PEERS)}")


class SecurityGroupIngressRule(_VpcRule):
    type_name = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"


class SecurityGroupEgressRule(_VpcRule):
    type_name = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"
