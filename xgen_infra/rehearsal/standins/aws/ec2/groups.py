"""Security groups with their inline rules. Rules: Amazon EC2 API Reference, CreateSecurityGroup."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2 import permissions
from xgen_infra.rehearsal.standins.aws.ec2.common import described, filtered, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.ec2.permissions import Permission
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_TEXT = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}"
DIRECTIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}


class SecurityGroup(Kind):
    type_name = "aws:ec2/securityGroup:SecurityGroup"
    optional = frozenset(
        {"name", "namePrefix", "description", "vpcId", "ingress", "egress", "revokeRulesOnDelete"}
    )
    replace_on = frozenset({"name", "namePrefix", "description", "vpcId"})
    defaults = MappingProxyType({"description": "Managed by Pulumi"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(inputs, "name", _TEXT, f"a name is of the form {_TEXT}")
        yield from checks.matches(inputs, "name", "(?!sg-).*", 'a name cannot begin with "sg-"')
        yield from checks.matches(inputs, "description", _TEXT, f"a description is of the form {_TEXT}")
        for direction in DIRECTIONS:
            for index, rule in enumerate(inputs.get(direction) or []):
                for failure in permissions.failures(rule):
                    yield Failure(f"{direction}[{index}].{failure.property}", failure.reason)

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").create_security_group(
            GroupName=job.physical_name(),
            Description=job.text("description", "Managed by Pulumi"),
            **({"VpcId": job.text("vpcId")} if job.inputs.get("vpcId") else {}),
            **tagged(job, "security-group"),
        )
        ident = str(made["GroupId"])
        # AWS gives a new group a rule that lets everything out; the provider takes it away
        group = described(job.aws, "describe_security_groups", "SecurityGroups", GroupIds=[ident]) or {}
        change(job.aws, ident, "egress", list(permissions.live(group.get("IpPermissionsEgress", []))), [])
        self._sync(job, ident, {})
        return ident

    def read(self, ref: Ref) -> Props | None:
        group = described(ref.aws, "describe_security_groups", "SecurityGroups", GroupIds=[ref.id])
        if group is None:
            return None
        return {
            "arn": ref.aws.arn("ec2", f"security-group/{ref.id}"),
            "name": group["GroupName"],
            "description": group["Description"],
            "vpcId": group.get("VpcId"),
            "ownerId": group.get("OwnerId", ref.aws.account),
            **{d: self._rules(ref, d, group) for d in DIRECTIONS},
            "tagsAll": tags_of(group),
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._sync(job, ref.id, ref.known)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        live = self.read(ref)
        if live is None:
            return
        for group in filtered(ref.aws, "describe_security_groups", "SecurityGroups"):
            if group["GroupId"] != ref.id and self._names(group, ref.id):
                raise AwsError(
                    "DependencyViolation", f"resource {ref.id} has a dependent object: {group['GroupId']}"
                )
        ref.client("ec2").delete_security_group(GroupId=ref.id)

    def _sync(self, job: Job, ident: str, known: Props) -> None:
        for direction in DIRECTIONS:
            if job.inputs.get(direction) is not None:
                had = [p for r in known.get(direction) or [] for p in permissions.asked(r, ident)]
                new = [p for r in job.inputs[direction] for p in permissions.asked(r, ident)]
                change(job.aws, ident, direction, had, new)

    def _rules(self, ref: Ref, direction: str, group: Props) -> list[Props]:
        now = list(permissions.live(group.get(DIRECTIONS[direction]) or []))
        known: list[Props] = ref.known.get(direction) or []
        asked = [p for r in known for p in permissions.asked(r, ref.id)]
        return known if sorted(asked) == sorted(now) else permissions.as_rules(now, ref.id)

    def _names(self, group: Props, ident: str) -> bool:
        return any(
            p.peer == ident for field in DIRECTIONS.values() for p in permissions.live(group.get(field) or [])
        )


class DefaultSecurityGroup(Kind):
    """The group that every VPC has: taken over and emptied, never deleted."""

    type_name = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    optional = frozenset({"vpcId", "ingress", "egress", "revokeRulesOnDelete"})
    replace_on = frozenset({"vpcId"})

    def create(self, job: Job) -> str:
        owned = filtered(
            job.aws,
            "describe_security_groups",
            "SecurityGroups",
            {"vpc-id": job.text("vpcId"), "group-name": "default"},
        )
        if not owned:
            raise AwsError("InvalidVpcID.NotFound", f"the vpc {job.text('vpcId')!r} has no default group")
        ident = str(owned[0]["GroupId"])
        self._sync(job, ident)
        retag(job, Ref(job.aws, ident, {"tagsAll": tags_of(owned[0])}))
        return ident

    def read(self, ref: Ref) -> Props | None:
        live = _GROUP.read(ref)
        return None if live is None else {**live, "name": "default"}

    def update(self, job: Job, ref: Ref) -> None:
        self._sync(job, ref.id)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        """Leave the group: AWS lets nobody delete it."""

    def _sync(self, job: Job, ident: str) -> None:
        group = described(job.aws, "describe_security_groups", "SecurityGroups", GroupIds=[ident]) or {}
        for direction, field in DIRECTIONS.items():
            wanted = [p for r in job.inputs.get(direction) or [] for p in permissions.asked(r, ident)]
            change(job.aws, ident, direction, list(permissions.live(group.get(field, []))), wanted)


def change(aws: Aws, group: str, direction: str, had: list[Permission], wanted: list[Permission]) -> None:
    """Revoke what is not wanted, authorize what is new; a description alone also makes a rule new."""
    ec2 = aws.client("ec2")
    for gone in sorted(set(had) - set(wanted)):
        found(
            getattr(ec2, f"revoke_security_group_{direction}"),
            GroupId=group,
            IpPermissions=[gone.bare().request()],
        )
    for new in sorted(set(wanted) - set(had)):
        getattr(ec2, f"authorize_security_group_{direction}")(GroupId=group, IpPermissions=[new.request()])


_GROUP = SecurityGroup()
