"""Which IAM actions each resource type of the program needs, over its whole life. Imports no Pulumi.

Sources: Service Authorization Reference, "Actions, resources, and condition keys" of each service; of reads that
follow a write, the resource's page in the documentation of the AWS provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from xgen_infra import naming
from xgen_infra.aws.policies import Place
from xgen_infra.site import EksCluster, Site


def _of(service: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names)


_EC2_TAGS = _of("ec2", "CreateTags", "DeleteTags")
_GROUP_RULES = _of("ec2", "DescribeSecurityGroupRules", "ModifySecurityGroupRules")
_INGRESS = _of("ec2", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress")
_EGRESS = _of("ec2", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress")
_IAM_TAGS = _of("iam", "TagRole", "UntagRole")
_EKS_TAGS = _of("eks", "TagResource", "UntagResource")
_BUCKET_READS = _of(
    "s3",
    "GetAccelerateConfiguration",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketObjectLockConfiguration",
    "GetBucketPolicy",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetLifecycleConfiguration",
    "GetReplicationConfiguration",
    "ListBucket",
)

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "aws:cloudwatch/logGroup:LogGroup": _of(
        "logs",
        "AssociateKmsKey",
        "CreateLogGroup",
        "DeleteLogGroup",
        "DescribeLogGroups",
        "DisassociateKmsKey",
        "ListTagsForResource",
        "PutRetentionPolicy",
        "TagResource",
        "UntagResource",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "ec2:DescribeSecurityGroups",
        *_GROUP_RULES,
        *_INGRESS,
        *_EGRESS,
        *_EC2_TAGS,
    ),
    "aws:ec2/eip:Eip": (
        *_of("ec2", "AllocateAddress", "DescribeAddresses", "DescribeAddressesAttribute", "ReleaseAddress"),
        *_EC2_TAGS,
    ),
    "aws:ec2/flowLog:FlowLog": (
        *_of("ec2", "CreateFlowLogs", "DeleteFlowLogs", "DescribeFlowLogs"),
        *_of("logs", "CreateLogDelivery", "DeleteLogDelivery"),
        "iam:PassRole",
        *_EC2_TAGS,
    ),
    "aws:ec2/internetGateway:InternetGateway": (
        *_of(
            "ec2",
            "AttachInternetGateway",
            "CreateInternetGateway",
            "DeleteInternetGateway",
            "DescribeInternetGateways",
            "DetachInternetGateway",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        *_of(
            "ec2",
            "CreateLaunchTemplate",
            "CreateLaunchTemplateVersion",
            "DeleteLaunchTemplate",
            "DescribeLaunchTemplateVersions",
            "DescribeLaunchTemplates",
            "ModifyLaunchTemplate",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/natGateway:NatGateway": (
        *_of("ec2", "CreateNatGateway", "DeleteNatGateway", "DescribeNatGateways"),
        *_EC2_TAGS,
    ),
    "aws:ec2/route:Route": _of("ec2", "CreateRoute", "DeleteRoute", "DescribeRouteTables", "ReplaceRoute"),
    "aws:ec2/routeTable:RouteTable": (
        *_of(
            "ec2", "CreateRoute", "CreateRouteTable", "DeleteRoute", "DeleteRouteTable", "DescribeRouteTables"
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _of(
        "ec2",
        "AssociateRouteTable",
        "DescribeRouteTables",
        "DisassociateRouteTable",
        "ReplaceRouteTableAssociation",
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        *_of(
            "ec2",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
        ),
        *_GROUP_RULES,
        *_INGRESS,
        *_EGRESS,
        *_EC2_TAGS,
    ),
    "aws:ec2/securityGroupRule:SecurityGroupRule": (
        "ec2:DescribeSecurityGroups",
        *_GROUP_RULES,
        *_INGRESS,
        *_EGRESS,
    ),
    "aws:ec2/subnet:Subnet": (
        *_of("ec2", "CreateSubnet", "DeleteSubnet", "DescribeSubnets", "ModifySubnetAttribute"),
        "ec2:DescribeNetworkInterfaces",
        *_EC2_TAGS,
    ),
    "aws:ec2/vpc:Vpc": (
        *_of("ec2", "CreateVpc", "DeleteVpc", "DescribeVpcAttribute", "DescribeVpcs", "ModifyVpcAttribute"),
        *_of("ec2", "DescribeNetworkAcls", "DescribeRouteTables", "DescribeSecurityGroups"),
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        *_of("ec2", "CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribePrefixLists", "DescribeVpcEndpoints"),
        "ec2:ModifyVpcEndpoint",
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": (
        *_of(
            "ec2",
            "AcceptVpcPeeringConnection",
            "CreateVpcPeeringConnection",
            "DeleteVpcPeeringConnection",
            "DescribeVpcPeeringConnections",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": (
        *_of("ec2", "AcceptVpcPeeringConnection", "DescribeVpcPeeringConnections"),
        *_EC2_TAGS,
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _of(
        "ecr", "DeleteLifecyclePolicy", "GetLifecyclePolicy", "PutLifecyclePolicy"
    ),
    "aws:ecr/repository:Repository": _of(
        "ecr",
        "CreateRepository",
        "DeleteRepository",
        "DescribeRepositories",
        "ListTagsForResource",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "TagResource",
        "UntagResource",
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _of(
        "ecr", "DeleteRepositoryPolicy", "GetRepositoryPolicy", "SetRepositoryPolicy"
    ),
    "aws:eks/accessEntry:AccessEntry": (
        *_of("eks", "CreateAccessEntry", "DeleteAccessEntry", "DescribeAccessEntry", "UpdateAccessEntry"),
        *_EKS_TAGS,
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _of(
        "eks", "AssociateAccessPolicy", "DisassociateAccessPolicy", "ListAssociatedAccessPolicies"
    ),
    "aws:eks/addon:Addon": (
        *_of("eks", "CreateAddon", "DeleteAddon", "DescribeAddon", "DescribeAddonVersions", "UpdateAddon"),
        "eks:DescribeUpdate",
        *_EKS_TAGS,
    ),
    "aws:eks/cluster:Cluster": (
        *_of("eks", "CreateCluster", "DeleteCluster", "DescribeCluster", "DescribeUpdate"),
        *_of("eks", "UpdateClusterConfig", "UpdateClusterVersion"),
        *_EKS_TAGS,
        *_of("kms", "CreateGrant", "DescribeKey"),
        *_of("iam", "CreateServiceLinkedRole", "PassRole"),
    ),
    "aws:eks/nodeGroup:NodeGroup": (
        *_of("eks", "CreateNodegroup", "DeleteNodegroup", "DescribeNodegroup", "DescribeUpdate"),
        *_of("eks", "UpdateNodegroupConfig", "UpdateNodegroupVersion"),
        *_EKS_TAGS,
        *_of("ec2", "DescribeSubnets", "RunInstances"),
        *_of("iam", "CreateServiceLinkedRole", "PassRole"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        *_of("eks", "CreatePodIdentityAssociation", "DeletePodIdentityAssociation"),
        *_of("eks", "DescribePodIdentityAssociation", "UpdatePodIdentityAssociation"),
        *_EKS_TAGS,
        *_of("iam", "GetRole", "PassRole"),
    ),
    "aws:iam/accessKey:AccessKey": _of(
        "iam",
        "CreateAccessKey",
        "DeleteAccessKey",
        "GetAccessKeyLastUsed",
        "ListAccessKeys",
        "UpdateAccessKey",
    ),
    "aws:iam/role:Role": (
        *_of("iam", "CreateRole", "DeleteRole", "GetRole", "UpdateAssumeRolePolicy", "UpdateRole"),
        *_of("iam", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies"),
        *_IAM_TAGS,
    ),
    "aws:iam/rolePolicy:RolePolicy": _of("iam", "DeleteRolePolicy", "GetRolePolicy", "PutRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _of(
        "iam", "AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies"
    ),
    "aws:iam/user:User": _of(
        "iam",
        "CreateUser",
        "DeleteUser",
        "GetUser",
        "ListGroupsForUser",
        "TagUser",
        "UntagUser",
    ),
    "aws:iam/userPolicy:UserPolicy": _of("iam", "DeleteUserPolicy", "GetUserPolicy", "PutUserPolicy"),
    "aws:kms/alias:Alias": _of("kms", "CreateAlias", "DeleteAlias", "ListAliases", "UpdateAlias"),
    "aws:kms/key:Key": _of(
        "kms",
        "CreateKey",
        "DescribeKey",
        "EnableKeyRotation",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
        "PutKeyPolicy",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
    ),
    "aws:s3/bucket:Bucket": (*_of("s3", "CreateBucket", "DeleteBucket", "PutBucketTagging"), *_BUCKET_READS),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of(
        "s3", "GetLifecycleConfiguration", "PutLifecycleConfiguration"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of(
        "s3", "GetBucketOwnershipControls", "PutBucketOwnershipControls"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _of("s3", "DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of(
        "s3", "GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of(
        "s3", "GetEncryptionConfiguration", "PutEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of("s3", "GetBucketVersioning", "PutBucketVersioning"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        *_of("ec2", "DescribeSecurityGroups"),
        *_GROUP_RULES,
        *_INGRESS,
        *_EC2_TAGS,
    ),
}
"""By type token: the actions to make, read, change, tag and delete one."""

CHILDREN: Mapping[str, tuple[str, ...]] = {
    "eks:index:Cluster": (
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "aws:eks/accessEntry:AccessEntry",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:eks/addon:Addon",
        "aws:eks/cluster:Cluster",
        "aws:iam/role:Role",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    ),
    "eks:index:ManagedNodeGroup": ("aws:eks/nodeGroup:NodeGroup",),
}
"""By component of pulumi-eks: the AWS types that it registers itself."""

LOOKUPS: tuple[str, ...] = (
    *_of("ec2", "DescribeAvailabilityZones"),
    *_of("eks", "DescribeAddonVersions", "DescribeCluster", "ListClusters"),
    "sts:GetCallerIdentity",
)
"""What the program asks AWS without making anything."""


class UnknownTypeError(KeyError):
    """A resource type of AWS for which no actions are listed."""


@dataclass(frozen=True)
class Need:
    """Actions that are wanted on one resource, an ARN that may hold `*`."""

    resource: str
    actions: tuple[str, ...]


def actions_of(tokens: Iterable[str]) -> frozenset[str]:
    """Return the actions that resources of these types need; types of other providers need none.

    Raises UnknownTypeError for an AWS type, or a component of pulumi-eks, that is not listed.
    """
    found = set(LOOKUPS)
    for token in set(tokens):
        if token.startswith(("aws:", "eks:")):
            found.update(*map(_listed, CHILDREN.get(token, (token,))))
    return frozenset(found)


def _listed(token: str) -> tuple[str, ...]:
    if token not in ACTIONS:
        raise UnknownTypeError(token)
    return ACTIONS[token]


def needs(site: Site, eks: EksCluster, tokens: Iterable[str]) -> tuple[Need, ...]:
    """Return what a site's principal needs for resources of these types: actions by one of the site's own resources.

    Raises UnknownTypeError as `actions_of` does.
    """
    by_resource: dict[str, set[str]] = {}
    for action in actions_of(tokens):
        for resource in _resources(site, eks, action):
            by_resource.setdefault(resource, set()).add(action)
    return tuple(Need(resource, tuple(sorted(actions))) for resource, actions in sorted(by_resource.items()))


_UNBOUND = frozenset(
    {
        "ec2:DescribeAvailabilityZones",
        "eks:DescribeAddonVersions",
        "eks:ListClusters",
        "iam:GetAccessKeyLastUsed",
        "kms:CreateKey",
        "kms:ListAliases",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "sts:GetCallerIdentity",
    }
)
"""Actions that no resource bounds, beside EC2's `Describe...`."""

