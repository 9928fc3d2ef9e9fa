"""How each resource type of the AWS stand-in is made in tests, changed in place, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

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
