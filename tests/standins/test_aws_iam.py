"""The emulator enforces IAM: a key for one bucket can work there, and nowhere else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from minio import Minio
from minio.deleteobjects import DeleteObject

from xgen_infra.rehearsal.moto_server import running

from .aws_bench import OTHER_ACCOUNT, REGION, Bench, Resource, world

MIB = 1024 * 1024
OBJECTS = ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts"]


def _statement(actions: list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"s3:{a}" for a in actions], "Resource": resource, **more}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass
class Key:
    """A user's key for one bucket, and another bucket that is none of its business."""

    bench: Bench
    bucket: Resource
    other: Resource
    user: Resource
    key: Resource

    def boto(self, service: str, secret: str = "") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.bench.world.moto_url,
            region_name=REGION,
            aws_access_key_id=self.key.id,
            aws_secret_access_key=secret or self.key["secret"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def minio(self) -> Minio:
        address = self.bench.world.moto_url.removeprefix("http://")
        return Minio(address, self.key.id, self.key["secret"], secure=False, region=REGION)


@pytest.fixture
def limited(bench: Bench) -> Key:
    bucket, other = bench.bucket(forceDestroy=True), bench.bucket()
    user = bench.make("aws:iam/user:User")
    allowed = _document(
        _statement(["ListBucket", "GetBucketLocation", "ListBucketMultipartUploads"], bucket["arn"]),
        _statement(OBJECTS, f"{bucket['arn']}/*"),
    )
    bench.make("aws:iam/userPolicy:UserPolicy", user=user.id, policy=allowed)
    return Key(bench, bucket, other, user, bench.make("aws:iam/accessKey:AccessKey", user=user.id))


def _code(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_the_application_s_client_can_do_all_it_needs_in_its_bucket(limited: Key) -> None:
    client, bucket = limited.minio(), limited.bucket.id
    name, large = "reports/2026 Q1 ü+&.pdf", b"x" * (65 * MIB)
    client.put_object(bucket, name, io.BytesIO(b"small"), 5)
    client.put_object(bucket, "large", io.BytesIO(large), len(large), part_size=16 * MIB)
    assert client.get_object(bucket, name).read() == b"small"
    assert client.stat_object(bucket, "large").size == len(large)
    assert {found.object_name for found in client.list_objects(bucket, recursive=True)} == {name, "large"}
    assert client.bucket_exists(bucket)
    client.remove_object(bucket, name)
    assert list(client.remove_objects(bucket, [DeleteObject("large")])) == []
    assert list(client.list_objects(bucket, recursive=True)) == []


def test_a_presigned_address_works_as_signed_and_not_otherwise(limited: Key) -> None:
    client, bucket = limited.minio(), limited.bucket.id
    assert httpx.put(client.presigned_put_object(bucket, "a b"), content=b"1").status_code == 200
    signed = client.presigned_get_object(bucket, "a b")
    assert httpx.get(signed).content == b"1"
    assert httpx.get(signed.replace("a%20b", "other")).status_code == 403
    assert httpx.get(signed.partition("?")[0]).status_code == 403
    assert httpx.get(limited.boto("s3").generate_presigned_url(
        "get_object", Params={"Bucket": limited.other.id, "Key": "a"}
    )).status_code == 403  # fmt: skip


def test_the_key_can_do_nothing_elsewhere(limited: Key) -> None:
    s3, other = limited.boto("s3"), limited.other.id
    assert _code(s3.put_object, Bucket=other, Key="a", Body=b"") == "AccessDenied"
    assert _code(s3.list_objects_v2, Bucket=other) == "AccessDenied"
    assert _code(s3.list_buckets) == "AccessDenied"
    assert _code(s3.delete_bucket, Bucket=limited.bucket.id) == "AccessDenied"
    assert _code(s3.put_bucket_policy, Bucket=limited.bucket.id, Policy="{}") == "AccessDenied"
    assert _code(s3.put_bucket_encryption, Bucket=limited.bucket.id,
                 ServerSideEncryptionConfiguration={"Rules": []}) == "AccessDenied"  # fmt: skip
    assert _code(limited.boto("iam").list_users) == "AccessDenied"
    assert _code(limited.boto("iam").create_access_key, UserName=limited.user.id) == "AccessDenied"
    assert _code(limited.boto("ec2").describe_vpcs) in {"AccessDenied", "UnauthorizedOperation"}


def test_a_wrong_secret_an_inactive_key_and_a_deleted_key_are_refused(limited: Key) -> None:
    bucket = limited.bucket.id
    assert _code(limited.boto("s3", "wrong").list_objects_v2, Bucket=bucket) == "SignatureDoesNotMatch"
    limited.boto("s3").list_objects_v2(Bucket=bucket)
    limited.key.update(status="Inactive")
    assert _code(limited.boto("s3").list_objects_v2, Bucket=bucket) == "InvalidAccessKeyId"
    limited.key.update(status="Active")
    limited.boto("s3").list_objects_v2(Bucket=bucket)
    limited.key.delete()
    assert _code(limited.boto("s3").list_objects_v2, Bucket=bucket) == "InvalidAccessKeyId"


def test_a_boundary_takes_away_what_a_policy_gives(limited: Key) -> None:
    boundary = limited.bench.make(
        "aws:iam/policy:Policy", policy=_document(_statement(["ListBucket"], limited.bucket["arn"]))
    )
    limited.user.update(permissionsBoundary=boundary.id)
    limited.boto("s3").list_objects_v2(Bucket=limited.bucket.id)
    assert _code(limited.boto("s3").put_object, Bucket=limited.bucket.id, Key="a", Body=b"") == "AccessDenied"


def test_a_bucket_for_tls_only_refuses_plain_http(limited: Key) -> None:
    arn = limited.bucket["arn"]
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    limited.bench.make("aws:s3/bucketPolicy:BucketPolicy", bucket=limited.bucket.id, policy=_document(deny))
    assert _code(limited.boto("s3").list_objects_v2, Bucket=limited.bucket.id) == "AccessDenied"


def test_a_condition_on_the_prefix_holds(bench: Bench) -> None:
    bucket, user = bench.bucket(), bench.make("aws:iam/user:User")
    only = {"StringLike": {"s3:prefix": "mine/*"}}
    bench.make(
        "aws:iam/userPolicy:UserPolicy",
        user=user.id,
        policy=_document(_statement(["ListBucket"], bucket["arn"], Condition=only)),
    )
    key = Key(bench, bucket, bucket, user, bench.make("aws:iam/accessKey:AccessKey", user=user.id))
    key.boto("s3").list_objects_v2(Bucket=bucket.id, Prefix="mine/a")
    assert _code(key.boto("s3").list_objects_v2, Bucket=bucket.id, Prefix="theirs/") == "AccessDenied"


def test_a_bucket_of_another_account_takes_two_to_open(bench: Bench) -> None:
    elsewhere = {"region": REGION, "assumeRoles": [{"roleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/x"}]}
    bucket = bench.make("aws:s3/bucket:Bucket", config=elsewhere, bucket=bench.unused("elsewhere"))
    user = bench.make("aws:iam/user:User")
    bench.make(
        "aws:iam/userPolicy:UserPolicy",
        user=user.id,
        policy=_document(_statement(["ListBucket"], bucket["arn"])),
    )
    key = Key(bench, bucket, bucket, user, bench.make("aws:iam/accessKey:AccessKey", user=user.id))
    assert _code(key.boto("s3").list_objects_v2, Bucket=bucket.id) == "AccessDenied"
    theirs = _statement(["ListBucket"], bucket["arn"], Principal={"AWS": user["arn"]})
    bench.make(
        "aws:s3/bucketPolicy:BucketPolicy", config=elsewhere, bucket=bucket.id, policy=_document(theirs)
    )
    key.boto("s3").list_objects_v2(Bucket=bucket.id)


@pytest.fixture
def open_bench(tmp_path: Any) -> Iterator[Bench]:
    with running(tmp_path, enforce_iam=False) as server:
        yield Bench(world(tmp_path, server.url))


def test_without_enforcement_anyone_may_do_anything(open_bench: Bench) -> None:
    anyone = boto3.client(
        "iam",
        endpoint_url=open_bench.world.moto_url,
        region_name=REGION,
        aws_access_key_id="A" * 20,
        aws_secret_access_key="x",
    )
    assert anyone.list_users()["Users"] == []
