from __future__ import annotations

import json
from typing import Any

import pytest

from .recording import Recording, Secret, record
from .sites import ANSWERS, built, site

KEY = "aws:iam/accessKey:AccessKey"
BUCKET = "aws:s3/bucket:Bucket"


def test_the_bucket_and_its_guards_are_protected_and_outlive_the_stack(aww: Recording) -> None:
    parts = [found for found in aww.resources if found.type.startswith("aws:s3/")]
    assert len(parts) == 7
    assert all(part.protect and part.retain_on_delete for part in parts)


def test_nothing_else_is_protected(aww: Recording) -> None:
    """Anything else must go when a site goes."""
    held = [found for found in aww.resources if found.protect or found.retain_on_delete]
    assert {found.type.split("/")[0] for found in held} == {"aws:s3"}


def test_the_bucket_is_private_encrypted_versioned_and_owned(aww: Recording) -> None:
    def settings(kind: str) -> Any:
        return aww.one(f"aws:s3/bucket{kind}:Bucket{kind}").inputs

    block = settings("PublicAccessBlock")
    assert all(
        block[key] is True
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    (rule,) = settings("ServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    assert settings("Versioning")["versioningConfiguration"]["status"] == "Enabled"
    assert settings("OwnershipControls")["rule"]["objectOwnership"] == "BucketOwnerEnforced"
    (kept,) = settings("LifecycleConfiguration")["rules"]
    assert kept["noncurrentVersionExpiration"]["noncurrentDays"] == 90
    assert kept["abortIncompleteMultipartUpload"]["daysAfterInitiation"] == 7


def test_the_bucket_refuses_whatever_is_not_over_tls(aww: Recording) -> None:
    policy = json.loads(aww.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    (statement,) = policy["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:s3:::xgen-aww", "arn:aws:s3:::xgen-aww/*"]


def test_a_bucket_made_by_hand_is_imported_and_keeps_its_own_lifecycle() -> None:
    found = built({"cluster": {"bucket": {"name": "by-hand", "adopt": True}}})
    bucket = found.one(BUCKET)
    assert bucket.import_id == "by-hand"
    assert "tags" in bucket.ignore_changes
    assert not found.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert found.result["bucketName"] == "by-hand"


def test_a_bucket_of_ones_own_is_not_imported(aww: Recording) -> None:
    bucket = aww.one(BUCKET)
    assert bucket.import_id == ""
    assert bucket.ignore_changes == ()


def keys(changes: dict[str, Any]) -> dict[str, str]:
    return {found.name: found.inputs["status"] for found in built({"cluster": changes}).of(KEY)}


def test_a_rotation_goes_from_one_working_key_to_the_next() -> None:
    """The states in which a rotation leaves the file, one after the other."""
    assert keys({}) == {"keys-generation-1": "Active"}
    made = keys({"accessKeyGeneration": 2, "previousAccessKeys": [1]})
    assert made == {"keys-generation-1": "Active", "keys-generation-2": "Active"}
    switched_off = keys({"accessKeyGeneration": 2, "retiredAccessKeys": [1]})
    assert switched_off == {"keys-generation-1": "Inactive", "keys-generation-2": "Active"}
    assert keys({"accessKeyGeneration": 2}) == {"keys-generation-2": "Active"}


@pytest.mark.parametrize(
    "changes",
    [
        {"previousAccessKeys": [1]},
        {"accessKeyGeneration": 2, "previousAccessKeys": [1], "retiredAccessKeys": [1]},
        {"accessKeyGeneration": 2, "retiredAccessKeys": [3]},
        {"accessKeyGeneration": 3, "previousAccessKeys": [2], "retiredAccessKeys": [1]},
    ],
    ids=["current and previous", "previous and retired", "from the future", "three at once"],
)
def test_impossible_generations_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"access key|accessKeyGeneration"):
        site({"cluster": changes})


def test_pods_get_the_current_generations_key_as_a_secret() -> None:
    changes = {"cluster": {"accessKeyGeneration": 2, "previousAccessKeys": [1]}}
    subject = site(changes)

    def program() -> Any:
        import pulumi

        from xgen_infra.aws.assemble import build

        store = build(subject).object_store

        class Probe(pulumi.CustomResource):
            def __init__(self) -> None:
                super().__init__(
                    "test:index:Probe", "probe", {"id_": store.access_key, "secret": store.secret_key}
                )

        Probe()
        return None

    probe = record(program, ANSWERS).one("test:index:Probe").inputs
    assert probe == {"id_": "keys-generation-2-id", "secret": Secret("abc/+=")}


def test_the_secret_key_is_in_no_output(aww: Recording) -> None:
    assert "abc/+=" not in json.dumps(aww.result)
    assert aww.result["accessKeyIds"] == {"1": "keys-generation-1-id"}


def test_the_user_reaches_one_bucket_and_nothing_else(aww: Recording) -> None:
    policy = json.loads(aww.one("aws:iam/userPolicy:UserPolicy").inputs["policy"])
    resources = {resource for statement in policy["Statement"] for resource in statement["Resource"]}
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert resources == {"arn:aws:s3:::xgen-aww", "arn:aws:s3:::xgen-aww/*"}
    assert all(action.startswith("s3:") and "*" not in action for action in actions)
    assert not actions & {"s3:DeleteBucket", "s3:PutBucketPolicy", "s3:DeleteObjectVersion"}


ECR = {"registry": {"kind": "ecr", "host": None, "plainHttp": None}}
PUSHER = "arn:aws:iam::555566667777:role/xgen-push"


def test_ecr_has_a_repository_for_each_service() -> None:
    found = built(ECR)
    repositories = found.of("aws:ecr/repository:Repository")
    assert sorted(one.inputs["name"] for one in repositories) == [
        "xgen/aww/xgen-backend-gateway",
        "xgen/aww/xgen-core",
        "xgen/aww/xgen-documents",
        "xgen/aww/xgen-frontend",
        "xgen/aww/xgen-mcp-station",
        "xgen/aww/xgen-workflow",
    ]
    assert all(one.inputs["imageScanningConfiguration"] == {"scanOnPush": True} for one in repositories)
    assert len(found.result["ecrRepositoryUrls"]) == 6
    assert len(found.of("aws:ecr/lifecyclePolicy:LifecyclePolicy")) == 6


def test_only_the_vendors_principal_writes_images() -> None:
    found = built({"registry": {**ECR["registry"], "pushPrincipal": PUSHER}})
    for policy in found.of("aws:ecr/repositoryPolicy:RepositoryPolicy"):
        push, only = json.loads(policy.inputs["policy"])["Statement"]
        assert push["Principal"] == {"AWS": PUSHER}
        assert "ecr:PutImage" in push["Action"]
        assert only["Effect"] == "Deny"
        assert "ecr:PutImage" in only["Action"]
        assert only["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": PUSHER}}


def test_images_in_another_region_get_a_provider_of_their_own() -> None:
    found = built({"registry": {**ECR["registry"], "region": "us-west-2"}})
    repository = found.of("aws:ecr/repository:Repository")[0]
    assert repository.provider.split("::")[-2] == "aws-registry"
    assert found.one("pulumi:providers:aws", "aws-registry").inputs["region"] == "us-west-2"


def test_images_of_another_account_are_its_owners_to_share() -> None:
    found = built({"registry": {**ECR["registry"], "account": "555566667777"}})
    assert not found.of("aws:ecr/repository:Repository")
    (step,) = found.result["registryRemaining"]
    assert "In account 555566667777" in step
    assert "arn:aws:iam::123456789012:role/xgen-aww-nodes" in step


def test_a_second_stack_of_a_site_makes_no_repository_again() -> None:
    found = built({"registry": {**ECR["registry"], "create": False}, "site": "aww"}, stack="aww-stg")
    assert not found.of("aws:ecr/repository:Repository")
    assert found.result["registryRemaining"] == []


def test_a_site_with_nexus_has_no_repository_in_ecr(aww: Recording) -> None:
    assert not aww.of("aws:ecr/repository:Repository")
    assert aww.result["ecrRepositoryUrls"] == {}
