"""What the AWS provider calls for each resource type: the actions behind create, read, change and delete.

Source: Service Authorization Reference of each service, for the calls that the Terraform AWS provider makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """Actions of one type without their service's prefix.

    `make` gives birth to something that is tagged at birth; `own` acts on what exists; `look` reads, and takes no
    resource or any.
    """

    make: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    look: tuple[str, ...] = ()


EC2: Mapping[str, Needs] = {
    "aws:ec2/vpc:Vpc": Needs(
        ("CreateVpc",),
        ("DeleteVpc", "DescribeVpcAttribute", "ModifyVpcAttribute"),
        ("DescribeVpcs", "DescribeNetworkAcls", "DescribeAccountAttributes"),
    ),
    "aws:ec2/subnet:Subnet": Needs(
        ("CreateSubnet",),
        ("DeleteSubnet", "ModifySubnetAttribute"),
        ("DescribeSubnets", "DescribeNetworkInterfaces", "DescribeAvailabilityZones"),
    ),
    "aws:ec2/internetGateway:InternetGateway": Needs(
        ("CreateInternetGateway",),
        ("AttachInternetGateway", "DetachInternetGateway", "DeleteInternetGateway"),
        ("DescribeInternetGateways",),
    ),
    "aws:ec2/eip:Eip": Needs(
        ("AllocateAddress",),
        ("ReleaseAddress", "DisassociateAddress"),
        ("DescribeAddresses", "DescribeAddressesAttribute"),
    ),
    "aws:ec2/natGateway:NatGateway": Needs(
        ("CreateNatGateway",), ("DeleteNatGateway",), ("DescribeNatGateways",)
    ),
    "aws:ec2/routeTable:RouteTable": Needs(
        ("CreateRouteTable",), ("DeleteRouteTable",), ("DescribeRouteTables",)
    ),
    "aws:ec2/route:Route": Needs(
        (), ("CreateRoute", "ReplaceRoute", "DeleteRoute"), ("DescribeRouteTables",)
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Needs(
        (),
        ("AssociateRouteTable", "DisassociateRouteTable", "ReplaceRouteTableAssociation"),
        ("DescribeRouteTables",),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Needs(
        ("CreateVpcEndpoint",),
        ("ModifyVpcEndpoint", "DeleteVpcEndpoints"),
        ("DescribeVpcEndpoints", "DescribePrefixLists"),
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Needs(
        ("CreateVpcPeeringConnection",),
        ("AcceptVpcPeeringConnection", "DeleteVpcPeeringConnection", "ModifyVpcPeeringConnectionOptions"),
        ("DescribeVpcPeeringConnections",),
    ),
    "aws:ec2/flowLog:FlowLog": Needs(("CreateFlowLogs",), ("DeleteFlowLogs",), ("DescribeFlowLogs",)),
    "aws:ec2/launchTemplate:LaunchTemplate": Needs(
        ("CreateLaunchTemplate",),
        ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate"),
        ("DescribeLaunchTemplates", "DescribeLaunchTemplateVersions"),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Needs(
        (), (), ("DescribeSecurityGroups", "DescribeSecurityGroupRules")
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Needs(
        (), (), ("DescribeSecurityGroups", "DescribeSecurityGroupRules")
    ),
    "eks:index:Cluster": Needs((), (), ("DescribeSubnets", "DescribeVpcs", "DescribeSecurityGroups")),
    "eks:index:ManagedNodeGroup": Needs((), (), ("DescribeLaunchTemplateVersions", "DescribeSubnets")),
}

IAM: Mapping[str, Needs] = {
    "aws:iam/role:Role": Needs(
        ("CreateRole",),
        (
            "DeleteRole", "GetRole", "ListAttachedRolePolicies",
            "ListInstanceProfilesForRole", "ListRolePolicies", "ListRoleTags", "TagRole", "UntagRole",
            "UpdateAssumeRolePolicy", "UpdateRole",
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": Needs(
        ("PutRolePolicy",), ("DeleteRolePolicy", "GetRolePolicy", "ListRolePolicies")
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Needs(
        ("AttachRolePolicy",), ("DetachRolePolicy", "ListAttachedRolePolicies")
    ),
    "aws:iam/user:User": Needs(
        ("CreateUser",),
        (
            "DeleteUser", "GetUser", "ListAttachedUserPolicies", "ListGroupsForUser", "ListUserPolicies",
            "ListUserTags", "TagUser", "UntagUser", "UpdateUser", "ListAccessKeys",
        ),
    ),
    "aws:iam/userPolicy:UserPolicy": Needs(
        ("PutUserPolicy",), ("DeleteUserPolicy", "GetUserPolicy", "ListUserPolicies")
    ),
    "aws:iam/accessKey:AccessKey": Needs(
        (),
        ("CreateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed", "ListAccessKeys", "UpdateAccessKey"),
    ),
}  # fmt: skip

EKS: Mapping[str, Needs] = {
    "eks:index:Cluster": Needs(
        ("CreateCluster", "CreateAccessEntry"),
        (
            "AssociateAccessPolicy", "AssociateEncryptionConfig", "DeleteAccessEntry", "DeleteCluster",
            "DescribeAccessEntry", "DescribeCluster", "DescribeUpdate", "DisassociateAccessPolicy",
            "ListAccessEntries", "ListAssociatedAccessPolicies", "ListUpdates", "UpdateAccessEntry",
            "UpdateClusterConfig", "UpdateClusterVersion",
        ),
        ("ListClusters", "DescribeClusterVersions", "ListAccessPolicies"),
    ),
    "eks:index:ManagedNodeGroup": Needs(
        ("CreateNodegroup",),
        (
            "DeleteNodegroup", "DescribeNodegroup", "DescribeUpdate", "ListNodegroups",
            "UpdateNodegroupConfig", "UpdateNodegroupVersion",
        ),
    ),
    "aws:eks/addon:Addon": Needs(
        ("CreateAddon",),
        (
            "CreatePodIdentityAssociation", "DeleteAddon", "DeletePodIdentityAssociation", "DescribeAddon",
            "DescribePodIdentityAssociation", "DescribeUpdate", "ListAddons", "ListPodIdentityAssociations",
            "UpdateAddon", "UpdatePodIdentityAssociation",
        ),
        ("DescribeAddonConfiguration", "DescribeAddonVersions"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Needs(
        ("CreatePodIdentityAssociation",),
        (
            "DeletePodIdentityAssociation", "DescribePodIdentityAssociation", "ListPodIdentityAssociations",
            "UpdatePodIdentityAssociation",
        ),
    ),
}  # fmt: skip

S3: Mapping[str, Needs] = {
    "aws:s3/bucket:Bucket": Needs(
        ("CreateBucket",),
        (
            "GetAccelerateConfiguration", "GetBucketAcl", "GetBucketCORS", "GetBucketLocation",
            "GetBucketLogging", "GetBucketObjectLockConfiguration", "GetBucketPolicy",
            "GetBucketRequestPayment", "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite",
            "GetEncryptionConfiguration", "GetLifecycleConfiguration", "GetReplicationConfiguration",
            "ListBucket", "PutBucketTagging",
        ),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Needs(
        (), ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicyStatus")
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Needs(
        (), ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock")
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Needs(
        (), ("GetBucketOwnershipControls", "PutBucketOwnershipControls")
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Needs((), ("GetBucketVersioning", "PutBucketVersioning")),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Needs(
        (), ("GetEncryptionConfiguration", "PutEncryptionConfiguration")
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Needs(
        (), ("GetLifecycleConfiguration", "PutLifecycleConfiguration")
    ),
}  # fmt: skip
"""No DeleteBucket: documents stay when the stack goes."""

KMS: Mapping[str, Needs] = {
    "aws:kms/key:Key": Needs(
        ("CreateKey",),
        (
            "CreateGrant", "DescribeKey", "DisableKeyRotation", "EnableKeyRotation", "GetKeyPolicy",
            "GetKeyRotationStatus", "ListResourceTags", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource",
            "UntagResource", "UpdateKeyDescription",
        ),
        ("ListKeys",),
    ),
    "aws:kms/alias:Alias": Needs((), ("CreateAlias", "DeleteAlias", "UpdateAlias"), ("ListAliases",)),
}  # fmt: skip

LOGS: Mapping[str, Needs] = {
    "aws:cloudwatch/logGroup:LogGroup": Needs(
        ("CreateLogGroup",),
        (
            "AssociateKmsKey", "DeleteLogGroup", "DeleteRetentionPolicy", "DisassociateKmsKey",
            "ListTagsForResource", "PutRetentionPolicy", "TagResource", "UntagResource",
        ),
        ("DescribeLogGroups",),
    ),
    "aws:ec2/flowLog:FlowLog": Needs((), (), ("CreateLogDelivery", "DeleteLogDelivery")),
}  # fmt: skip

ECR: Mapping[str, Needs] = {
    "aws:ecr/repository:Repository": Needs(
        ("CreateRepository",),
        (
            "DeleteRepository", "DescribeRepositories", "ListTagsForResource", "PutImageScanningConfiguration",
            "PutImageTagMutability", "TagResource", "UntagResource",
        ),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Needs(
        (), ("DeleteLifecyclePolicy", "GetLifecyclePolicy", "PutLifecyclePolicy")
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Needs(
        (), ("DeleteRepositoryPolicy", "GetRepositoryPolicy", "SetRepositoryPolicy")
    ),
}  # fmt: skip

SERVICES: Mapping[str, Mapping[str, Needs]] = {
    "ec2": EC2, "iam": IAM, "eks": EKS, "s3": S3, "kms": KMS, "logs": LOGS, "ecr": ECR,
}  # fmt: skip
WITHOUT_CALLS = frozenset({"aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"})
"""Types that are made by a role of another account, which its owner gives."""
