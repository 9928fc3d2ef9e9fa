"""What AWS refuses, the stand-in refuses: by form at Check, by what is there at Create, by order at Delete."""

from __future__ import annotations

from typing import Any

import pytest

from xgen_infra.rehearsal.standins.aws.session import AwsError
from xgen_infra.rehearsal.standins.contract import UNKNOWN, PartialCreateError

from .aws_bench import ACCOUNT, REGION, TRUST_EKS, TRUST_PODS, Bench

VPC, SUBNET, GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
BUCKET, ROLE, USER = "aws:s3/bucket:Bucket", "aws:iam/role:Role", "aws:iam/user:User"
CLUSTER, NODES, ADDON = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
ENTRY, GRANT = "aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
TEMPLATE, LOGS, KEY = (
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:kms/key:Key",
)
ARN = f"arn:aws:iam::{ACCOUNT}:role/x"
OPEN: dict[str, Any] = {
    "securityGroupId": "sg-1",
    "ipProtocol": "tcp",
    "fromPort": 1,
    "toPort": 1,
    "cidrIpv4": "10.0.0.0/8",
}
GROUP_OF_NODES = {
    "clusterName": "c",
    "nodeRoleArn": ARN,
    "subnetIds": ["subnet-1"],
    "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2},
}
GRANTED = {
    "clusterName": "c",
    "principalArn": ARN,
    "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
    "accessScope": {"type": "cluster"},
}

