"""What the deploy role may do and may not, by the policy language's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit.sites import WHOLE
from aws.sites import site as eks_site
from moto.iam.aws_managed_policies import aws_managed_policies_data

from policy.rules import Resource
from policy.rules.aws import star_actions
from xgen_infra.aws.policies import Place
from xgen_infra.bootstrap import deploy
from xgen_infra.bootstrap.deploy import Ground, Registered, UnknownTypeError
from xgen_infra.bootstrap.record import aws_resources
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.standins.aws.emulator.policy import Ask, Verdict, verdict

ROOT = Path(__file__).parents[2]
ACCOUNT, REGION = "123456789012", "ap-northeast-2"
IAM, EC2 = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:ec2:{REGION}:{ACCOUNT}"
BOUND = {"iam:PermissionsBoundary": f"{IAM}:policy/xgen-aww-boundary"}
OWN, OTHER = {"aws:ResourceTag/stack": "aww"}, {"aws:ResourceTag/stack": "bravo"}
HERE = {"aws:RequestedRegion": REGION}


def ground(site: Any) -> Ground:
    return Ground(site, Place("aws", REGION, ACCOUNT), aws_resources(site))


@pytest.fixture(scope="module", params=["the sample", "everything"])
def chosen(request: pytest.FixtureRequest) -> Ground:
    return ground(eks_site(WHOLE) if request.param == "everything" else read_site(ROOT, "aww")[1])


def may(chosen: Ground, action: str, resource: str, **context: str) -> bool:
    said = deploy.documents(chosen).values()
    return verdict(said, Ask(action, resource, "", context)) is Verdict.ALLOW


def test_each_policy_fits_and_names_its_actions(chosen: Ground) -> None:
    for name, said in deploy.documents(chosen).items():
        assert deploy.size(said) <= deploy.LIMIT, name
        as_policy = Resource("aws:iam/policy:Policy", name, {"policy": json.dumps(said)})
        assert not list(star_actions(as_policy))
        assert not [one for one in said["Statement"] if "*" in "".join(one["Action"])], name
    assert deploy.size(deploy.boundary(chosen)) <= deploy.LIMIT


def test_a_role_or_user_is_made_with_the_boundary_or_not_at_all(chosen: Ground) -> None:
    for kind, name in (("Role", "nodes"), ("User", "documents")):
        arn = f"{IAM}:{kind.lower()}/xgen-aww-{name}"
        assert may(chosen, f"iam:Create{kind}", arn, **BOUND)
        assert not may(chosen, f"iam:Create{kind}", arn)
        assert not may(chosen, f"iam:Create{kind}", f"{arn}-2", **BOUND)
        assert not may(chosen, f"iam:Delete{kind}PermissionsBoundary", arn, **BOUND)
    nodes = f"{IAM}:role/xgen-aww-nodes"
    worker = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert may(chosen, "iam:AttachRolePolicy", nodes, **BOUND, **{"iam:PolicyARN": worker})
    assert not may(chosen, "iam:AttachRolePolicy", nodes, **{"iam:PolicyARN": worker})
    assert not may(chosen, "iam:AttachRolePolicy", nodes, **BOUND, **{"iam:PolicyARN": administrator})


def test_it_cannot_change_its_own_rights_or_the_boundary(chosen: Ground) -> None:
    for action in (
        "PutRolePolicy",
        "AttachRolePolicy",
        "UpdateAssumeRolePolicy",
        "DeleteRolePolicy",
        "PassRole",
    ):
        for role in ("deploy", "preview"):
            assert not may(chosen, f"iam:{action}", f"{IAM}:role/xgen-aww-{role}", **BOUND), (action, role)
    for action in ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion", "CreatePolicy"):
        for policy in ("boundary", "deploy-identity"):
            assert not may(chosen, f"iam:{action}", f"{IAM}:policy/xgen-aww-{policy}"), action


def test_it_reaches_no_document_and_deletes_no_bucket(chosen: Ground) -> None:
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert not may(chosen, action, "arn:aws:s3:::xgen-aww/report.pdf")
    assert not may(chosen, "s3:DeleteBucket", "arn:aws:s3:::xgen-aww")
    assert not may(chosen, "s3:PutBucketPolicy", "arn:aws:s3:::another")


def test_what_is_another_stacks_stays_out_of_reach(chosen: Ground) -> None:
    for action, kind in (
        ("DeleteVpc", "vpc"),
        ("CreateRoute", "route-table"),
        ("DeleteNatGateway", "natgateway"),
    ):
        assert may(chosen, f"ec2:{action}", f"{EC2}:{kind}/x-1", **OWN)
        assert not may(chosen, f"ec2:{action}", f"{EC2}:{kind}/x-1", **OTHER)
        assert not may(chosen, f"ec2:{action}", f"{EC2}:{kind}/x-1")
    assert may(chosen, "ec2:CreateRoute", f"{EC2}:route-table/rtb-0a1b2c3d4e5f60718")
    assert not may(chosen, "ec2:DeleteRouteTable", f"{EC2}:route-table/rtb-0a1b2c3d4e5f60718")
    assert not may(chosen, "ec2:CreateTags", f"{EC2}:vpc/vpc-1", **OTHER)
    assert not may(chosen, "eks:DeleteCluster", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/xgen-bravo")
    assert not may(chosen, "kms:ScheduleKeyDeletion", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", **OTHER)


def test_what_aws_asks_for_behind_a_call_is_there_too(chosen: Ground) -> None:
    """Calls that no emulator checks: roles passed on, tags given at birth, grants, the roles of services."""
    nodes = f"{IAM}:role/xgen-aww-nodes"
    assert may(chosen, "iam:PassRole", nodes, **{"iam:PassedToService": "eks.amazonaws.com"})
    assert not may(chosen, "iam:PassRole", nodes, **{"iam:PassedToService": "lambda.amazonaws.com"})
    assert may(chosen, "ec2:CreateTags", f"{EC2}:vpc/*", **{"ec2:CreateAction": "CreateVpc"})
    assert may(chosen, "ec2:CreateTags", f"{EC2}:instance/*", **{"ec2:CreateAction": "RunInstances"})
    assert may(chosen, "ec2:RunInstances", f"{EC2}:instance/*")
    assert may(chosen, "kms:CreateGrant", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", **OWN)
    linked = f"{IAM}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
    assert may(chosen, "iam:CreateServiceLinkedRole", linked, **{"iam:AWSServiceName": "eks.amazonaws.com"})
    for part in (
        "addon/xgen-aww/coredns/1",
        "access-entry/xgen-aww/role/1/x/1",
        "podidentityassociation/xgen-aww/a-1",
    ):
        assert may(chosen, "eks:TagResource", f"arn:aws:eks:{REGION}:{ACCOUNT}:{part}")
    for action in ("CreateAddon", "CreateAccessEntry", "CreatePodIdentityAssociation"):
        assert may(chosen, f"eks:{action}", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/xgen-aww")


def granted(chosen: Ground) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every document that a role of the site gets, by where it comes from."""
    managed = json.loads(aws_managed_policies_data)
    for one in chosen.resources:
        if one.type in {"aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy"}:
            yield one.type, json.loads(one.inputs["policy"])
    for arn in chosen.names("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn"):
        name = arn.rpartition("/")[2]
        yield name, managed[name]["Document"]


