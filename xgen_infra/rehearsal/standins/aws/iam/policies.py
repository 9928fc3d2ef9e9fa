"""Managed policies, inline policies and attachments, of roles and of users."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.iam.common import (
    POLICY_NAME_LIMIT,
    name_failures,
    pairs,
    retag,
    tags_of,
    text_of,
)
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found, same_document
from xgen_infra.rehearsal.standins.contract import Failure, Props

_VERSIONS = 5


class Policy(Kind):
    type_name = "aws:iam/policy:Policy"
    regional = False
    required = frozenset({"policy"})
    optional = frozenset({"name", "namePrefix", "path", "description"})
    replace_on = frozenset({"name", "namePrefix", "path", "description"})
    defaults = MappingProxyType({"path": "/"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from name_failures(inputs, POLICY_NAME_LIMIT)
        yield from checks.document(inputs, "policy")

    def create(self, job: Job) -> str:
        made = job.aws.client("iam").create_policy(
            PolicyName=job.physical_name(limit=POLICY_NAME_LIMIT),
            Path=job.text("path", "/"),
            Description=job.text("description"),
            PolicyDocument=text_of(job.inputs["policy"]),
            Tags=pairs(job.tags),
        )
        return str(made["Policy"]["Arn"])

    def read(self, ref: Ref) -> Props | None:
        iam = ref.client("iam")
        got = found(iam.get_policy, PolicyArn=ref.id)
        if got is None:
            return None
        policy = got["Policy"]
        version = iam.get_policy_version(PolicyArn=ref.id, VersionId=policy["DefaultVersionId"])
        return {
            "arn": policy["Arn"],
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policyId": policy["PolicyId"],
            "attachmentCount": policy.get("AttachmentCount", 0),
            "description": policy.get("Description") or None,
            "policy": text_of(version["PolicyVersion"]["Document"]),
            "tagsAll": tags_of(policy.get("Tags")),
        }

    def update(self, job: Job, ref: Ref) -> None:
        iam, wanted = job.aws.client("iam"), text_of(job.inputs["policy"])
        if not same_document(wanted, text_of(ref.known.get("policy", ""))):
            self._make_room(ref)
            iam.create_policy_version(PolicyArn=ref.id, PolicyDocument=wanted, SetAsDefault=True)
        retag(job, ref, "policy", PolicyArn=ref.id)

    def delete(self, ref: Ref) -> None:
        iam = ref.client("iam")
        if found(iam.get_policy, PolicyArn=ref.id) is None:
            return
        for version in iam.list_policy_versions(PolicyArn=ref.id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=ref.id, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=ref.id)

    def _make_room(self, ref: Ref) -> None:
        versions = ref.client("iam").list_policy_versions(PolicyArn=ref.id)["Versions"]
        if len(versions) >= _VERSIONS:
            oldest = min(
                (v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:])
            )
            ref.client("iam").delete_policy_version(PolicyArn=ref.id, VersionId=oldest["VersionId"])


class _Inline(Kind):
    """A policy inside a role or user; its id is `owner:name`."""

    owner = ""
    replace_on = frozenset({"name", "namePrefix"})
    optional = frozenset({"name", "namePrefix"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from name_failures(inputs, POLICY_NAME_LIMIT)
        yield from checks.document(inputs, "policy")

    def create(self, job: Job) -> str:
        ident = f"{job.text(self.owner)}:{job.physical_name(limit=POLICY_NAME_LIMIT)}"
        self._put(job, ident)
        return ident

    def read(self, ref: Ref) -> Props | None:
        owner, name = ref.id.split(":", 1)
        call = getattr(ref.client("iam"), f"get_{self.owner}_policy")
        got = found(call, **{f"{self.owner.title()}Name": owner}, PolicyName=name)
        if got is None:
            return None
        return {"name": name, self.owner: owner, "policy": text_of(got["PolicyDocument"])}

    def update(self, job: Job, ref: Ref) -> None:
        self._put(job, ref.id)

    def delete(self, ref: Ref) -> None:
        owner, name = ref.id.split(":", 1)
        call = getattr(ref.client("iam"), f"delete_{self.owner}_policy")
        found(call, **{f"{self.owner.title()}Name": owner}, PolicyName=name)

    def _put(self, job: Job, ident: str) -> None:
        owner, name = ident.split(":", 1)
        call = getattr(job.aws.client("iam"), f"put_{self.owner}_policy")
        call(
            **{f"{self.owner.title()}Name": owner},
            PolicyName=name,
            PolicyDocument=text_of(job.inputs["policy"]),
        )


class RolePolicy(_Inline):
    type_name = "aws:iam/rolePolicy:RolePolicy"
    regional = False
    owner = "role"
    required = frozenset({"policy", "role"})
    replace_on = frozenset({"name", "namePrefix", "role"})


class UserPolicy(_Inline):
    type_name = "aws:iam/userPolicy:UserPolicy"
    regional = False
    owner = "user"
    required = frozenset({"policy", "user"})
    replace_on = frozenset({"name", "namePrefix", "user"})


class _Attachment(Kind):
    """A managed policy on a role or user; its id is `owner/policy's ARN`."""

    owner = ""
    taggable = False
    updatable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.arn(inputs, "policyArn", "iam")

    def create(self, job: Job) -> str:
        owner, arn = job.text(self.owner), job.text("policyArn")
        self._call(Ref(job.aws, "", {}), "attach", owner, PolicyArn=arn)
        return f"{owner}/{arn}"

    def read(self, ref: Ref) -> Props | None:
        owner, _, arn = ref.id.partition("/")
        call = getattr(ref.client("iam"), f"list_attached_{self.owner}_policies")
        got = found(call, **{f"{self.owner.title()}Name": owner})
        held = {p["PolicyArn"] for p in (got or {}).get("AttachedPolicies", [])}
        return {self.owner: owner, "policyArn": arn} if arn in held else None

    def delete(self, ref: Ref) -> None:
        if self.read(ref) is not None:
            owner, _, arn = ref.id.partition("/")
            self._call(ref, "detach", owner, PolicyArn=arn)

    def _call(self, ref: Ref, verb: str, owner: str, **arguments: str) -> None:
        call = getattr(ref.client("iam"), f"{verb}_{self.owner}_policy")
        call(**{f"{self.owner.title()}Name": owner}, **arguments)


class RolePolicyAttachment(_Attachment):
    type_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    regional = False
    owner = "role"
    required = frozenset({"role", "policyArn"})
    replace_on = frozenset({"role", "policyArn"})


class UserPolicyAttachment(_Attachment):
    type_name = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
    regional = False
    owner = "user"
    required = frozenset({"user", "policyArn"})
    replace_on = frozenset({"user", "policyArn"})
