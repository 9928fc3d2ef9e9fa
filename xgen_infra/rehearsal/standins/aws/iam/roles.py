"""Roles and instance profiles."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.iam.common import (
    NAME_LIMIT,
    name_failures,
    pairs,
    retag,
    tags_of,
    text_of,
)
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_HOUR, _TWELVE_HOURS = 3600, 43200


class Role(Kind):
    type_name = "aws:iam/role:Role"
    regional = False
    required = frozenset({"assumeRolePolicy"})
    optional = frozenset(
        {
            "name", "namePrefix", "path", "description", "maxSessionDuration", "permissionsBoundary",
            "forceDetachPolicies", "managedPolicyArns", "inlinePolicies",
        }
    )  # fmt: skip
    replace_on = frozenset({"name", "namePrefix", "path"})
    defaults = MappingProxyType({"path": "/", "maxSessionDuration": 3600})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from name_failures(inputs)
        yield from checks.document(inputs, "assumeRolePolicy")
        yield from checks.arn(inputs, "permissionsBoundary", "iam")
        seconds = inputs.get("maxSessionDuration")
        if seconds is not None and not _HOUR <= int(seconds) <= _TWELVE_HOURS:
            yield Failure(
                "maxSessionDuration", f"expected {_HOUR} to {_TWELVE_HOURS} seconds, got {int(seconds)}"
            )

    def create(self, job: Job) -> str:
        iam, name = job.aws.client("iam"), job.physical_name(limit=NAME_LIMIT)
        boundary = job.text("permissionsBoundary")
        iam.create_role(
            RoleName=name,
            Path=job.text("path", "/"),
            AssumeRolePolicyDocument=text_of(job.inputs["assumeRolePolicy"]),
            Description=job.text("description"),
            MaxSessionDuration=int(job.inputs.get("maxSessionDuration") or _HOUR),
            Tags=pairs(job.tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )
        self._attach(job, name, set())
        for policy in job.inputs.get("inlinePolicies") or []:
            iam.put_role_policy(RoleName=name, PolicyName=policy["name"], PolicyDocument=policy["policy"])
        return name

    def read(self, ref: Ref) -> Props | None:
        got = found(ref.client("iam").get_role, RoleName=ref.id)
        if got is None:
            return None
        role = got["Role"]
        attached = ref.client("iam").list_attached_role_policies(RoleName=ref.id)["AttachedPolicies"]
        return {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description") or None,
            "maxSessionDuration": role.get("MaxSessionDuration", _HOUR),
            "assumeRolePolicy": text_of(role["AssumeRolePolicyDocument"]),
            "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "forceDetachPolicies": bool(ref.known.get("forceDetachPolicies", False)),
            "managedPolicyArns": [p["PolicyArn"] for p in attached],
            "tagsAll": tags_of(role.get("Tags")),
        }

    def update(self, job: Job, ref: Ref) -> None:
        iam = job.aws.client("iam")
        iam.update_assume_role_policy(RoleName=ref.id, PolicyDocument=text_of(job.inputs["assumeRolePolicy"]))
        iam.update_role(
            RoleName=ref.id,
            Description=job.text("description"),
            MaxSessionDuration=int(job.inputs.get("maxSessionDuration") or _HOUR),
        )
        if job.inputs.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(
                RoleName=ref.id, PermissionsBoundary=job.inputs["permissionsBoundary"]
            )
        elif ref.known.get("permissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=ref.id)
        if "managedPolicyArns" in job.inputs:
            self._attach(job, ref.id, set(ref.known.get("managedPolicyArns") or []))
        retag(job, ref, "role", RoleName=ref.id)

    def delete(self, ref: Ref) -> None:
        iam = ref.client("iam")
        if found(iam.get_role, RoleName=ref.id) is None:
            return
        force = bool(ref.known.get("forceDetachPolicies"))
        for policy in iam.list_attached_role_policies(RoleName=ref.id)["AttachedPolicies"]:
            if force or policy["PolicyArn"] in (ref.known.get("managedPolicyArns") or []):
                iam.detach_role_policy(RoleName=ref.id, PolicyArn=policy["PolicyArn"])
        inline = iam.list_role_policies(RoleName=ref.id)["PolicyNames"]
        ours = {p["name"] for p in ref.known.get("inlinePolicies") or []}
        for name in inline if force else ours & set(inline):
            iam.delete_role_policy(RoleName=ref.id, PolicyName=name)
        iam.delete_role(RoleName=ref.id)

    def _attach(self, job: Job, name: str, had: set[str]) -> None:
        iam, wanted = job.aws.client("iam"), set(job.inputs.get("managedPolicyArns") or [])
        for gone in sorted(had - wanted):
            found(iam.detach_role_policy, RoleName=name, PolicyArn=gone)
        for new in sorted(wanted - had):
            iam.attach_role_policy(RoleName=name, PolicyArn=new)


class InstanceProfile(Kind):
    type_name = "aws:iam/instanceProfile:InstanceProfile"
    regional = False
    optional = frozenset({"name", "namePrefix", "path", "role"})
    replace_on = frozenset({"name", "namePrefix", "path"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from name_failures(inputs, 128)

    def create(self, job: Job) -> str:
        iam, name = job.aws.client("iam"), job.physical_name(limit=128)
        iam.create_instance_profile(
            InstanceProfileName=name, Path=job.text("path", "/"), Tags=pairs(job.tags)
        )
        if job.inputs.get("role"):
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=job.text("role"))
        return name

    def read(self, ref: Ref) -> Props | None:
        got = found(ref.client("iam").get_instance_profile, InstanceProfileName=ref.id)
        if got is None:
            return None
        profile = got["InstanceProfile"]
        roles = [r["RoleName"] for r in profile["Roles"]]
        return {
            "arn": profile["Arn"],
            "name": profile["InstanceProfileName"],
            "path": profile["Path"],
            "uniqueId": profile["InstanceProfileId"],
            "createDate": profile["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "role": roles[0] if roles else None,
            "tagsAll": tags_of(profile.get("Tags")),
        }

    def update(self, job: Job, ref: Ref) -> None:
        had, wanted = str(ref.known.get("role") or ""), job.text("role")
        if had != wanted:
            self._empty(ref)
            if wanted:
                job.aws.client("iam").add_role_to_instance_profile(
                    InstanceProfileName=ref.id, RoleName=wanted
                )
        retag(job, ref, "instance_profile", InstanceProfileName=ref.id)

    def delete(self, ref: Ref) -> None:
        self._empty(ref)
        found(ref.client("iam").delete_instance_profile, InstanceProfileName=ref.id)

    def _empty(self, ref: Ref) -> None:
        got = found(ref.client("iam").get_instance_profile, InstanceProfileName=ref.id)
        for role in got["InstanceProfile"]["Roles"] if got else []:
            ref.client("iam").remove_role_from_instance_profile(
                InstanceProfileName=ref.id, RoleName=role["RoleName"]
            )


class OpenIdConnectProvider(Kind):
    type_name = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    regional = False
    required = frozenset({"url", "clientIdLists"})
    optional = frozenset({"thumbprintLists"})
    replace_on = frozenset({"url"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.matches(inputs, "url", "https://.+", "the issuer's URL begins with https://")
        for index, thumbprint in enumerate(inputs.get("thumbprintLists") or []):
            one = {"thumbprint": thumbprint}
            for failure in checks.matches(one, "thumbprint", "[0-9a-fA-F]{40}", "40 hexadecimal digits"):
                yield Failure(f"thumbprintLists[{index}]", failure.reason)

    def create(self, job: Job) -> str:
        made = job.aws.client("iam").create_open_id_connect_provider(
            Url=job.text("url"),
            ClientIDList=job.inputs["clientIdLists"],
            ThumbprintList=job.inputs.get("thumbprintLists") or ["0" * 40],
            Tags=pairs(job.tags),
        )
        return str(made["OpenIDConnectProviderArn"])

    def read(self, ref: Ref) -> Props | None:
        got = found(ref.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=ref.id)
        if got is None:
            return None
        return {
            "arn": ref.id,
            "url": got["Url"].removeprefix("https://")
            if not str(ref.known.get("url", "")).startswith("https://")
            else f"https://{got['Url'].removeprefix('https://')}",
            "clientIdLists": got["ClientIDList"],
            "thumbprintLists": got["ThumbprintList"],
            "tagsAll": tags_of(got.get("Tags")),
        }

    def update(self, job: Job, ref: Ref) -> None:
        iam = job.aws.client("iam")
        if job.inputs.get("thumbprintLists"):
            iam.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=ref.id, ThumbprintList=job.inputs["thumbprintLists"]
            )
        if set(job.inputs["clientIdLists"]) != set(ref.known.get("clientIdLists") or []):
            raise AwsError(
                "NotSupported", f"the emulator cannot change the client ids of {ref.id}: replace the provider"
            )
        retag(job, ref, "open_id_connect_provider", OpenIDConnectProviderArn=ref.id)

    def delete(self, ref: Ref) -> None:
        found(ref.client("iam").delete_open_id_connect_provider, OpenIDConnectProviderArn=ref.id)