def test_it_may_look_for_what_a_cut_off_operation_made() -> None:
    chosen = ground(read_site(ROOT, "aww")[1])
    eks, key = f"arn:aws:eks:{REGION}:{ACCOUNT}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    cluster, group = f"{eks}:cluster/xgen-aww", f"{eks}:nodegroup/xgen-aww/nodes-1/2"
    assert may(chosen, "ec2:DescribeTags", "*")
    assert may(chosen, "ec2:DescribeSecurityGroupRules", "*")
    assert may(chosen, "eks:ListNodegroups", cluster)
    assert may(chosen, "eks:DescribeNodegroup", group)
    assert may(chosen, "eks:ListPodIdentityAssociations", cluster)
    assert may(chosen, "kms:ListKeys", "*")
    assert may(chosen, "kms:ListResourceTags", key, **OWN)
    assert not may(chosen, "kms:ListResourceTags", key, **OTHER)
    assert may(chosen, "iam:ListAccessKeys", f"{IAM}:user/xgen-aww-documents", **BOUND)


def test_the_boundary_takes_nothing_away_that_a_role_of_the_site_needs(chosen: Ground) -> None:
    bound, seen = deploy.boundary(chosen), 0
    for source, said in granted(chosen):
        for statement in said["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            resources = (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            )
            for action in actions:
                if action == "iam:CreateServiceLinkedRole":
                    resources = [f"{IAM}:role/aws-service-role/x/AWSServiceRoleForX"]
                for resource in resources:
                    assert verdict([bound], Ask(action, resource, "", HERE)) is Verdict.ALLOW, (
                        source,
                        action,
                    )
                    seen += 1
    assert seen > 100


def test_the_boundary_keeps_what_the_site_makes_from_iam_other_buckets_and_other_regions(
    chosen: Ground,
) -> None:
    bound = [deploy.boundary(chosen)]
    for action, resource in (
        ("iam:CreateUser", f"{IAM}:user/x"),
        ("iam:AttachRolePolicy", f"{IAM}:role/xgen-aww-nodes"),
        ("sts:AssumeRole", f"{IAM}:role/xgen-aww-deploy"),
        ("s3:GetObject", "arn:aws:s3:::another/x"),
        ("ec2:RunInstances", f"{EC2}:instance/*"),
        ("eks:DeleteCluster", f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/xgen-aww"),
    ):
        assert verdict(bound, Ask(action, resource, "", HERE)) is not Verdict.ALLOW, action
    elsewhere = {"aws:RequestedRegion": "us-east-1"}
    assert verdict(bound, Ask("ec2:DeleteVolume", "*", "", elsewhere)) is not Verdict.ALLOW


def test_a_type_of_which_nobody_said_what_it_needs_is_an_error(chosen: Ground) -> None:
    strange = Ground(chosen.site, chosen.place, [*chosen.resources, Registered("aws:sqs/queue:Queue", {})])
    with pytest.raises(UnknownTypeError, match="aws:sqs/queue:Queue"):
        deploy.documents(strange)
