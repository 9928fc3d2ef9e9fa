"""Every resource type of the AWS stand-in against the emulator: create, read, update, drift, delete."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from xgen_infra.rehearsal.standins.aws import KINDS
from xgen_infra.rehearsal.standins.contract import Props

from .aws_bench import (
    ACCOUNT,
    MANAGEMENT,
    OTHER_ACCOUNT,
    OTHER_CONFIG,
    OTHER_REGION,
    REGION,
    TRUST_NODES,
    TRUST_PODS,
    Bench,
)

POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)
POLICY_2 = POLICY.replace("GetObject", "PutObject")
PULL = POLICY.replace("s3:GetObject", "ecr:BatchGetImage").replace('"Resource": "*"', '"Principal": "*"')


pytestmark = pytest.mark.filterwarnings("ignore:aws.s3:DeprecationWarning")
CONDITIONAL = {"privateDnsEnabled"}
"""Inputs that replace under a condition which the stand-in refuses anyway."""


@dataclass(frozen=True)
class Case:
    """How to make one type. `change` are inputs that update in place; `shows` has to be among the outputs."""

    token: str
    inputs: Callable[[Bench], Props]
    change: Callable[[Bench], Props] = field(default=lambda _bench: {})
    shows: tuple[str, ...] = ()
    config: Props | None = None
    stays: bool = False


def _in_vpc(**more: Any) -> Callable[[Bench], Props]:
    return lambda bench: {"vpcId": bench.vpc().id, **more}


def _group(bench: Bench) -> str:
    return bench.make("aws:ec2/securityGroup:SecurityGroup", vpcId=bench.vpc().id).id


def _nat(bench: Bench) -> Props:
    vpc = bench.vpc()
    bench.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    address = bench.make("aws:ec2/eip:Eip", domain="vpc")
    return {"subnetId": bench.subnets(vpc, 1)[0], "allocationId": address.id}


def _route(bench: Bench) -> Props:
    vpc = bench.vpc()
    gateway = bench.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    table = bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    return {"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}


def _association(bench: Bench) -> Props:
    vpc = bench.vpc()
    table = bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    return {"subnetId": bench.subnets(vpc, 1)[0], "routeTableId": table.id}


def _gateway_endpoint(bench: Bench) -> Props:
    vpc = bench.vpc()
    tables = [bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id).id for _ in range(2)]
    return {"vpcId": vpc.id, "serviceName": f"com.amazonaws.{REGION}.s3", "routeTableIds": tables}


def _peering(bench: Bench) -> Props:
    return {
        "vpcId": bench.vpc().id,
        "peerVpcId": MANAGEMENT.vpc_id,
        "peerOwnerId": OTHER_ACCOUNT,
        "peerRegion": OTHER_REGION,
    }


def _near_peering(bench: Bench) -> str:
    made = bench.make(
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        vpcId=bench.vpc().id,
        peerVpcId=bench.vpc().id,
        autoAccept=True,
    )
    return made.id


def _acceptance(bench: Bench) -> Props:
    made = bench.make("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", **_peering(bench))
    return {"vpcPeeringConnectionId": made.id, "autoAccept": True}


def _flow_log(bench: Bench) -> Props:
    group = bench.make("aws:cloudwatch/logGroup:LogGroup", name=bench.unused("/flow"))
    return {
        "vpcId": bench.vpc().id,
        "trafficType": "ALL",
        "logDestinationType": "cloud-watch-logs",
        "logDestination": group["arn"],
        "iamRoleArn": bench.role()["arn"],
    }


def _template(bench: Bench) -> Props:
    return {
        "name": bench.unused("nodes"),
        "updateDefaultVersion": True,
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 50, "volumeType": "gp3", "encrypted": "true"}}
        ],
        "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "node", "lower": "case"}}],
        "userData": "TUlNRS1WZXJzaW9uOiAxLjA=",
    }


def _user(bench: Bench) -> str:
    return bench.make("aws:iam/user:User").id


def _policy(bench: Bench) -> str:
    return bench.make("aws:iam/policy:Policy", policy=POLICY).id


def _repository(bench: Bench) -> str:
    return bench.make("aws:ecr/repository:Repository", name=bench.unused("xgen/core")).id


def _nodes(bench: Bench) -> Props:
    cluster = bench.cluster()
    return {
        "clusterName": cluster.id,
        "nodeRoleArn": bench.role(TRUST_NODES)["arn"],
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 3},
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
        "labels": {"pool": "one", "zone": "a"},
        "taints": [{"key": "only", "value": "xgen", "effect": "NO_SCHEDULE"}],
        "version": "1.35",
    }


def _entry(bench: Bench) -> Props:
    return {
        "clusterName": bench.cluster().id,
        "principalArn": f"arn:aws:iam::{ACCOUNT}:role/platform",
        "kubernetesGroups": ["xgen:runners"],
    }


def _grant(bench: Bench) -> Props:
    entry = bench.make("aws:eks/accessEntry:AccessEntry", **_entry(bench))
    return {
        "clusterName": entry["clusterName"],
        "principalArn": entry["principalArn"],
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        "accessScope": {"type": "cluster"},
    }


CASES = (
    Case(
        "aws:ec2/vpc:Vpc",
        lambda b: {"cidrBlock": "10.40.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "site"}},
        lambda b: {"enableDnsHostnames": False, "enableDnsSupport": True, "tags": {"Name": "other"}},
        ("arn", "mainRouteTableId", "defaultSecurityGroupId", "defaultNetworkAclId", "ownerId", "dhcpOptionsId"),
    ),
    Case(
        "aws:ec2/subnet:Subnet",
        lambda b: {"vpcId": b.vpc(cidr="10.41.0.0/16").id, "cidrBlock": "10.41.1.0/24",
                   "availabilityZone": f"{REGION}a"},
        lambda b: {"mapPublicIpOnLaunch": True, "tags": {"kubernetes.io/role/elb": "1"}},
        ("arn", "availabilityZoneId", "ownerId"),
    ),
    Case("aws:ec2/internetGateway:InternetGateway", _in_vpc(), lambda b: {"vpcId": b.vpc().id}, ("arn", "ownerId")),
    Case("aws:ec2/eip:Eip", lambda b: {"domain": "vpc"}, lambda b: {"tags": {"a": "b"}}, ("publicIp", "allocationId")),
    Case("aws:ec2/natGateway:NatGateway", _nat, lambda b: {"tags": {"a": "b"}}, ("publicIp", "privateIp")),
    Case("aws:ec2/routeTable:RouteTable", _in_vpc(), lambda b: {"tags": {"a": "b"}}, ("arn", "ownerId")),
    Case("aws:ec2/route:Route", _route, lambda b: {}, ("origin", "state")),
    Case(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", _association, lambda b: {}, ("routeTableId",),
    ),
    Case(
        "aws:ec2/securityGroup:SecurityGroup",
        _in_vpc(
            description="data services",
            ingress=[
                {"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": ["10.0.0.0/8"]},
                {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True},
            ],
            egress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
        ),
        lambda b: {"ingress": [{"protocol": "tcp", "fromPort": 1, "toPort": 2, "cidrBlocks": ["10.0.0.0/8"]}]},
        ("arn", "name", "ownerId"),
    ),
    Case("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", _in_vpc(), lambda b: {"tags": {"a": "b"}},
         ("arn", "description"), stays=True),
    Case(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        lambda b: {"type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443,
                   "securityGroupId": _group(b), "cidrBlocks": ["10.0.0.0/8"], "description": "one"},
        lambda b: {"description": "two"},
        ("securityGroupRuleId",),
    ),
    Case(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        lambda b: {"securityGroupId": _group(b), "ipProtocol": "tcp", "fromPort": 6379, "toPort": 6379,
                   "cidrIpv4": "10.40.0.0/16", "description": "Redis"},
        lambda b: {"cidrIpv4": "10.41.0.0/16", "tags": {"a": "b"}},
        ("arn", "securityGroupRuleId"),
    ),
    Case(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        lambda b: {"securityGroupId": _group(b), "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"},
        lambda b: {"tags": {"a": "b"}},
        ("arn", "securityGroupRuleId"),
    ),
    Case("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", _peering, lambda b: {"tags": {"a": "b"}},
         ("acceptStatus",)),
    Case("aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", _acceptance,
         lambda b: {"accepter": {"allowRemoteVpcDnsResolution": True}}, ("peerOwnerId", "peerRegion"),
         OTHER_CONFIG, stays=True),
    Case("aws:ec2/peeringConnectionOptions:PeeringConnectionOptions",
         lambda b: {"vpcPeeringConnectionId": _near_peering(b), "requester": {"allowRemoteVpcDnsResolution": True}},
         lambda b: {"requester": {"allowRemoteVpcDnsResolution": False}}, stays=True),
    Case("aws:ec2/vpcEndpoint:VpcEndpoint", _gateway_endpoint, lambda b: {"tags": {"a": "b"}},
         ("arn", "prefixListId", "state", "policy")),
    Case("aws:ec2/flowLog:FlowLog", _flow_log, lambda b: {"tags": {"a": "b"}}, ("arn",)),
    Case("aws:ec2/launchTemplate:LaunchTemplate", _template,
         lambda b: {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2}},
         ("arn", "latestVersion", "defaultVersion")),
    Case("aws:cloudwatch/logGroup:LogGroup",
         lambda b: {"name": b.unused("/aws/eks"), "retentionInDays": 30},
         lambda b: {"retentionInDays": 90, "tags": {"a": "b"}}, ("arn",)),
    Case("aws:kms/key:Key", lambda b: {"description": "one", "enableKeyRotation": True, "tags": {"a": "b"}},
         lambda b: {"description": "two", "enableKeyRotation": False, "tags": {"a": "c"}},
         ("arn", "keyId", "policy")),
    Case("aws:kms/alias:Alias",
         lambda b: {"name": f"alias/{b.unused('site')}", "targetKeyId": b.make("aws:kms/key:Key")["keyId"]},
         lambda b: {"targetKeyId": b.make("aws:kms/key:Key")["arn"]}, ("arn", "targetKeyArn")),
    Case("aws:iam/role:Role",
         lambda b: {"assumeRolePolicy": TRUST_NODES, "description": "nodes", "tags": {"a": "b"}},
         lambda b: {"assumeRolePolicy": TRUST_PODS, "description": "pods", "tags": {"a": "c"}},
         ("arn", "name", "uniqueId", "createDate")),
    Case("aws:iam/instanceProfile:InstanceProfile", lambda b: {"role": b.role().id},
         lambda b: {"role": b.role().id}, ("arn", "name", "uniqueId")),
    Case("aws:iam/openIdConnectProvider:OpenIdConnectProvider",
         lambda b: {"url": f"https://{b.unused('gitlab')}.example", "clientIdLists": ["sts.amazonaws.com"],
                    "thumbprintLists": ["0" * 40]},
         lambda b: {"thumbprintLists": ["1" * 40]}, ("arn",)),
    Case("aws:iam/policy:Policy", lambda b: {"policy": POLICY, "name": b.unused("read")},
         lambda b: {"policy": POLICY_2}, ("arn", "policyId", "attachmentCount")),
    Case("aws:iam/rolePolicy:RolePolicy", lambda b: {"role": b.role().id, "policy": POLICY},
         lambda b: {"policy": POLICY_2}, ("name",)),
    Case("aws:iam/rolePolicyAttachment:RolePolicyAttachment",
         lambda b: {"role": b.role().id, "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
    Case("aws:iam/user:User", lambda b: {"name": b.unused("documents"), "permissionsBoundary": _policy(b)},
         lambda b: {"permissionsBoundary": None, "tags": {"a": "b"}}, ("arn", "uniqueId")),
    Case("aws:iam/userPolicy:UserPolicy", lambda b: {"user": _user(b), "policy": POLICY},
         lambda b: {"policy": POLICY_2}, ("name",)),
    Case("aws:iam/userPolicyAttachment:UserPolicyAttachment",
         lambda b: {"user": _user(b), "policyArn": _policy(b)}),
    Case("aws:iam/accessKey:AccessKey", lambda b: {"user": _user(b)}, lambda b: {"status": "Inactive"},
         ("secret", "sesSmtpPasswordV4", "createDate", "status")),
    Case("aws:s3/bucket:Bucket", lambda b: {"bucket": b.unused("documents")},
         lambda b: {"forceDestroy": True, "tags": {"a": "b"}},
         ("arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "bucketRegion")),
    Case("aws:s3/bucketPolicy:BucketPolicy", lambda b: {"bucket": b.bucket().id, "policy": PULL},
         lambda b: {"policy": PULL.replace("Allow", "Deny")}),
    Case("aws:s3/bucketVersioning:BucketVersioning",
         lambda b: {"bucket": b.bucket().id, "versioningConfiguration": {"status": "Enabled"}},
         lambda b: {"versioningConfiguration": {"status": "Suspended"}}, stays=True),
    Case("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
         lambda b: {"bucket": b.bucket().id,
                    "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
         lambda b: {"rules": [{"applyServerSideEncryptionByDefault":
                               {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/aws/s3"},
                               "bucketKeyEnabled": True}]}),
    Case("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
         lambda b: {"bucket": b.bucket().id, "blockPublicAcls": True, "blockPublicPolicy": True},
         lambda b: {"ignorePublicAcls": True, "restrictPublicBuckets": True}),
    Case("aws:s3/bucketOwnershipControls:BucketOwnershipControls",
         lambda b: {"bucket": b.bucket().id, "rule": {"objectOwnership": "BucketOwnerEnforced"}},
         lambda b: {"rule": {"objectOwnership": "ObjectWriter"}}),
    Case("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
         lambda b: {"bucket": b.bucket().id, "rules": [
             {"id": "noncurrent", "status": "Enabled", "filter": {"prefix": ""},
              "noncurrentVersionExpiration": {"noncurrentDays": 30},
              "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}]},
         lambda b: {"rules": [{"id": "tagged", "status": "Enabled", "expiration": {"days": 3},
                               "filter": {"and": {"prefix": "tmp/", "tags": {"keep": "no", "a": "b"}}}}]}),
    Case("aws:s3/bucketLogging:BucketLogging",
         lambda b: {"bucket": b.bucket().id, "targetBucket": _log_bucket(b), "targetPrefix": "one/"},
         lambda b: {"targetPrefix": "two/"}),
    Case("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
         lambda b: {"bucket": b.bucket().id, "corsRules": [
             {"allowedMethods": ["GET"], "allowedOrigins": ["https://xgen.example"], "maxAgeSeconds": 300}]},
         lambda b: {"corsRules": [{"allowedMethods": ["PUT"], "allowedOrigins": ["*"]}]}),
    Case("aws:ecr/repository:Repository",
         lambda b: {"name": b.unused("xgen/core"), "imageScanningConfiguration": {"scanOnPush": True}},
         lambda b: {"imageTagMutability": "IMMUTABLE", "tags": {"a": "b"}},
         ("arn", "registryId", "repositoryUrl")),
    Case("aws:ecr/lifecyclePolicy:LifecyclePolicy",
         lambda b: {"repository": _repository(b), "policy":
                    '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": '
                    '"imageCountMoreThan", "countNumber": 100}, "action": {"type": "expire"}}]}'},
         shows=("registryId",)),
    Case("aws:ecr/repositoryPolicy:RepositoryPolicy", lambda b: {"repository": _repository(b), "policy": PULL},
         lambda b: {"policy": PULL.replace("Batch", "Describe").replace("GetImage", "Images")}, ("registryId",)),
    Case("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
         lambda b: {"scanType": "BASIC", "rules": [
             {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]},
         lambda b: {"rules": []}, ("registryId",), stays=True),
    Case("aws:eks/cluster:Cluster",
         lambda b: {"name": b.unused("xgen"), "roleArn": b.role()["arn"], "version": "1.35",
                    "vpcConfig": {"subnetIds": b.subnets(b.vpc()), "endpointPrivateAccess": True,
                                  "publicAccessCidrs": ["203.0.113.0/24"]},
                    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
                    "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
                    "enabledClusterLogTypes": ["scheduler", "api"],
                    "encryptionConfig": {"provider": {"keyArn": b.make("aws:kms/key:Key")["arn"]},
                                         "resources": ["secrets"]}},
         lambda b: {"version": "1.36", "tags": {"a": "b"}, "deletionProtection": False},
         ("arn", "endpoint", "certificateAuthority", "identities", "platformVersion", "status", "createdAt")),
    Case("aws:eks/nodeGroup:NodeGroup", _nodes,
         lambda b: {"scalingConfig": {"minSize": 0, "desiredSize": 2, "maxSize": 4}, "labels": {"pool": "two"},
                    "taints": [], "version": "1.36", "tags": {"a": "b"}},
         ("arn", "nodeGroupName", "resources", "status")),
    Case("aws:eks/addon:Addon",
         lambda b: {"clusterName": b.cluster().id, "addonName": "vpc-cni", "addonVersion": "v1.22.4-eksbuild.3",
                    "configurationValues": '{"enableNetworkPolicy": "true"}',
                    "podIdentityAssociations": [{"roleArn": b.role(TRUST_PODS)["arn"], "serviceAccount": "aws-node"}]},
         lambda b: {"addonVersion": "v1.23.0-eksbuild.1", "configurationValues": None, "tags": {"a": "b"}},
         ("arn", "createdAt", "modifiedAt")),
    Case("aws:eks/accessEntry:AccessEntry", _entry,
         lambda b: {"kubernetesGroups": ["other"], "tags": {"a": "b"}}, ("accessEntryArn", "userName", "type")),
    Case("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", _grant, shows=("associatedAt", "modifiedAt")),
    Case("aws:eks/podIdentityAssociation:PodIdentityAssociation",
         lambda b: {"clusterName": b.cluster().id, "namespace": "kube-system", "serviceAccount": "autoscaler",
                    "roleArn": b.role(TRUST_PODS)["arn"]},
         lambda b: {"roleArn": b.role(TRUST_PODS)["arn"], "tags": {"a": "b"}},
         ("associationArn", "associationId")),
)  # fmt: skip


def _log_bucket(bench: Bench) -> str:
    bucket = bench.bucket()
    allowed = PULL.replace("ecr:BatchGetImage", "s3:PutObject").replace(
        '"*"', '{"Service": "logging.s3.amazonaws.com"}'
    )
    allowed = allowed.replace('"Action"', f'"Resource": "{bucket["arn"]}/*", "Action"')
    bench.make("aws:s3/bucketPolicy:BucketPolicy", bucket=bucket.id, policy=allowed)
    return bucket.id


@pytest.fixture(params=CASES, ids=lambda case: case.token.rpartition(":")[2])
def case(request: pytest.FixtureRequest) -> Case:
    chosen = request.param
    assert isinstance(chosen, Case)
    return chosen


def test_every_type_that_the_stand_in_offers_has_a_contract() -> None:
    assert {case.token for case in CASES} == {kind.type_name for kind in KINDS}


def test_a_resource_is_there_after_create_unchanged_by_a_refresh_and_gone_after_delete(
    bench: Bench, case: Case
) -> None:
    inputs = case.inputs(bench)
    made = bench.make(case.token, config=case.config, **inputs)
    assert made.outputs["id"] == made.id
    for name in (*inputs, *case.shows):
        assert made.outputs.get(name) not in (None, ""), name
    assert made.refreshed_inputs() == inputs
    change = case.change(bench)
    if change:
        after = made.update(**change)
        for name, value in change.items():
            shown = after.get(name)
            assert shown == value or (not value and not shown), name
        assert made.refreshed_inputs() == made.request.inputs
    made.delete()
    assert (made.read() is not None) is case.stays
    made.delete()


def _sdk(token: str) -> tuple[type, type]:
    """The resource's class and the class of its arguments in pulumi_aws."""
    module, _, name = token.removeprefix("aws:").partition(":")
    package = importlib.import_module(f"pulumi_aws.{module.partition('/')[0]}")
    resource = getattr(package, name)
    own = importlib.import_module(resource.__module__)
    return resource, getattr(own, f"{name}InitArgs", None) or getattr(own, f"{name}Args")