BY_FORM: tuple[tuple[str, dict[str, Any], str], ...] = (
    (VPC, {"cidrBlock": "10.0.0.0/15"}, "cidrBlock"),
    (VPC, {"cidrBlock": "10.0.0.1/16"}, "cidrBlock"),
    (VPC, {"cidrBlock": "10.0.0.0/16", "colour": "red"}, "colour"),
    (SUBNET, {"cidrBlock": "10.0.0.0/24"}, "vpcId"),
    (SUBNET, {"vpcId": "vpc-1", "cidrBlock": "nonsense"}, "cidrBlock"),
    (GROUP, {"name": "sg-mine"}, "name"),
    (GROUP, {"ingress": [{"protocol": "tpc", "fromPort": 1, "toPort": 1}]}, "ingress[0].protocol"),
    (GROUP, {"ingress": [{"protocol": "tcp", "fromPort": 9, "toPort": 1}]}, "ingress[0].fromPort"),
    (RULE, {**OPEN, "toPort": 70000}, "toPort"),
    (RULE, {**OPEN, "cidrIpv4": "10.0.0.1/8"}, "cidrIpv4"),
    (RULE, {**OPEN, "referencedSecurityGroupId": "sg-2"}, "referencedSecurityGroupId"),
    ("aws:ec2/route:Route", {"routeTableId": "r", "gatewayId": "a", "natGatewayId": "b"}, "natGatewayId"),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcId": "vpc-1", "subnetIds": ["subnet-1"]}, "subnetIds"),
    (
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        {"vpcId": "vpc-1", "peerVpcId": "vpc-2", "peerRegion": "us-east-1", "autoAccept": True},
        "autoAccept",
    ),
    ("aws:ec2/flowLog:FlowLog", {"vpcId": "vpc-1", "trafficType": "SOME"}, "trafficType"),
    (TEMPLATE, {"metadataOptions": {"httpTokens": "maybe"}}, "metadataOptions.httpTokens"),
    (TEMPLATE, {"userData": "not base64"}, "userData"),
    (LOGS, {"retentionInDays": 31}, "retentionInDays"),
    (KEY, {"deletionWindowInDays": 5}, "deletionWindowInDays"),
    ("aws:kms/alias:Alias", {"name": "site", "targetKeyId": "k"}, "name"),
    (ROLE, {"assumeRolePolicy": "{"}, "assumeRolePolicy"),
    (ROLE, {"assumeRolePolicy": TRUST_EKS, "name": "a" * 65}, "name"),
    ("aws:iam/policy:Policy", {"policy": '{"Statement": [{"Effect": "Perhaps", "Action": "*"}]}'}, "policy"),
    (USER, {"name": "a b"}, "name"),
    ("aws:iam/accessKey:AccessKey", {"user": "u", "status": "active"}, "status"),
    (BUCKET, {"bucket": "Documents"}, "bucket"),
    (BUCKET, {"bucket": "ab"}, "bucket"),
    (BUCKET, {"bucket": "10.0.0.1"}, "bucket"),
    (BUCKET, {"bucket": "a..b"}, "bucket"),
    (BUCKET, {"bucket": "xn--documents"}, "bucket"),
    (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {"bucket": "b", "rules": [{"id": "one", "status": "enabled", "expiration": {"days": 1}}]},
        "rules[0].status",
    ),
    ("aws:ecr/repository:Repository", {"name": "Xgen/Core"}, "name"),
    (CLUSTER, {"roleArn": "role", "vpcConfig": {"subnetIds": ["s"]}}, "roleArn"),
    (CLUSTER, {"roleArn": ARN, "vpcConfig": {"subnetIds": ["s"]}, "version": "1.36.0"}, "version"),
    (CLUSTER, {"roleArn": ARN, "vpcConfig": {"endpointPublicAccess": False}}, "vpcConfig"),
    (CLUSTER, {"roleArn": ARN, "vpcConfig": {}, "name": "-x"}, "name"),
    (NODES, {**GROUP_OF_NODES, "scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 2}},
     "scalingConfig.desiredSize"),
    (NODES, {**GROUP_OF_NODES, "launchTemplate": {"id": "lt-1", "version": "1"}, "diskSize": 20}, "diskSize"),
    (NODES, {**GROUP_OF_NODES, "amiType": "AL9"}, "amiType"),
    (ADDON, {"clusterName": "c", "addonName": "vpc-cni", "addonVersion": "1.22"}, "addonVersion"),
    (ADDON, {"clusterName": "c", "addonName": "vpc-cni", "configurationValues": "[1]"}, "configurationValues"),
    (ENTRY, {"clusterName": "c", "principalArn": "platform"}, "principalArn"),
    (ENTRY, {"clusterName": "c", "principalArn": ARN, "kubernetesGroups": ["system:masters"]},
     "kubernetesGroups[0]"),
    (GRANT, {**GRANTED, "policyArn": "AmazonEKSViewPolicy"}, "policyArn"),
    (GRANT, {**GRANTED, "accessScope": {"type": "namespace"}}, "accessScope.namespaces"),
)  # fmt: skip


@pytest.mark.parametrize(("token", "inputs", "where"), BY_FORM)
def test_an_input_of_the_wrong_form_is_refused_where_it_stands(
    bench: Bench, token: str, inputs: dict[str, Any], where: str
) -> None:
    assert where in {failure.property for failure in bench.failures(token, **inputs)}


def test_an_unknown_input_is_not_refused(bench: Bench) -> None:
    assert bench.failures(VPC, cidrBlock=UNKNOWN) == []
    assert bench.failures(SUBNET, vpcId=UNKNOWN, cidrBlock="10.0.0.0/24") == []


def _code(bench: Bench, token: str, **inputs: Any) -> str:
    with pytest.raises(AwsError) as refused:
        bench.make(token, **inputs)
    return refused.value.code


def test_a_subnet_outside_its_vpc_or_over_a_sibling_is_refused(bench: Bench) -> None:
    vpc = bench.vpc(cidr="10.60.0.0/16")
    bench.make(SUBNET, vpcId=vpc.id, cidrBlock="10.60.0.0/24")
    assert _code(bench, SUBNET, vpcId=vpc.id, cidrBlock="10.61.0.0/24") == "InvalidSubnet.Range"
    assert _code(bench, SUBNET, vpcId=vpc.id, cidrBlock="10.60.0.128/25") == "InvalidSubnet.Conflict"


def test_a_zone_of_another_region_is_refused(bench: Bench) -> None:
    vpc = bench.vpc()
    cidr = str(vpc["cidrBlock"]).replace("/16", "/24")
    assert _code(bench, SUBNET, vpcId=vpc.id, cidrBlock=cidr, availabilityZone="us-east-1a").startswith(
        "Invalid"
    )


def test_a_reference_to_what_is_not_there_is_refused(bench: Bench) -> None:
    assert _code(bench, SUBNET, vpcId="vpc-0gone", cidrBlock="10.0.0.0/24") == "InvalidVpcID.NotFound"
    assert _code(bench, RULE, **OPEN) == "InvalidGroup.NotFound"
    assert _code(bench, "aws:ec2/natGateway:NatGateway", subnetId="subnet-1", allocationId="eipalloc-1") == (
        "InvalidAllocationID.NotFound"
    )
    assert (
        _code(bench, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role="no", policyArn=ARN)
        == "NoSuchEntity"
    )
    assert _code(bench, ADDON, clusterName="no", addonName="vpc-cni") == "ResourceNotFoundException"


def test_the_same_rule_route_or_association_twice_is_refused(bench: Bench) -> None:
    vpc = bench.vpc()
    group = bench.make(GROUP, vpcId=vpc.id).id
    bench.make(RULE, **{**OPEN, "securityGroupId": group})
    assert _code(bench, RULE, **{**OPEN, "securityGroupId": group}) == "InvalidPermission.Duplicate"
    table = bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id).id
    gateway = bench.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id).id
    route: dict[str, Any] = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway}
    bench.make("aws:ec2/route:Route", **route)
    assert _code(bench, "aws:ec2/route:Route", **route) == "RouteAlreadyExists"
    pair: dict[str, Any] = {"subnetId": bench.subnets(vpc, 1)[0], "routeTableId": table}
    bench.make("aws:ec2/routeTableAssociation:RouteTableAssociation", **pair)
    assert (
        _code(bench, "aws:ec2/routeTableAssociation:RouteTableAssociation", **pair)
        == "Resource.AlreadyAssociated"
    )


