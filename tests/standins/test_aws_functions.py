"""The provider's functions against the emulator."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from xgen_infra.rehearsal.standins.aws.functions import FUNCTIONS
from xgen_infra.rehearsal.standins.aws.session import AwsError

from .aws_bench import ACCOUNT, REGION, Bench


def test_the_caller_its_partition_and_its_region(bench: Bench) -> None:
    assert bench.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == ACCOUNT
    assert bench.invoke("aws:index/getPartition:getPartition")["dnsSuffix"] == "amazonaws.com"
    assert bench.invoke("aws:index/getRegion:getRegion")["region"] == REGION
    assert bench.invoke("aws:index/getDefaultTags:getDefaultTags")["tags"] == {}
    with pytest.raises(AwsError):
        bench.invoke("aws:index/getRegion:getRegion", region="nowhere-1")


def test_zones_come_in_the_order_of_their_names_and_as_filtered(bench: Bench) -> None:
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    zones = bench.invoke(
        token, state="available", filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    )
    assert zones["names"] == sorted(zones["names"])
    assert len(zones["names"]) == len(zones["zoneIds"]) >= 3
    without = bench.invoke(token, excludeNames=[zones["names"][0]])
    assert without["names"] == zones["names"][1:]


def test_statements_become_a_policy_document(bench: Bench) -> None:
    source = json.dumps({"Statement": [{"Sid": "one", "Effect": "Deny", "Action": "*", "Resource": "*"}]})
    made = bench.invoke(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        sourcePolicyDocuments=[source],
        statements=[
            {
                "sid": "one",
                "actions": ["s3:GetObject"],
                "resources": ["arn:aws:s3:::a/*"],
                "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
                "conditions": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
            },
            {
                "effect": "Deny",
                "notActions": ["s3:*", "ec2:*"],
                "principals": [{"type": "*", "identifiers": ["*"]}],
            },
        ],
    )
    document = json.loads(made["json"])
    assert document == json.loads(made["minifiedJson"])
    assert document["Version"] == "2012-10-17"
    assert document["Statement"] == [
        {
            "Sid": "one",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::a/*",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        },
        {"Effect": "Deny", "NotAction": ["s3:*", "ec2:*"], "Principal": "*"},
    ]


def test_networks_are_found_by_id_tag_and_filter(bench: Bench) -> None:
    vpc = bench.make("aws:ec2/vpc:Vpc", cidrBlock="10.90.0.0/16", tags={"Name": "to-be-found"})
    subnets = bench.subnets(vpc)
    by_tag = bench.invoke("aws:ec2/getVpc:getVpc", tags={"Name": "to-be-found"})
    assert (by_tag["id"], by_tag["cidrBlock"]) == (vpc.id, "10.90.0.0/16")
    assert by_tag["mainRouteTableId"] == vpc["mainRouteTableId"]
    in_vpc = [{"name": "vpc-id", "values": [vpc.id]}]
    assert set(bench.invoke("aws:ec2/getSubnets:getSubnets", filters=in_vpc)["ids"]) == set(subnets)
    assert bench.invoke("aws:ec2/getSubnet:getSubnet", id=subnets[0])["vpcId"] == vpc.id
    table = bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    bench.make(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", subnetId=subnets[0], routeTableId=table.id
    )
    found = bench.invoke("aws:ec2/getRouteTable:getRouteTable", subnetId=subnets[0])
    assert found["routeTableId"] == table.id
    tables = bench.invoke("aws:ec2/getRouteTables:getRouteTables", vpcId=vpc.id)["ids"]
    assert set(tables) == {table.id, vpc["mainRouteTableId"]}
    group = bench.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", vpcId=vpc.id, name="default")
    assert group["id"] == vpc["defaultSecurityGroupId"]
    assert bench.invoke("aws:ec2/getVpc:getVpc", default=True)["default"] is True


def test_none_and_several_are_refused_where_one_is_asked_for(bench: Bench) -> None:
    with pytest.raises(AwsError, match="no matching EC2 VPC"):
        bench.invoke("aws:ec2/getVpc:getVpc", tags={"Name": "nobody"})
    bench.vpc()
    with pytest.raises(AwsError, match="matching EC2 VPC found"):
        bench.invoke("aws:ec2/getVpc:getVpc", state="available")


def test_objects_are_found_by_name(bench: Bench) -> None:
    key = bench.make("aws:kms/key:Key")
    alias = bench.make("aws:kms/alias:Alias", name="alias/found", targetKeyId=key["keyId"])
    role, bucket = bench.role(), bench.bucket()
    repository = bench.make("aws:ecr/repository:Repository", name="found/core")
    assert bench.invoke("aws:kms/getAlias:getAlias", name=alias.id)["targetKeyArn"] == key["arn"]
    assert bench.invoke("aws:iam/getRole:getRole", name=role.id)["arn"] == role["arn"]
    assert bench.invoke("aws:s3/getBucket:getBucket", bucket=bucket.id)["arn"] == bucket["arn"]
    found = bench.invoke("aws:ecr/getRepository:getRepository", name="found/core")
    assert found["repositoryUrl"] == repository["repositoryUrl"]
    with pytest.raises(AwsError, match="no Role is called nobody"):
        bench.invoke("aws:iam/getRole:getRole", name="nobody")


def test_a_cluster_its_token_and_its_add_ons_versions(bench: Bench) -> None:
    cluster = bench.cluster()
    found = bench.invoke("aws:eks/getCluster:getCluster", name=cluster.id)
    assert found["endpoint"] == cluster["endpoint"]
    assert cluster.id in bench.invoke("aws:eks/getClusters:getClusters")["names"]
    assert found["certificateAuthorities"] == [cluster["certificateAuthority"]]
    assert bench.invoke("aws:eks/getClusterAuth:getClusterAuth", name=cluster.id)["token"].startswith(
        "k8s-aws-v1."
    )
    version = bench.invoke(
        "aws:eks/getAddonVersion:getAddonVersion", addonName="kube-proxy", kubernetesVersion="1.35"
    )["version"]
    made = bench.make(
        "aws:eks/addon:Addon", clusterName=cluster.id, addonName="kube-proxy", addonVersion=version
    )
    assert made["addonVersion"] == version
    with pytest.raises(AwsError, match="not supported"):
        bench.invoke("aws:eks/getAddonVersion:getAddonVersion", addonName="x", kubernetesVersion="1.35")


def test_parameters_and_the_images_of_nodes(bench: Bench) -> None:
    bench.boto("ssm").put_parameter(Name="/xgen/one", Value="1", Type="String")
    token = "aws:ssm/getParameter:getParameter"
    assert bench.invoke(token, name="/xgen/one")["value"] == "1"
    image = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/recommended/image_id"
    assert bench.invoke(token, name=image)["value"].startswith("ami-")
    with pytest.raises(AwsError, match="no parameter is called"):
        bench.invoke(token, name="/nobody")


def answered() -> set[str]:
    """The tokens with which this file calls `bench.invoke` and has an answer: refusals do not count."""
    found = set()
    for test in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        refused = [
            call
            for block in ast.walk(test)
            if isinstance(block, ast.With) and "pytest.raises" in ast.unparse(block.items[0])
            for call in ast.walk(block)
        ]
        given = {
            ast.unparse(one.targets[0]): one.value for one in ast.walk(test) if isinstance(one, ast.Assign)
        }
        for call in ast.walk(test):
            if (
                isinstance(call, ast.Call)
                and ast.unparse(call.func) == "bench.invoke"
                and call not in refused
            ):
                token = given.get(ast.unparse(call.args[0]), call.args[0])
                found.add(ast.literal_eval(token))
    return found


def test_every_function_is_asked_and_answers_in_this_file() -> None:
    assert answered() == set(FUNCTIONS)