def _names(of: type) -> set[str]:
    getters = {name: value.fget for name, value in vars(of).items() if isinstance(value, property)}
    return {getattr(getter, "_pulumi_name", None) or name for name, getter in getters.items()}


def test_outputs_have_the_names_of_the_real_provider(bench: Bench, case: Case) -> None:
    made = bench.make(case.token, config=case.config, **case.inputs(bench))
    resource, _ = _sdk(case.token)
    assert set(made.outputs) - {"id"} <= _names(resource)


def test_inputs_are_those_of_the_real_provider_and_as_required(case: Case) -> None:
    kind = next(kind for kind in KINDS if kind.type_name == case.token)
    _, arguments = _sdk(case.token)
    names = {
        name: getattr(value.fget, "_pulumi_name", None) or name
        for name, value in vars(arguments).items()
        if isinstance(value, property)
    }
    needed = {
        names[one.name]
        for one in inspect.signature(arguments).parameters.values()
        if one.default is inspect.Parameter.empty
    }
    assert kind.required | kind.optional <= set(names.values())
    assert kind.required == needed
    assert ("tags" in names.values()) is kind.taggable


def test_what_replaces_is_an_input_and_what_the_provider_says_replaces_does(case: Case) -> None:
    kind = next(kind for kind in KINDS if kind.type_name == case.token)
    _, arguments = _sdk(case.token)
    taken = kind.required | kind.optional
    assert {path.partition(".")[0] for path in kind.replace_on} <= taken
    for value in vars(arguments).values():
        said = (getattr(value, "__doc__", None) or "").lower()
        name = getattr(getattr(value, "fget", None), "_pulumi_name", None)
        if name in taken - CONDITIONAL and "forces a new resource" in said:
            assert name in kind.replace_on, name
