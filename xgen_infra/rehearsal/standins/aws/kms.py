"""KMS keys and aliases. Rules: AWS KMS Developer Guide, "Deleting AWS KMS keys" and "Rotating AWS KMS keys"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.contract import Failure, Props

_LONGEST_WAIT = 30


class Key(Kind):
    type_name = "aws:kms/key:Key"
    optional = frozenset(
        {
            "description", "policy", "deletionWindowInDays", "enableKeyRotation", "isEnabled", "keyUsage",
            "customerMasterKeySpec", "multiRegion", "rotationPeriodInDays",
        }
    )  # fmt: skip
    replace_on = frozenset({"keyUsage", "customerMasterKeySpec", "multiRegion"})
    defaults = MappingProxyType(
        {
            "keyUsage": "ENCRYPT_DECRYPT",
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
        }
    )

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.document(inputs, "policy")
        yield from checks.one_of(
            inputs, "keyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
        )
        for key, low, high in (
            ("deletionWindowInDays", 7, _LONGEST_WAIT),
            ("rotationPeriodInDays", 90, 2560),
        ):
            days = inputs.get(key)
            if days is not None and not low <= int(days) <= high:
                yield Failure(key, f"expected {key} to be in the range ({low} - {high}), got {int(days)}")

    def create(self, job: Job) -> str:
        kms, policy = job.aws.client("kms"), job.inputs.get("policy")
        made = kms.create_key(
            Description=job.text("description"),
            KeyUsage=job.text("keyUsage", "ENCRYPT_DECRYPT"),
            KeySpec=job.text("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
            MultiRegion=bool(job.inputs.get("multiRegion", False)),
            Tags=_pairs(job.tags),
            **({"Policy": policy if isinstance(policy, str) else json.dumps(policy)} if policy else {}),
        )
        ident = str(made["KeyMetadata"]["KeyId"])
        self._set_state(job, Ref(job.aws, ident, {}))
        return ident

    def read(self, ref: Ref) -> Props | None:
        kms = ref.client("kms")
        got = found(kms.describe_key, KeyId=ref.id)
        if got is None or got["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        key = got["KeyMetadata"]
        listed = kms.list_resource_tags(KeyId=ref.id)["Tags"]
        rotation = kms.get_key_rotation_status(KeyId=ref.id)
        return {
            "arn": key["Arn"],
            "keyId": key["KeyId"],
            "description": key.get("Description", ""),
            "keyUsage": key["KeyUsage"],
            "customerMasterKeySpec": key.get("KeySpec") or key.get("CustomerMasterKeySpec"),
            "multiRegion": bool(key.get("MultiRegion", False)),
            "isEnabled": bool(key["Enabled"]),
            "enableKeyRotation": bool(rotation["KeyRotationEnabled"]),
            "policy": kms.get_key_policy(KeyId=ref.id, PolicyName="default")["Policy"],
            "tagsAll": {t["TagKey"]: t["TagValue"] for t in listed},
        }

    def update(self, job: Job, ref: Ref) -> None:
        kms = job.aws.client("kms")
        self._set_state(job, ref)
        if job.text("description") != ref.known.get("description", ""):
            kms.update_key_description(KeyId=ref.id, Description=job.text("description"))
        policy = job.inputs.get("policy")
        if policy and policy != ref.known.get("policy"):
            text = policy if isinstance(policy, str) else json.dumps(policy)
            kms.put_key_policy(KeyId=ref.id, PolicyName="default", Policy=text)
        had = ref.known.get("tagsAll") or {}
        gone = [key for key in had if key not in job.tags]
        if gone:
            kms.untag_resource(KeyId=ref.id, TagKeys=gone)
        new = {k: v for k, v in job.tags.items() if had.get(k) != v}
        if new:
            kms.tag_resource(KeyId=ref.id, Tags=_pairs(new))

    def delete(self, ref: Ref) -> None:
        if self.read(ref) is not None:
            days = int(ref.known.get("deletionWindowInDays") or _LONGEST_WAIT)
            ref.client("kms").schedule_key_deletion(KeyId=ref.id, PendingWindowInDays=days)

    def _set_state(self, job: Job, ref: Ref) -> None:
        kms = job.aws.client("kms")
        rotate = bool(job.inputs.get("enableKeyRotation", False))
        period = job.inputs.get("rotationPeriodInDays")
        changed = period is not None and period != ref.known.get("rotationPeriodInDays")
        if rotate and (changed or not ref.known.get("enableKeyRotation", False)):
            kms.enable_key_rotation(KeyId=ref.id, **({"RotationPeriodInDays": int(period)} if period else {}))
        elif not rotate and ref.known.get("enableKeyRotation", False):
            kms.disable_key_rotation(KeyId=ref.id)
        enabled = bool(job.inputs.get("isEnabled", True))
        if enabled is not bool(ref.known.get("isEnabled", True)):
            (kms.enable_key if enabled else kms.disable_key)(KeyId=ref.id)


class Alias(Kind):
    type_name = "aws:kms/alias:Alias"
    required = frozenset({"targetKeyId"})
    optional = frozenset({"name", "namePrefix"})
    replace_on = frozenset({"name", "namePrefix"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        rule = "an alias is alias/ and letters, digits, / _ -, and does not begin with alias/aws/"
        for key in ("name", "namePrefix"):
            yield from checks.matches(inputs, key, r"alias/(?!aws/)[a-zA-Z0-9:/_-]+", rule)

    def create(self, job: Job) -> str:
        name = job.physical_name(limit=256)
        name = name if name.startswith("alias/") else f"alias/{name}"
        job.aws.client("kms").create_alias(AliasName=name, TargetKeyId=job.text("targetKeyId"))
        return name

    def read(self, ref: Ref) -> Props | None:
        kms = ref.client("kms")
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == ref.id:
                    key = str(alias["TargetKeyId"])
                    arn = key if key.startswith("arn:") else ref.aws.arn("kms", f"key/{key}")
                    asked = str(ref.known.get("targetKeyId") or "")
                    return {
                        "arn": alias["AliasArn"],
                        "name": alias["AliasName"],
                        "targetKeyArn": arn,
                        "targetKeyId": asked if asked in {key, arn} else key,
                    }
        return None

    def update(self, job: Job, ref: Ref) -> None:
        job.aws.client("kms").update_alias(AliasName=ref.id, TargetKeyId=job.text("targetKeyId"))

    def delete(self, ref: Ref) -> None:
        found(ref.client("kms").delete_alias, AliasName=ref.id)


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": k, "TagValue": v} for k, v in sorted(tags.items())]
