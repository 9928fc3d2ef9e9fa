"""The AWS account before the first `up`, on an emulated AWS that enforces IAM."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from checking import sample

from xgen_infra.aws.actions import ACTIONS, CHILDREN
from xgen_infra.aws.permissions import actions_of
from xgen_infra.aws.policies import Statement, document

from .conftest import Aws, Customers

Move = Callable[[str], Customers]
LOOK = ("iam:SimulatePrincipalPolicy", "iam:GetRole")


def test_the_files_own_account_passes(on_aws: Customers) -> None:
    seen = on_aws.look("aww", "aws-identity")
    assert seen.level == "ok", seen.results
    assert "user/administrator, in account 123456789012" in seen.found


def test_another_account_is_an_error_and_nothing_is_read_there(on_aws: Customers) -> None:
    text = on_aws.file("aww").read_text()
    on_aws.file("aww").write_text(text.replace("123456789012", "210987654321"))
    problem = on_aws.look("aww", "aws-identity").problem
    assert "account 123456789012" in problem["found"]
    assert "210987654321" in problem["found"]
    assert "use credentials of the account that the file names" in problem["mend"]
    for check in ("aws-permissions", "aws-quotas", "bucket", "management-network"):
        seen = on_aws.look("aww", check)
        assert seen.level == "warning"
        assert seen.problem["mend"] == "see the check aws-identity"


def test_without_credentials_it_says_how_to_log_in(on_aws: Customers) -> None:
    seen = on_aws.look(
        "aww", "aws-identity", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, HOME="/nowhere"
    )
    assert seen.level == "error"
    assert "aws configure sso" in seen.mend
    seen = on_aws.look("aww", "aws-identity", AWS_SECRET_ACCESS_KEY="wrong")
    assert seen.level == "error"
    assert "aws sso login" in seen.mend


def test_an_administrator_may_do_all_that_the_program_registers(on_aws: Customers) -> None:
    seen = on_aws.look("aww", "aws-permissions")
    assert seen.level == "ok", seen.results
    (number,) = re.findall(r"may do (\d+) actions", seen.found)
    assert int(number) > 100


def test_a_missing_right_is_named_with_who_lacks_it_and_where(customers: Customers, aws: Aws) -> None:
    registered = actions_of([*ACTIONS, *CHILDREN]) - {"eks:CreateNodegroup", "s3:CreateBucket"}
    granted = document(
        Statement("Most", [*registered, *LOOK], ["*"]),
        Statement("NoKeys", ["iam:CreateAccessKey"], ["*"], effect="Deny"),
    )
    customers.environment |= aws.user("almost", document=granted)
    seen = customers.look("aww", "aws-permissions")
    assert seen.level == "error"
    refused = {
        action: one
        for one in seen.results
        if one["level"] == "error"
        for action in re.findall(r"\b[a-z0-9]+:[A-Z]\w+", one["found"])
    }
    assert set(refused) == {"eks:CreateNodegroup", "s3:CreateBucket", "iam:CreateAccessKey"}
    assert "arn:aws:iam::123456789012:user/almost may not" in refused["eks:CreateNodegroup"]["found"]
    assert "cluster/xgen-aww" in refused["eks:CreateNodegroup"]["found"]
    assert "arn:aws:s3:::xgen-aww" in refused["s3:CreateBucket"]["found"]
    assert "xgen bootstrap" in seen.mend


def test_rights_on_the_sites_own_names_suffice_and_a_roles_session_is_asked_by_its_role(
    customers: Customers, aws: Aws
) -> None:
    everything: Any = {
        "AssumeRolePolicyDocument": json.dumps(document(Statement("All", ["sts:AssumeRole"], principal="*")))
    }
    iam = aws.client("iam")
    iam.create_role(RoleName="deploy", Path="/teams/", **everything)
    arn = "arn:aws:"
    named = [
        f"{arn}iam::123456789012:role/xgen-aww-*",
        f"{arn}iam::123456789012:role/aws-service-role/*",
        f"{arn}iam::123456789012:user/xgen-aww-*",
        f"{arn}s3:::xgen-aww",
        f"{arn}eks:ap-northeast-2:123456789012:cluster/xgen-aww",
        f"{arn}logs:ap-northeast-2:123456789012:log-group:/aws/eks/xgen-aww/*",
        f"{arn}kms:ap-northeast-2:123456789012:*",
        f"{arn}ec2:ap-northeast-2:123456789012:*",
    ]
    unbound = [
        "ec2:Describe*",
        "eks:List*",
        "eks:Describe*",
        "iam:Get*",
        "kms:CreateKey",
        "kms:ListAliases",
        "logs:*",
    ]
    policy = document(
        Statement("Named", ["iam:*", "s3:*", "eks:*", "logs:*", "kms:*", "ec2:*"], named),
        Statement("Unbound", [*unbound, "sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy"], ["*"]),
    )
    iam.put_role_policy(RoleName="deploy", PolicyName="test", PolicyDocument=json.dumps(policy))
    sts = aws.client("sts")
    keys = sts.assume_role(RoleArn=f"{arn}iam::123456789012:role/teams/deploy", RoleSessionName="ci")[
        "Credentials"
    ]
    seen = customers.look(
        "aww",
        "aws-permissions",
        AWS_ENDPOINT_URL=aws.url,
        AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
        AWS_SESSION_TOKEN=keys["SessionToken"],
    )
    assert seen.level == "ok", seen.results
    assert "role/teams/deploy" in seen.found


def test_who_may_not_ask_is_told_what_to_grant(customers: Customers, aws: Aws) -> None:
    nothing = document(Statement("Little", ["s3:ListBucket"], ["*"]))
    customers.environment |= aws.user("curious", document=nothing)
    seen = customers.look("aww", "aws-permissions")
    assert seen.level == "warning"
    assert "iam:SimulatePrincipalPolicy" in seen.mend
    quotas = customers.look("aww", "aws-quotas")
    assert quotas.level == "warning"
    assert "grant this principal" in quotas.mend


def test_quotas_that_are_wide_enough_pass(on_aws: Customers) -> None:
    seen = on_aws.look("aww", "aws-quotas")
    assert seen.level == "ok", seen.results
    for what in ("VPCs: 2 of 5", "Elastic IP addresses: 0 of 5", "EKS clusters: 0 of 100", "4 nodes need 32"):
        assert what in seen.found


def test_quotas_that_are_used_up_name_the_request(moved: Move, aws: Aws) -> None:
    customers = moved("us-east-2")
    ec2 = aws.client("ec2", "us-east-2")
    for number in range(3):
        ec2.create_vpc(CidrBlock=f"10.{100 + number}.0.0/16")
    for _ in range(3):
        ec2.allocate_address(Domain="vpc")
    customers.edit("aww", "max: 4", "max: 9")
    customers.edit("aww", "vpcCidr: 10.40.0.0/16", "vpcCidr: 10.40.0.0/16\n      nat: perZone")
    seen = customers.look("aww", "aws-quotas")
    problems = [one for one in seen.results if one["level"] == "error"]
    assert [one["found"].split(":")[0] for one in problems] == [
        "VPCs",
        "Elastic IP addresses",
        "vCPUs of running instances like m7i.2xlarge",
    ]
    assert "--quota-code L-F678F1CE --desired-value 6" in problems[0]["mend"]
    assert "--quota-code L-0263D0A3 --desired-value 6" in problems[1]["mend"]
    assert "--desired-value 72" in problems[2]["mend"]
    assert "cluster.nodes.max" in problems[2]["mend"]
    increase = aws.client("service-quotas", "us-east-2").request_service_quota_increase
    for one in problems:
        service, code, value = re.findall(r"--(?:service-code|quota-code|desired-value) (\S+)", one["mend"])
        increase(ServiceCode=service, QuotaCode=code, DesiredValue=float(value))
    assert customers.look("aww", "aws-quotas").level == "ok"


def test_a_type_that_no_zone_sells_is_an_error(on_aws: Customers) -> None:
    assert on_aws.look("aww", "instance-types").level == "ok"
    on_aws.edit("aww", "instanceTypes: [m7i.2xlarge]", "instanceTypes: [m99i.2xlarge]")
    problem = on_aws.look("aww", "instance-types").problem
    assert (
        problem["found"]
        == "m99i.2xlarge is sold in none of ap-northeast-2a, ap-northeast-2b, ap-northeast-2c"
    )
    assert "cluster.nodes.instanceTypes" in problem["mend"]


@pytest.mark.parametrize(("tags", "level"), [({"stack": "aww"}, "ok"), ({}, "error")])
def test_a_cluster_of_the_name_is_the_stacks_own_or_in_the_way(
    tags: dict[str, str], level: str, moved: Move, aws: Aws
) -> None:
    region = "us-west-2" if tags else "eu-west-1"
    customers = moved(region)
    assert customers.look("aww", "cluster-name").level == "ok"
    aws.client("eks", region).create_cluster(
        name="xgen-aww",
        roleArn="arn:aws:iam::123456789012:role/any",
        resourcesVpcConfig={"subnetIds": []},
        tags=tags,
    )
    seen = customers.look("aww", "cluster-name")
    assert seen.level == level
    if tags:
        assert "exists: nothing more is asked" in customers.look("aww", "aws-quotas").found
    else:
        assert "rename the stack" in seen.mend


def test_an_existing_cluster_has_to_be_there_and_in_its_vpc(on_aws: Customers, aws: Aws) -> None:
    on_aws.file("shared").write_text(sample("shared"))
    problem = on_aws.look("shared", "cluster-name").problem
    assert "there is no EKS cluster platform" in problem["found"]
    assert "cluster.existingCluster" in problem["mend"]
    aws.client("eks", "eu-central-1").create_cluster(
        name="platform",
        roleArn="arn:aws:iam::123456789012:role/any",
        resourcesVpcConfig={"subnetIds": ["subnet-0123456789abcdef0"]},
    )
    assert "the EKS cluster platform is there" in on_aws.look("shared", "cluster-name").found
