"""Users and their access keys. Rules: AWS IAM User Guide, "Manage access keys for IAM users"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.iam.common import NAME_LIMIT, name_failures, pairs, retag, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_KEYS_PER_USER = 2


class User(Kind):
    type_name = "aws:iam/user:User"
    regional = False
    optional = frozenset({"name", "path", "permissionsBoundary", "forceDestroy"})
    defaults = MappingProxyType({"path": "/"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from name_failures(inputs)
        yield from checks.arn(inputs, "permissionsBoundary", "iam")

    def create(self, job: Job) -> str:
        name, boundary = job.physical_name(limit=NAME_LIMIT), job.text("permissionsBoundary")
        job.aws.client("iam").create_user(
            UserName=name,
            Path=job.text("path", "/"),
            Tags=pairs(job.tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )
        return name

    def read(self, ref: Ref) -> Props | None:
        name = str(ref.known.get("name") or ref.id)
        got = found(ref.client("iam").get_user, UserName=name)
        if got is None:
            return None
        user = got["User"]
        listed = ref.client("iam").list_user_tags(UserName=name)["Tags"]
        return {
            "arn": user["Arn"],
            "name": user["UserName"],
            "path": user["Path"],
            "uniqueId": user["UserId"],
            "permissionsBoundary": (user.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "forceDestroy": bool(ref.known.get("forceDestroy", False)),
            "tagsAll": tags_of(listed),
        }

    def update(self, job: Job, ref: Ref) -> None:
        iam, had = job.aws.client("iam"), str(ref.known.get("name") or ref.id)
        name, path = job.text("name", had), job.text("path", "/")
        if (name, path) != (had, ref.known.get("path", "/")):
            iam.update_user(UserName=had, NewUserName=name, NewPath=path)
        if job.inputs.get("permissionsBoundary"):
            iam.put_user_permissions_boundary(
                UserName=name, PermissionsBoundary=job.inputs["permissionsBoundary"]
            )
        elif ref.known.get("permissionsBoundary"):
            iam.delete_user_permissions_boundary(UserName=name)
        retag(job, ref, "user", UserName=name)

    def delete(self, ref: Ref) -> None:
        iam, name = ref.client("iam"), str(ref.known.get("name") or ref.id)
        if found(iam.get_user, UserName=name) is None:
            return
        keys = [k["AccessKeyId"] for k in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]
        attached = [
            p["PolicyArn"] for p in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        ]
        inline = iam.list_user_policies(UserName=name)["PolicyNames"]
        if (attached or inline) or (keys and not ref.known.get("forceDestroy")):
            what = "access keys" if keys else "policies"
            raise AwsError("DeleteConflict", f"Cannot delete entity, must delete {what} first: user {name}")
        for key in keys:
            iam.delete_access_key(UserName=name, AccessKeyId=key)
        iam.delete_user(UserName=name)


class AccessKey(Kind):
    type_name = "aws:iam/accessKey:AccessKey"
    regional = False
    required = frozenset({"user"})
    optional = frozenset({"status", "pgpKey"})
    replace_on = frozenset({"user", "pgpKey"})
    secret_outputs = frozenset({"secret", "sesSmtpPasswordV4"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.one_of(inputs, "status", "Active", "Inactive")
        if inputs.get("pgpKey"):
            yield Failure("pgpKey", "the rehearsal encrypts no key for PGP: leave `pgpKey` out")

    def create(self, job: Job) -> str:
        iam, user = job.aws.client("iam"), job.text("user")
        held = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        if len(held) >= _KEYS_PER_USER:
            raise AwsError(
                "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER} (user {user})"
            )
        made = iam.create_access_key(UserName=user)["AccessKey"]
        ident, secret = str(made["AccessKeyId"]), str(made["SecretAccessKey"])
        if job.text("status", "Active") != "Active":
            iam.update_access_key(UserName=user, AccessKeyId=ident, Status=job.text("status"))
        job.told.update(secret=secret, sesSmtpPasswordV4=smtp_password(secret, job.aws.region))
        return ident

    def read(self, ref: Ref) -> Props | None:
        user = ref.known.get("user") or self._owner(ref)
        listed = found(ref.client("iam").list_access_keys, UserName=user) if user else None
        for key in (listed or {}).get("AccessKeyMetadata", []):
            if key["AccessKeyId"] == ref.id:
                return {
                    "user": user,
                    "status": key["Status"],
                    "createDate": key["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
        return None

    def update(self, job: Job, ref: Ref) -> None:
        job.aws.client("iam").update_access_key(
            UserName=job.text("user"), AccessKeyId=ref.id, Status=job.text("status", "Active")
        )

    def delete(self, ref: Ref) -> None:
        found(ref.client("iam").delete_access_key, UserName=str(ref.known["user"]), AccessKeyId=ref.id)

    def _owner(self, ref: Ref) -> str | None:
        got = found(ref.client("iam").get_access_key_last_used, AccessKeyId=ref.id)
        return str(got["UserName"]) if got and got.get("UserName") else None


def smtp_password(secret: str, region: str) -> str:
    """Derive the SMTP password of Amazon SES, version 4.

    Source: Amazon SES Developer Guide, "Obtaining SES SMTP credentials by converting AWS credentials".
    """
    signature = f"AWS4{secret}".encode()
    for part in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, part.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + signature).decode()