_EC2_KINDS = (
    ("VpcPeeringConnection", "vpc-peering-connection"),
    ("VpcEndpoint", "vpc-endpoint"),
    ("Vpc", "vpc"),
    ("Subnet", "subnet"),
    ("Route", "route-table"),
    ("SecurityGroup", "security-group"),
    ("InternetGateway", "internet-gateway"),
    ("NatGateway", "natgateway"),
    ("Address", "elastic-ip"),
    ("LaunchTemplate", "launch-template"),
    ("FlowLogs", "vpc-flow-log"),
    ("Tags", "vpc"),
    ("Instances", "instance"),
)
"""Part of an EC2 action's name, and the type of the resource that bounds it; the first that fits."""


def _resources(site: Site, eks: EksCluster, action: str) -> Iterator[str]:
    place = Place(naming.partition(eks.region), eks.region, eks.account)
    service, _, name = action.partition(":")
    if action in _UNBOUND or (service == "ec2" and name.startswith("Describe")):
        yield "*"
        return
    match service:
        case "ec2":
            yield place.arn("ec2", f"{next(kind for word, kind in _EC2_KINDS if word in name)}/*")
        case "eks":
            yield place.arn("eks", f"cluster/{naming.cluster(site)}")
        case "iam":
            yield from _identities(site, place, name)
        case "s3":
            yield place.bucket(naming.bucket(site))
        case "kms" if name in {"CreateAlias", "DeleteAlias", "UpdateAlias"}:
            yield place.arn("kms", f"alias/{naming.aws(site)}")
        case "kms":
            yield place.arn("kms", "key/*")
        case "logs":
            yield place.arn("logs", f"log-group:/aws/eks/{naming.cluster(site)}/cluster:*")
        case "ecr":
            yield place.arn("ecr", f"repository/{naming.repository(site, site.specs[0].service.name)}")
        case _:
            yield "*"


def _identities(site: Site, place: Place, name: str) -> Iterator[str]:
    if name == "CreateServiceLinkedRole":
        yield place.iam("role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS")
    elif "User" in name or "AccessKey" in name:
        yield place.iam(f"user/{naming.aws(site, 'documents')}")
    else:
        yield place.iam(f"role/{naming.aws(site, 'nodes')}")