def test_a_bucket_that_exists_is_refused(bench: Bench) -> None:
    name = bench.bucket().id
    assert _code(bench, BUCKET, bucket=name) == "BucketAlreadyOwnedByYou"
    role = '[{"roleArn": "arn:aws:iam::333333333333:role/x"}]'
    with pytest.raises(AwsError) as refused:
        bench.make(BUCKET, config={"region": REGION, "assumeRoles": role}, bucket=name)
    assert refused.value.code == "BucketAlreadyExists"


def test_a_public_policy_is_refused_where_public_policies_are_blocked(bench: Bench) -> None:
    bucket = bench.bucket()
    bench.make(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket=bucket.id, blockPublicPolicy=True
    )
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", '
        f'"Resource": "{bucket["arn"]}/*"}}]}}'
    )
    assert _code(bench, "aws:s3/bucketPolicy:BucketPolicy", bucket=bucket.id, policy=policy) == "AccessDenied"


def test_a_third_access_key_is_refused(bench: Bench) -> None:
    user = bench.make(USER).id
    for _ in range(2):
        bench.make("aws:iam/accessKey:AccessKey", user=user)
    assert _code(bench, "aws:iam/accessKey:AccessKey", user=user) == "LimitExceeded"


def test_a_cluster_needs_two_zones_and_a_role(bench: Bench) -> None:
    one = bench.subnets(bench.vpc(), 1)
    role = bench.role()["arn"]
    assert _code(bench, CLUSTER, roleArn=role, vpcConfig={"subnetIds": one}) == "InvalidParameterException"
    two = {"subnetIds": bench.subnets(bench.vpc())}
    assert _code(bench, CLUSTER, roleArn=ARN, vpcConfig=two) == "InvalidParameterException"


def test_a_cluster_goes_up_one_minor_at_a_time_and_never_down(bench: Bench) -> None:
    cluster = bench.cluster(version="1.34")
    for wanted in ("1.36", "1.33"):
        with pytest.raises(AwsError, match="Unsupported Kubernetes minor version update"):
            cluster.update(version=wanted)
    assert cluster.update(version="1.35")["version"] == "1.35"


def test_envelope_encryption_can_be_switched_on_and_never_off(bench: Bench) -> None:
    cluster = bench.cluster()
    encryption = {"provider": {"keyArn": bench.make(KEY)["arn"]}, "resources": ["secrets"]}
    assert cluster.update(encryptionConfig=encryption)["encryptionConfig"] == encryption
    with pytest.raises(AwsError, match="cannot be switched off"):
        cluster.update(encryptionConfig=None)


def test_nodes_before_the_network_plugin_never_become_ready(bench: Bench) -> None:
    cluster = bench.cluster(bootstrapSelfManagedAddons=False)
    with pytest.raises(AwsError) as refused:
        bench.nodes(cluster)
    assert refused.value.code == "NodeCreationFailure"
    bench.make(ADDON, clusterName=cluster.id, addonName="vpc-cni")
    assert bench.nodes(cluster)["status"] == "ACTIVE"


def test_an_add_on_with_a_deployment_waits_in_vain_for_nodes_and_recovers_once_there_are_some(
    bench: Bench,
) -> None:
    cluster = bench.cluster()
    inputs: dict[str, Any] = {"clusterName": cluster.id, "addonName": "coredns"}
    with pytest.raises(PartialCreateError, match="DEGRADED") as partial:
        bench.make(ADDON, **inputs)
    made = partial.value.made
    kind, request = bench.types[ADDON], bench.request(ADDON, inputs)
    assert kind.update is not None
    with pytest.raises(AwsError, match="DEGRADED"):
        kind.update(request, made.id, made.outputs)
    bench.nodes(cluster)
    assert kind.update(request, made.id, made.outputs)["addonName"] == "coredns"


def test_access_entries_need_the_api_mode_and_are_given_once(bench: Bench) -> None:
    old = bench.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    assert _code(bench, ENTRY, clusterName=old.id, principalArn=ARN) == "InvalidRequestException"
    cluster = bench.cluster()
    assert _code(bench, GRANT, **{**GRANTED, "clusterName": cluster.id}) == "ResourceNotFoundException"
    bench.make(ENTRY, clusterName=cluster.id, principalArn=ARN)
    assert _code(bench, ENTRY, clusterName=cluster.id, principalArn=ARN) == "ResourceInUseException"
    nodes = bench.nodes(cluster)
    assert (
        _code(bench, ENTRY, clusterName=cluster.id, principalArn=nodes["nodeRoleArn"])
        == "ResourceInUseException"
    )


def test_a_pod_identity_needs_a_role_that_pods_may_assume_and_is_one_per_service_account(
    bench: Bench,
) -> None:
    inputs: dict[str, Any] = {
        "clusterName": bench.cluster().id,
        "namespace": "xgen",
        "serviceAccount": "core",
    }
    wrong = bench.role(TRUST_EKS)["arn"]
    assert _code(bench, IDENTITY, **inputs, roleArn=wrong) == "InvalidParameterException"
    right = bench.role(TRUST_PODS)["arn"]
    bench.make(IDENTITY, **inputs, roleArn=right)
    assert _code(bench, IDENTITY, **inputs, roleArn=right) == "ResourceInUseException"
