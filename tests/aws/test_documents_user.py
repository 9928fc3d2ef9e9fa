"""The application's key against an S3 that enforces IAM: what the MinIO SDK does with it, and what it may not do."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from minio import Minio
from minio.error import S3Error

from xgen_infra.aws import policies
from xgen_infra.rehearsal import moto_server

REGION, BUCKET, OTHER = "ap-northeast-2", "xgen-aww", "xgen-other"
PLACE = policies.Place("aws", REGION, "123456789012")
ROOT = {"aws_access_key_id": "AKIAREHEARSALROOT000", "aws_secret_access_key": "not-a-secret"}
MIB = 1024 * 1024


@dataclass(frozen=True)
class Store:
    """An S3 with two buckets, and the key of a user with the application's policy."""

    url: str
    access_key: str
    secret_key: str

    @property
    def minio(self) -> Minio:
        """The client as the application makes it: host:port, without the endpoint's scheme."""
        host = self.url.partition("://")[2]
        return Minio(
            endpoint=host,
            access_key=self.access_key,
            secret_key=self.secret_key,
            region=REGION,
            secure=False,
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root: Path = tmp_path_factory.mktemp("s3")
    with moto_server.running(root) as server:
        made = {
            service: boto3.client(service, endpoint_url=server.url, region_name=REGION, **ROOT)
            for service in ("s3", "iam")
        }
        for name in (BUCKET, OTHER):
            made["s3"].create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        made["s3"].put_object(Bucket=OTHER, Key="theirs", Body=b"theirs")
        made["s3"].put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        made["iam"].create_user(UserName="documents")
        document = json.dumps(policies.documents_user(PLACE, BUCKET))
        made["iam"].put_user_policy(UserName="documents", PolicyName="documents", PolicyDocument=document)
        key = made["iam"].create_access_key(UserName="documents")["AccessKey"]
        yield Store(server.url, key["AccessKeyId"], key["SecretAccessKey"])


def put(store: Store, name: str, data: bytes) -> None:
    store.minio.put_object(
        bucket_name=BUCKET, object_name=name, data=io.BytesIO(data), length=len(data), part_size=64 * MIB
    )


def got(store: Store, name: str) -> bytes:
    response = store.minio.get_object(bucket_name=BUCKET, object_name=name)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def test_a_document_is_stored_read_and_found(store: Store) -> None:
    assert store.minio.bucket_exists(bucket_name=BUCKET)
    put(store, "a/한글 문서.txt", b"hello")
    assert got(store, "a/한글 문서.txt") == b"hello"
    stat = store.minio.stat_object(bucket_name=BUCKET, object_name="a/한글 문서.txt")
    assert stat.size == 5
    listed = store.minio.list_objects(bucket_name=BUCKET, prefix="a/", recursive=True)
    assert [found.object_name for found in listed] == ["a/한글 문서.txt"]


def test_a_document_beyond_64_mib_goes_up_in_parts(store: Store) -> None:
    data = bytes(65 * MIB)
    put(store, "large", data)
    assert store.minio.stat_object(bucket_name=BUCKET, object_name="large").size == len(data)
    tail = store.minio.get_object(bucket_name=BUCKET, object_name="large", offset=64 * MIB)
    assert len(tail.read()) == MIB
    tail.close()


def test_an_upload_that_breaks_off_is_aborted(store: Store) -> None:
    s3 = store.client("s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="broken")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="broken", UploadId=upload, PartNumber=1, Body=b"part")
    assert len(s3.list_parts(Bucket=BUCKET, Key="broken", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket=BUCKET, Key="broken", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_presigned_link_works_for_who_has_it(store: Store) -> None:
    put(store, "linked", b"by link")
    link = store.minio.presigned_get_object(bucket_name=BUCKET, object_name="linked")
    with urlopen(link) as answer:  # noqa: S310
        assert answer.read() == b"by link"


def test_a_document_is_deleted(store: Store) -> None:
    put(store, "gone", b"x")
    store.minio.remove_object(bucket_name=BUCKET, object_name="gone")
    with pytest.raises(S3Error) as missing:
        store.minio.stat_object(bucket_name=BUCKET, object_name="gone")
    assert missing.value.code == "NoSuchKey"


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("s3", "get_object", {"Bucket": OTHER, "Key": "theirs"}),
        ("s3", "list_objects_v2", {"Bucket": OTHER}),
        ("s3", "put_object", {"Bucket": OTHER, "Key": "x", "Body": b""}),
        ("s3", "delete_bucket", {"Bucket": BUCKET}),
        (
            "s3",
            "put_bucket_versioning",
            {"Bucket": BUCKET, "VersioningConfiguration": {"Status": "Suspended"}},
        ),
        ("s3", "delete_bucket_policy", {"Bucket": BUCKET}),
        (
            "s3",
            "create_bucket",
            {"Bucket": "xgen-new", "CreateBucketConfiguration": {"LocationConstraint": REGION}},
        ),
        ("s3", "list_buckets", {}),
        ("iam", "list_users", {}),
        ("iam", "create_access_key", {"UserName": "documents"}),
        ("ec2", "describe_vpcs", {}),
    ],
)
def test_the_key_is_good_for_nothing_else(
    store: Store, service: str, call: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(store.client(service), call)(**arguments)
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "UnauthorizedOperation"}
