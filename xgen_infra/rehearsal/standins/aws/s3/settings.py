"""Settings of a bucket that are resources of their own; the id of each is the bucket's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.s3 import shapes
from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


class _Setting(Kind):
    """What GetX, PutX and DeleteX of S3 have in common: `noun` is X, `body` the argument that carries it."""

    noun: ClassVar[str]
    body: ClassVar[str]
    optional = frozenset({"expectedBucketOwner"})
    replace_on = frozenset({"bucket", "expectedBucketOwner"})
    taggable = False

    def wanted(self, inputs: Props) -> Props:
        """Give the argument of the put call."""
        raise AwsError("NotSupported", f"{self.type_name} has no form for {sorted(inputs)}")

    def shown(self, got: Props, known: Props) -> Props | None:
        """Give the outputs of what S3 answers, or None when that means that nothing is set."""
        raise AwsError("NotSupported", f"{self.type_name} has no form for {sorted(got)}, {sorted(known)}")

    def create(self, job: Job) -> str:
        self._put(job)
        return job.text("bucket")

    def read(self, ref: Ref) -> Props | None:
        got = found(getattr(ref.client("s3"), f"get_{self.noun}"), Bucket=ref.id)
        shown = None if got is None else self.shown(dict(got), ref.known)
        return None if shown is None else {"bucket": ref.id, **shown}

    def update(self, job: Job, ref: Ref) -> None:  # noqa: ARG002 - the bucket's name stays
        self._put(job)

    def delete(self, ref: Ref) -> None:
        found(getattr(ref.client("s3"), f"delete_{self.noun}"), Bucket=ref.id)

    def _put(self, job: Job) -> None:
        call = getattr(job.aws.client("s3"), f"put_{self.noun}")
        call(Bucket=job.text("bucket"), **{self.body: self.wanted(job.inputs)})


class BucketVersioning(_Setting):
    type_name = "aws:s3/bucketVersioning:BucketVersioning"
    aliases = ("aws:s3/bucketVersioningV2:BucketVersioningV2",)
    noun, body = "bucket_versioning", "VersioningConfiguration"
    required = frozenset({"bucket", "versioningConfiguration"})
    optional = frozenset({"expectedBucketOwner", "mfa"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        for failure in checks.one_of(
            inputs.get("versioningConfiguration") or {}, "status", "Enabled", "Suspended", "Disabled"
        ):
            yield Failure("versioningConfiguration.status", failure.reason)

    def wanted(self, inputs: Props) -> Props:
        status = str(inputs["versioningConfiguration"]["status"])
        return {"Status": status}

    def shown(self, got: Props, known: Props) -> Props | None:
        return {
            "versioningConfiguration": {
                **(known.get("versioningConfiguration") or {}),
                "status": got.get("Status", "Disabled"),
            }
        }

    def read(self, ref: Ref) -> Props | None:
        return None if found(ref.client("s3").head_bucket, Bucket=ref.id) is None else super().read(ref)

    def delete(self, ref: Ref) -> None:
        """Suspend: S3 cannot make a bucket forget that it was versioned."""
        live = self.read(ref)
        if live is not None and live["versioningConfiguration"]["status"] == "Enabled":
            ref.client("s3").put_bucket_versioning(
                Bucket=ref.id, VersioningConfiguration={"Status": "Suspended"}
            )

    def _put(self, job: Job) -> None:
        if self.wanted(job.inputs)["Status"] != "Disabled":
            super()._put(job)


class BucketServerSideEncryptionConfiguration(_Setting):
    type_name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    aliases = ("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",)
    noun, body = "bucket_encryption", "ServerSideEncryptionConfiguration"
    required = frozenset({"bucket", "rules"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        for index, rule in enumerate(inputs.get("rules") or []):
            default = rule.get("applyServerSideEncryptionByDefault") or {}
            for failure in checks.one_of(default, "sseAlgorithm", "AES256", "aws:kms", "aws:kms:dsse"):
                path = f"rules[{index}].applyServerSideEncryptionByDefault"
                yield Failure(f"{path}.{failure.property}", failure.reason)

    def wanted(self, inputs: Props) -> Props:
        return {"Rules": shapes.to_s3(inputs["rules"])}

    def shown(self, got: Props, known: Props) -> Props | None:  # noqa: ARG002 - all of it is live
        return {"rules": shapes.from_s3(got[self.body]["Rules"])}


class BucketPublicAccessBlock(_Setting):
    type_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    noun, body = "public_access_block", "PublicAccessBlockConfiguration"
    required = frozenset({"bucket"})
    optional = frozenset({*_BLOCKS, "skipDestroy"})
    replace_on = frozenset({"bucket"})

    def wanted(self, inputs: Props) -> Props:
        return {key[0].upper() + key[1:]: bool(inputs.get(key, False)) for key in _BLOCKS}

    def shown(self, got: Props, known: Props) -> Props | None:  # noqa: ARG002 - all of it is live
        held = got[self.body]
        return {key: bool(held.get(key[0].upper() + key[1:], False)) for key in _BLOCKS}

    def delete(self, ref: Ref) -> None:
        if not ref.known.get("skipDestroy"):
            super().delete(ref)


class BucketOwnershipControls(_Setting):
    type_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    noun, body = "bucket_ownership_controls", "OwnershipControls"
    required = frozenset({"bucket", "rule"})
    optional = frozenset()
    replace_on = frozenset({"bucket"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        words = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
        for failure in checks.one_of(inputs.get("rule") or {}, "objectOwnership", *words):
            yield Failure("rule.objectOwnership", failure.reason)

    def wanted(self, inputs: Props) -> Props:
        return {"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]}

    def shown(self, got: Props, known: Props) -> Props | None:  # noqa: ARG002 - all of it is live
        return {"rule": {"objectOwnership": got[self.body]["Rules"][0]["ObjectOwnership"]}}


class BucketLifecycleConfiguration(_Setting):
    type_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    aliases = ("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",)
    noun, body = "bucket_lifecycle_configuration", "LifecycleConfiguration"
    required = frozenset({"bucket"})
    optional = frozenset({"rules", "expectedBucketOwner", "transitionDefaultMinimumObjectSize"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        names = [rule.get("id") for rule in inputs.get("rules") or []]
        for index, rule in enumerate(inputs.get("rules") or []):
            for failure in checks.one_of(rule, "status", "Enabled", "Disabled"):
                yield Failure(f"rules[{index}].status", failure.reason)
            if names.count(rule.get("id")) > 1:
                yield Failure(f"rules[{index}].id", f'"{rule.get("id")}" is given to two rules')
            if not set(rule) - {"id", "status", "filter", "prefix"}:
                yield Failure(f"rules[{index}]", "a lifecycle rule has to do something: no action is given")

    def wanted(self, inputs: Props) -> Props:
        return {"Rules": [shapes.lifecycle_to_s3(rule) for rule in inputs.get("rules") or []]}

    def shown(self, got: Props, known: Props) -> Props | None:
        live, asked = got["Rules"], known.get("rules") or []
        if shapes.same_lifecycle([shapes.lifecycle_to_s3(rule) for rule in asked], live):
            return {"rules": asked}
        return {"rules": [shapes.lifecycle_from_s3(rule) for rule in live]}

    def delete(self, ref: Ref) -> None:
        found(ref.client("s3").delete_bucket_lifecycle, Bucket=ref.id)


class BucketLogging(_Setting):
    type_name = "aws:s3/bucketLogging:BucketLogging"
    aliases = ("aws:s3/bucketLoggingV2:BucketLoggingV2",)
    noun, body = "bucket_logging", "BucketLoggingStatus"
    required = frozenset({"bucket", "targetBucket", "targetPrefix"})

    def wanted(self, inputs: Props) -> Props:
        return {
            "LoggingEnabled": {
                "TargetBucket": inputs["targetBucket"],
                "TargetPrefix": inputs["targetPrefix"],
            }
        }

    def shown(self, got: Props, known: Props) -> Props | None:  # noqa: ARG002 - all of it is live
        held = got.get("LoggingEnabled")
        if held is None:
            return None
        return {"targetBucket": held["TargetBucket"], "targetPrefix": held.get("TargetPrefix", "")}

    def delete(self, ref: Ref) -> None:
        found(ref.client("s3").put_bucket_logging, Bucket=ref.id, BucketLoggingStatus={})


class BucketCorsConfiguration(_Setting):
    type_name = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    aliases = ("aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2",)
    noun, body = "bucket_cors", "CORSConfiguration"
    required = frozenset({"bucket", "corsRules"})

    def wanted(self, inputs: Props) -> Props:
        return {"CORSRules": shapes.to_s3(inputs["corsRules"])}

    def shown(self, got: Props, known: Props) -> Props | None:  # noqa: ARG002 - all of it is live
        rules: list[Any] = shapes.from_s3(got["CORSRules"])
        return {"corsRules": rules}
