"""Which IAM actions each resource type of the program needs, over its whole life: the list, and nothing else.

Sources: Service Authorization Reference, "Actions, resources, and condition keys" of each service; of reads that
follow a write, the resource's page in the documentation of the AWS provider.
"""

from __future__ import annotations

from collections.abc import Mapping


def _of(service: str, names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names.split())


_EC2_TAGS = _of("ec2", "CreateTags DeleteTags")
_GROUP_RULES = _of("ec2", "DescribeSecurityGroupRules ModifySecurityGroupRules")
_INGRESS = _of("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress")
_EGRESS = _of("ec2", "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress")
_IAM_TAGS = _of("iam", "TagRole UntagRole")
_EKS_TAGS = _of("eks", "TagResource UntagResource")
_BUCKET_READS = _of(
    "s3",
    "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation "
    "GetBucketLogging GetBucketObjectLockConfiguration GetBucketPolicy "
    "GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite "
    "GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration "
    "ListBucket",
)

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "aws:cloudwatch/logGroup:LogGroup": _of(
        "logs",
        "AssociateKmsKey CreateLogGroup DeleteLogGroup DescribeLogGroups DisassociateKmsKey "
        "ListTagsForResource PutRetentionPolicy TagResource UntagResource",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "ec2:DescribeSecurityGroups",
        *_GROUP_RULES,
        *_INGRESS,
        *_EGRESS,
        *_EC2_TAGS,
    ),
    "aws:ec2/eip:Eip": (
        *_of(
            "ec2",
            "AllocateAddress DescribeAddresses DescribeAddressesAttribute ReleaseAddress",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/flowLog:FlowLog": (
        *_of("ec2", "CreateFlowLogs DeleteFlowLogs DescribeFlowLogs"),
        *_of("logs", "CreateLogDelivery DeleteLogDelivery"),
        "iam:PassRole",
        *_EC2_TAGS,
    ),
    "aws:ec2/internetGateway:InternetGateway": (
        *_of(
            "ec2",
            "AttachInternetGateway CreateInternetGateway DeleteInternetGateway "
            "DescribeInternetGateways DetachInternetGateway",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        *_of(
            "ec2",
            "CreateLaunchTemplate CreateLaunchTemplateVersion DeleteLaunchTemplate "
            "DescribeLaunchTemplateVersions DescribeLaunchTemplates ModifyLaunchTemplate",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/natGateway:NatGateway": (
        *_of("ec2", "CreateNatGateway DeleteNatGateway DescribeNatGateways"),
        *_EC2_TAGS,
    ),
    "aws:ec2/route:Route": _of("ec2", "CreateRoute DeleteRoute DescribeRouteTables ReplaceRoute"),
    "aws:ec2/routeTable:RouteTable": (
        *_of(
            "ec2",
            "CreateRoute CreateRouteTable DeleteRoute DeleteRouteTable DescribeRouteTables",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _of(
        "ec2",
        "AssociateRouteTable DescribeRouteTables DisassociateRouteTable ReplaceRouteTableAssociation",
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        *_of(
            "ec2",
            "CreateSecurityGroup DeleteSecurityGroup DescribeNetworkInterfaces DescribeSecurityGroups",
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
        *_of("ec2", "CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute"),
        "ec2:DescribeNetworkInterfaces",
        *_EC2_TAGS,
    ),
    "aws:ec2/vpc:Vpc": (
        *_of("ec2", "CreateVpc DeleteVpc DescribeVpcAttribute DescribeVpcs ModifyVpcAttribute"),
        *_of("ec2", "DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups"),
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        *_of(
            "ec2",
            "CreateVpcEndpoint DeleteVpcEndpoints DescribePrefixLists DescribeVpcEndpoints",
        ),
        "ec2:ModifyVpcEndpoint",
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": (
        *_of(
            "ec2",
            "AcceptVpcPeeringConnection CreateVpcPeeringConnection DeleteVpcPeeringConnection "
            "DescribeVpcPeeringConnections",
        ),
        *_EC2_TAGS,
    ),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": (
        *_of("ec2", "AcceptVpcPeeringConnection DescribeVpcPeeringConnections"),
        *_EC2_TAGS,
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _of(
        "ecr", "DeleteLifecyclePolicy GetLifecyclePolicy PutLifecyclePolicy"
    ),
    "aws:ecr/repository:Repository": _of(
        "ecr",
        "CreateRepository DeleteRepository DescribeRepositories ListTagsForResource "
        "PutImageScanningConfiguration PutImageTagMutability TagResource UntagResource",
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _of(
        "ecr", "DeleteRepositoryPolicy GetRepositoryPolicy SetRepositoryPolicy"
    ),
    "aws:eks/accessEntry:AccessEntry": (
        *_of("eks", "CreateAccessEntry DeleteAccessEntry DescribeAccessEntry UpdateAccessEntry"),
        *_EKS_TAGS,
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _of(
        "eks",
        "AssociateAccessPolicy DisassociateAccessPolicy ListAssociatedAccessPolicies",
    ),
    "aws:eks/addon:Addon": (
        *_of("eks", "CreateAddon DeleteAddon DescribeAddon DescribeAddonVersions UpdateAddon"),
        "eks:DescribeUpdate",
        *_EKS_TAGS,
    ),
    "aws:eks/cluster:Cluster": (
        *_of("eks", "CreateCluster DeleteCluster DescribeCluster DescribeUpdate"),
        *_of("eks", "UpdateClusterConfig UpdateClusterVersion"),
        *_EKS_TAGS,
        *_of("kms", "CreateGrant DescribeKey"),
        *_of("iam", "CreateServiceLinkedRole PassRole"),
    ),
    "aws:eks/nodeGroup:NodeGroup": (
        *_of("eks", "CreateNodegroup DeleteNodegroup DescribeNodegroup DescribeUpdate"),
        *_of("eks", "UpdateNodegroupConfig UpdateNodegroupVersion"),
        *_EKS_TAGS,
        *_of("ec2", "DescribeSubnets RunInstances"),
        *_of("iam", "CreateServiceLinkedRole PassRole"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        *_of("eks", "CreatePodIdentityAssociation DeletePodIdentityAssociation"),
        *_of("eks", "DescribePodIdentityAssociation UpdatePodIdentityAssociation"),
        *_EKS_TAGS,
        *_of("iam", "GetRole PassRole"),
    ),
    "aws:iam/accessKey:AccessKey": _of(
        "iam",
        "CreateAccessKey DeleteAccessKey GetAccessKeyLastUsed ListAccessKeys UpdateAccessKey",
    ),
    "aws:iam/role:Role": (
        *_of("iam", "CreateRole DeleteRole GetRole UpdateAssumeRolePolicy UpdateRole"),
        *_of("iam", "ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"),
        *_IAM_TAGS,
    ),
    "aws:iam/rolePolicy:RolePolicy": _of("iam", "DeleteRolePolicy GetRolePolicy PutRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _of(
        "iam", "AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies"
    ),
    "aws:iam/user:User": _of("iam", "CreateUser DeleteUser GetUser ListGroupsForUser TagUser UntagUser"),
    "aws:iam/userPolicy:UserPolicy": _of("iam", "DeleteUserPolicy GetUserPolicy PutUserPolicy"),
    "aws:kms/alias:Alias": _of("kms", "CreateAlias DeleteAlias ListAliases UpdateAlias"),
    "aws:kms/key:Key": _of(
        "kms",
        "CreateKey DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus "
        "ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource "
        "UpdateKeyDescription",
    ),
    "aws:s3/bucket:Bucket": (*_of("s3", "CreateBucket DeleteBucket PutBucketTagging"), *_BUCKET_READS),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of(
        "s3", "GetLifecycleConfiguration PutLifecycleConfiguration"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of(
        "s3", "GetBucketOwnershipControls PutBucketOwnershipControls"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _of("s3", "DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of(
        "s3", "GetBucketPublicAccessBlock PutBucketPublicAccessBlock"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of(
        "s3", "GetEncryptionConfiguration PutEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of("s3", "GetBucketVersioning PutBucketVersioning"),
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
    *_of("eks", "DescribeAddonVersions DescribeCluster ListClusters"),
    "sts:GetCallerIdentity",
)
"""What the program asks AWS without making anything."""
