"""The bootstrap on an emulated AWS: what it makes, twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from xgen_infra.bootstrap import Bootstrap, BootstrapError, Made
from xgen_infra.bootstrap.deploy import Registered
from xgen_infra.bootstrap.documents import Oidc
from xgen_infra.bootstrap.record import aws_resources
from xgen_infra.folder import read_site
from xgen_infra.rehearsal import moto_server

ROOT = Path(__file__).parents[2]
RUNNER = "arn:aws:iam::123456789012:user/runner"
GITLAB = Oidc("gitlab.example", "xgen/xgen-infra", "main")


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREHEARSALROOT000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    with moto_server.running(tmp_path, enforce_iam=False) as server:
        yield server.url


@pytest.fixture(scope="module")
def resources() -> list[Registered]:
    return aws_resources(read_site(ROOT, "aww")[1])


@pytest.fixture
def bootstrap(aws: str, resources: list[Registered]) -> Bootstrap:
    _, site = read_site(ROOT, "aww")
    assert site.eks
    return Bootstrap(site, site.eks, RUNNER, resources, aws)


def client(bootstrap: Bootstrap, service: str) -> Any:
    return boto3.client(service, region_name=bootstrap.eks.region, endpoint_url=bootstrap.endpoint)


def seen(bootstrap: Bootstrap, made: Made) -> dict[str, Any]:
    """Return all that the bootstrap makes, as AWS tells it."""
    s3, iam, kms = (client(bootstrap, service) for service in ("s3", "iam", "kms"))
    roles = [role.rpartition("/")[2] for role in (made.deploy_role, made.preview_role)]
    return {
        "buckets": [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
        "versions": s3.get_bucket_versioning(Bucket=made.bucket)["Status"],
        "closed": s3.get_public_access_block(Bucket=made.bucket)["PublicAccessBlockConfiguration"],
        "sealed": s3.get_bucket_encryption(Bucket=made.bucket)["ServerSideEncryptionConfiguration"]["Rules"],
        "policy": json.loads(s3.get_bucket_policy(Bucket=made.bucket)["Policy"]),
        "keys": [key["KeyArn"] for key in kms.list_keys()["Keys"]],
        "rotated": kms.get_key_rotation_status(KeyId=_key(kms, made))["KeyRotationEnabled"],
        "trust": [iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] for role in roles],
        "state": [iam.get_role_policy(RoleName=role, PolicyName="state")["PolicyDocument"] for role in roles],
        "managed": [
            [found["PolicyName"] for found in listed["AttachedPolicies"]]
            for role in roles
            if (listed := iam.list_attached_role_policies(RoleName=role))
        ],
        "issuers": iam.list_open_id_connect_providers()["OpenIDConnectProviderList"],
    }


def _key(kms: Any, made: Made) -> str:
    return str(kms.describe_key(KeyId=made.key_alias)["KeyMetadata"]["KeyId"])


def test_the_state_is_versioned_encrypted_closed_and_takes_tls_only(bootstrap: Bootstrap) -> None:
    found = seen(bootstrap, bootstrap.run())
    assert found["versions"] == "Enabled"
    assert set(found["closed"].values()) == {True}
    assert found["sealed"][0]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": found["keys"][0],
    }
    refusal = found["policy"]["Statement"][0]
    assert (refusal["Effect"], refusal["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert found["rotated"] is True


def test_run_again_it_makes_nothing_twice(bootstrap: Bootstrap) -> None:
    first = bootstrap.run()
    before = seen(bootstrap, first)
    assert bootstrap.run() == first
    assert seen(bootstrap, first) == before
    assert len(before["buckets"]) == 1


def test_what_was_loosened_by_hand_is_closed_again(bootstrap: Bootstrap) -> None:
    made = bootstrap.run()
    before = seen(bootstrap, made)
    s3 = client(bootstrap, "s3")
    s3.put_bucket_versioning(Bucket=made.bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_policy(Bucket=made.bucket)
    bootstrap.run()
    assert seen(bootstrap, made) == before


def test_the_preview_role_reads_and_writes_locks_alone(bootstrap: Bootstrap) -> None:
    found = seen(bootstrap, bootstrap.run())
    deploying, looking = found["managed"]
    parts = ["cluster", "data", "identity", "network"]
    assert sorted(deploying) == [f"xgen-aww-deploy-{part}" for part in parts]
    assert looking == ["ReadOnlyAccess"]
    writes = [
        resource
        for statement in found["state"][1]["Statement"]
        if statement["Effect"] == "Allow" and {"s3:PutObject", "s3:DeleteObject"} & set(statement["Action"])
        for resource in statement["Resource"]
    ]
    assert [resource.partition("/")[2] for resource in writes] == [".pulumi/locks/*"]
    denied = [one["Resource"] for one in found["state"][1]["Statement"] if one["Effect"] == "Deny"]
    assert denied == [["arn:aws:s3:::xgen-aww/*"]]


def test_what_the_deploy_role_had_before_is_taken_away(bootstrap: Bootstrap) -> None:
    made = bootstrap.run()
    iam, role = client(bootstrap, "iam"), made.deploy_role.rpartition("/")[2]
    before = seen(bootstrap, made)
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    bootstrap.run()
    assert seen(bootstrap, made) == before


def test_a_policy_that_changed_gets_a_new_version_and_the_oldest_goes(bootstrap: Bootstrap) -> None:
    bootstrap.run()
    iam, arn = client(bootstrap, "iam"), "arn:aws:iam::123456789012:policy/xgen-aww-deploy-data"
    said = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    for number in range(4):
        by_hand = json.dumps({**said, "Id": f"by-hand-{number}"})
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=by_hand, SetAsDefault=True)
    bootstrap.run()
    current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"] == said
    assert {one["VersionId"] for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]} == {
        "v2", "v3", "v4", "v5", "v6",
    }  # fmt: skip


def test_by_gitlab_only_the_deploying_branch_gets_the_deploy_role(bootstrap: Bootstrap) -> None:
    by_gitlab = replace(bootstrap, runner=GITLAB)
    found = seen(by_gitlab, by_gitlab.run())
    assert [one["Arn"] for one in found["issuers"]] == [
        "arn:aws:iam::123456789012:oidc-provider/gitlab.example"
    ]
    subjects = [
        trust["Statement"][0]["Condition"]["StringLike"]["gitlab.example:sub"] for trust in found["trust"]
    ]
    assert subjects == [
        "project_path:xgen/xgen-infra:ref_type:branch:ref:main",
        "project_path:xgen/xgen-infra:ref_type:branch:ref:*",
    ]


def test_a_named_principal_is_the_only_one_trusted(bootstrap: Bootstrap) -> None:
    found = seen(bootstrap, bootstrap.run())
    assert [trust["Statement"][0]["Principal"] for trust in found["trust"]] == [{"AWS": RUNNER}] * 2


def test_another_account_is_refused_before_anything_is_made(bootstrap: Bootstrap) -> None:
    elsewhere = bootstrap.eks.model_copy(update={"account": "210987654321"})
    with pytest.raises(BootstrapError, match="account 123456789012, the file says 210987654321"):
        replace(bootstrap, eks=elsewhere).run()
    assert client(bootstrap, "s3").list_buckets()["Buckets"] == []


def test_the_commands_name_bucket_and_key(bootstrap: Bootstrap) -> None:
    made = bootstrap.run()
    assert made.bucket == "xgen-aww-state-123456789012"
    assert made.commands[0] == "pulumi login 's3://xgen-aww-state-123456789012?region=ap-northeast-2'"
    assert "awskms://alias/xgen-aww-state?region=ap-northeast-2" in made.commands[1]
