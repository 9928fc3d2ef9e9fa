"""Buckets and bucket policies. Rules: Amazon S3 User Guide, "General purpose bucket naming rules"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError, Tags
from xgen_infra.rehearsal.standins.contract import Failure, Props

_NAME_LIMIT, _PREFIX_LIMIT, _BATCH = 63, 37, 1000
_RULES = (
    (r"[a-z0-9.-]{3,63}", "a bucket's name has 3 to 63 lowercase letters, digits, dots and hyphens"),
    (r"[a-z0-9].*[a-z0-9]", "a bucket's name begins and ends with a letter or digit"),
    (r"(?!.*\.\.).*", "a bucket's name has no two dots in a row"),
    (r"(?!\d+\.\d+\.\d+\.\d+$).*", "a bucket's name is not formed as an IP address"),
    (
        r"(?!xn--|sthree-|amzn-s3-demo-).*",
        "a bucket's name does not begin with xn--, sthree- or amzn-s3-demo-",
    ),
    (
        r".*(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)",
        "a bucket's name does not end with a reserved suffix",
    ),
)
_ZONES = {
    "us-east-1": "Z3AQBSTGFJSTF",
    "us-west-2": "Z3BJ6K6RIION7M",
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-west-1": "Z1BKCTXD74EZPE",
}


class Bucket(Kind):
    type_name = "aws:s3/bucket:Bucket"
    aliases = ("aws:s3/bucketV2:BucketV2",)
    optional = frozenset({"bucket", "bucketPrefix", "forceDestroy", "objectLockEnabled"})
    replace_on = frozenset({"bucket", "bucketPrefix", "objectLockEnabled"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        for pattern, rule in _RULES:
            yield from checks.matches(inputs, "bucket", pattern, rule)
        yield from checks.matches(
            inputs,
            "bucketPrefix",
            rf"[a-z0-9.-]{{1,{_PREFIX_LIMIT}}}",
            f"at most {_PREFIX_LIMIT} of a-z 0-9 . -",
        )
        yield from checks.exclusive(inputs, "bucket", "bucketPrefix")

    def create(self, job: Job) -> str:
        name = job.physical_name("bucket", prefix="bucketPrefix", limit=_NAME_LIMIT, lower=True)
        where: dict[str, Any] = {}
        if job.aws.region != "us-east-1":
            where["CreateBucketConfiguration"] = {"LocationConstraint": job.aws.region}
        elif found(job.aws.client("s3").head_bucket, Bucket=name) is not None:
            # us-east-1 alone lets an owner make a bucket again; the provider refuses that
            raise AwsError("BucketAlreadyExists", f"the bucket {name} exists: import it to manage it")
        if job.inputs.get("objectLockEnabled"):
            where["ObjectLockEnabledForBucket"] = True
        job.aws.client("s3").create_bucket(Bucket=name, **where)
        _put_tags(job.aws, name, job.tags)
        return name

    def read(self, ref: Ref) -> Props | None:
        s3 = ref.client("s3")
        if found(s3.head_bucket, Bucket=ref.id) is None:
            return None
        region = s3.get_bucket_location(Bucket=ref.id).get("LocationConstraint") or "us-east-1"
        lock = found(s3.get_object_lock_configuration, Bucket=ref.id) or {}
        return {
            "arn": f"arn:{ref.aws.partition}:s3:::{ref.id}",
            "bucket": ref.id,
            "bucketDomainName": f"{ref.id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{ref.id}.s3.{region}.amazonaws.com",
            "bucketRegion": region,
            "hostedZoneId": _ZONES.get(region, ""),
            "forceDestroy": bool(ref.known.get("forceDestroy", False)),
            "objectLockEnabled": (lock.get("ObjectLockConfiguration") or {}).get("ObjectLockEnabled")
            == "Enabled",
            "tagsAll": tags_of(found(s3.get_bucket_tagging, Bucket=ref.id)),
        }

    def update(self, job: Job, ref: Ref) -> None:
        if job.tags != (ref.known.get("tagsAll") or {}):
            _put_tags(job.aws, ref.id, job.tags)

    def delete(self, ref: Ref) -> None:
        s3 = ref.client("s3")
        if found(s3.head_bucket, Bucket=ref.id) is None:
            return
        if ref.known.get("forceDestroy"):
            _empty(ref)
        listed = s3.list_object_versions(Bucket=ref.id, MaxKeys=1)
        if listed.get("Versions") or listed.get("DeleteMarkers"):
            raise AwsError(
                "BucketNotEmpty",
                f"the bucket {ref.id} is not empty: delete all its versions, or set forceDestroy",
            )
        s3.delete_bucket(Bucket=ref.id)


class BucketPolicy(Kind):
    type_name = "aws:s3/bucketPolicy:BucketPolicy"
    required = frozenset({"bucket", "policy"})
    replace_on = frozenset({"bucket"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.document(inputs, "policy")

    def create(self, job: Job) -> str:
        self._put(job)
        return job.text("bucket")

    def read(self, ref: Ref) -> Props | None:
        got = found(ref.client("s3").get_bucket_policy, Bucket=ref.id)
        return None if got is None else {"bucket": ref.id, "policy": got["Policy"]}

    def update(self, job: Job, ref: Ref) -> None:  # noqa: ARG002 - the bucket's name stays
        self._put(job)

    def delete(self, ref: Ref) -> None:
        found(ref.client("s3").delete_bucket_policy, Bucket=ref.id)

    def _put(self, job: Job) -> None:
        s3, bucket, policy = job.aws.client("s3"), job.text("bucket"), job.inputs["policy"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        block = found(s3.get_public_access_block, Bucket=bucket) or {}
        closed = (block.get("PublicAccessBlockConfiguration") or {}).get("BlockPublicPolicy", False)
        if closed and _is_public(json.loads(text)):
            raise AwsError(
                "AccessDenied", f"public policies are prevented by the BlockPublicPolicy setting of {bucket}"
            )
        s3.put_bucket_policy(Bucket=bucket, Policy=text)


def tags_of(got: Any) -> Tags:
    """Give the tags that GetBucketTagging answers with; none when there are none."""
    return {t["Key"]: t["Value"] for t in (got or {}).get("TagSet", [])}


def _put_tags(aws: Aws, bucket: str, tags: Tags) -> None:
    if tags:
        pairs = [{"Key": k, "Value": v} for k, v in sorted(tags.items())]
        aws.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs})
    else:
        aws.client("s3").delete_bucket_tagging(Bucket=bucket)


def _empty(ref: Ref) -> None:
    s3 = ref.client("s3")
    while True:
        listed = s3.list_object_versions(Bucket=ref.id, MaxKeys=_BATCH)
        held = [
            {"Key": o["Key"], "VersionId": o["VersionId"]}
            for o in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))
        ]
        if not held:
            return
        s3.delete_objects(Bucket=ref.id, Delete={"Objects": held, "Quiet": True})


def _is_public(policy: Props) -> bool:
    statements = policy.get("Statement") or []
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal")
        everyone = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") == "*")
        if one.get("Effect") == "Allow" and everyone and not one.get("Condition"):
            return True
    return False
