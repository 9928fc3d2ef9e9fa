"""What the deploy role may do: what the program registers for this site, on what carries its names and tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xgen_infra import naming
from xgen_infra.aws.policies import Document, Place, Statement, document
from xgen_infra.bootstrap import needs
from xgen_infra.site import Site

LIMIT = 6144
"""Characters of a managed policy, blanks not counted (IAM User Guide, "IAM and AWS STS quotas")."""
_SERVICE_ROLES = ("eks.amazonaws.com", "eks-nodegroup.amazonaws.com", "autoscaling.amazonaws.com",
                  "spot.amazonaws.com", "elasticloadbalancing.amazonaws.com")  # fmt: skip
_RECEIVERS = (
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "ec2.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)


class UnknownTypeError(Exception):
    """A type of which nobody has said what it needs: a deploy role made without it could not make it."""


@dataclass(frozen=True)
class Registered:
    """One AWS resource as the program registers it."""

    type: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Ground:
    """A site's resources and the names that follow from them."""

    site: Site
    place: Place
    resources: Sequence[Registered]

    def names(self, type_: str, key: str = "name") -> list[str]:
        """Return the physical names of all resources of a type."""
        return sorted(
            {str(one.inputs[key]) for one in self.resources if one.type == type_ and key in one.inputs}
        )

    def actions(self, service: str, part: str, *, types: Iterable[str] = ()) -> list[str]:
        """Return the actions of one part (make, own, look) for the types there are, or for those of `types`."""
        table = needs.SERVICES[service]
        there = {one.type for one in self.resources} & set(types or table)
        return sorted(
            {f"{service}:{action}" for one in there if one in table for action in getattr(table[one], part)}
        )


def boundary_name(site: Site) -> str:
    """Return the name of the policy that bounds every role and user of the site."""
    return naming.aws(site, "boundary")


def documents(ground: Ground) -> dict[str, Document]:
    """Return the deploy role's policies by the last part of their names, each within AWS' limit of size.

    Raises UnknownTypeError for a type without an entry in `needs`.
    """
    known = {type_ for table in needs.SERVICES.values() for type_ in table} | needs.WITHOUT_CALLS
    for one in ground.resources:
        if one.type not in known:
            raise UnknownTypeError(f"{one.type}: say in bootstrap/needs.py which actions it takes")
    parts = {
        "deploy-network": [*_network(ground)],
        "deploy-identity": [*_identity(ground)],
        "deploy-cluster": [*_cluster(ground), *_keys(ground), *_logs(ground)],
        "deploy-data": [*_bucket(ground), *_registry(ground), *_elsewhere(ground)],
    }
    return {name: document(*(one for one in said if one.actions)) for name, said in parts.items() if said}


def _network(ground: Ground) -> Iterator[Statement]:
    """EC2: what is born carries the stack's tag; what carries it may be changed; the rest is named by id."""
    place, tag = ground.place, ground.site.stack
    make, own = ground.actions("ec2", "make"), ground.actions("ec2", "own")
    anything = [place.arn("ec2", "*")]
    born = {"StringEquals": {"aws:RequestTag/stack": tag}}
    mine = {"StringEquals": {"aws:ResourceTag/stack": tag}}
    # xgen recover asks for what was made by its tags.
    asking = ["ec2:DescribeTags"] if make else []
    yield Statement("Look", sorted({*ground.actions("ec2", "look"), *asking}), ["*"])
    if not make:
        return
    yield Statement("Make", make, anything, conditions=born)
    yield Statement("ChangeOwn", sorted({*make, *own}), anything, conditions=mine)
    creating = {"StringEquals": {"ec2:CreateAction": [action.partition(":")[2] for action in make]}}
    yield Statement("TagAtBirth", ["ec2:CreateTags"], anything, conditions=creating)
    yield Statement("TagOwn", ["ec2:CreateTags", "ec2:DeleteTags"], anything, conditions=mine)
    yield from _groups(ground)
    yield from _management(ground)
    yield from _instances(ground)


def _groups(ground: Ground) -> Iterator[Statement]:
    """Close the default group, which AWS makes without a tag; open EKS' own group to the management network."""
    groups = [ground.place.arn("ec2", "security-group/*")]
    if ground.actions("ec2", "look", types=["aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"]):
        untagged = {"Null": {"aws:ResourceTag/stack": "true"}}
        close = ["ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"]
        yield Statement("CloseDefaultGroup", [*close, "ec2:CreateTags"], groups, conditions=untagged)
        mine = {"StringEquals": {"aws:ResourceTag/stack": ground.site.stack}}
        yield Statement("KeepDefaultGroupClosed", close, groups, conditions=mine)
    if ground.actions("eks", "make"):
        api = {
            "StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{naming.cluster(ground.site)}": "owned"}
        }
        yield Statement("OpenApi", _RULES, groups, conditions=api)
    if ground.names(INGRESS_RULE, "securityGroupId"):
        rules = [ground.place.arn("ec2", "security-group-rule/*")]
        yield Statement("Rules", ["ec2:CreateTags", "ec2:DeleteTags", *_RULES], rules)


INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_RULES = (
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:ModifySecurityGroupRules",
)


def _management(ground: Ground) -> Iterator[Statement]:
    """Name the management network's own parts, by id, where this account and region hold them."""
    management, place = ground.site.management, ground.place
    if management is None or management.account not in {None, place.account}:
        return
    far = Place(place.partition, management.region or place.region, place.account)
    vpc = [far.arn("ec2", f"vpc/{management.vpc_id}")]
    yield Statement(
        "PeerWithManagement", ["ec2:CreateVpcPeeringConnection", "ec2:AcceptVpcPeeringConnection"], vpc
    )
    if far.region != place.region:
        connections = [far.arn("ec2", "vpc-peering-connection/*")]
        accept = ["ec2:AcceptVpcPeeringConnection", "ec2:CreateTags", "ec2:DeleteTags"]
        yield Statement("AcceptElsewhere", accept, connections)
    tables = [far.arn("ec2", f"route-table/{one}") for one in management.route_table_ids]
    routes = ["ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"]
    if tables:
        yield Statement("RoutesOfManagement", routes, tables)
    groups = [far.arn("ec2", f"security-group/{one}") for one in management.security_group_ids]
    if groups:
        yield Statement("PortsOfManagement", _RULES, groups)


def _instances(ground: Ground) -> Iterator[Statement]:
    """EKS starts nodes from the launch template in the name of whoever asks for the group.

    Amazon EKS User Guide, "Customize managed nodes with launch templates".
    """
    if ground.actions("eks", "make", types=["eks:index:ManagedNodeGroup"]):
        images = f"arn:{ground.place.partition}:ec2:{ground.place.region}::image/*"
        yield Statement("StartNodes", ["ec2:RunInstances"], [ground.place.arn("ec2", "*"), images])
        nodes = {"StringEquals": {"ec2:CreateAction": "RunInstances"}}
        yield Statement("TagNodes", ["ec2:CreateTags"], [ground.place.arn("ec2", "*")], conditions=nodes)


def _identity(ground: Ground) -> Iterator[Statement]:
    """IAM: the site's own roles and user by name, never without the boundary, never anybody else's policy."""
    place = ground.place
    bound = {"ArnEquals": {"iam:PermissionsBoundary": place.iam(f"policy/{boundary_name(ground.site)}")}}
    roles = [place.iam(f"role/{name}") for name in ground.names("aws:iam/role:Role")]
    users = [place.iam(f"user/{name}") for name in ground.names("aws:iam/user:User")]
    role_types = [one for one in needs.IAM if "ole" in one.rpartition(":")[2]]
    user_types = [one for one in needs.IAM if one not in role_types]
    attach = "iam:AttachRolePolicy"
    for who, arns, types in (("Roles", roles, role_types), ("Users", users, user_types)):
        if arns:
            make = [one for one in ground.actions("iam", "make", types=types) if one != attach]
            make.append(f"iam:Put{who[:-1]}PermissionsBoundary")
            yield Statement(f"Make{who}", make, arns, conditions=bound)
            yield Statement(f"Change{who}", ground.actions("iam", "own", types=types), arns)
    managed = sorted(set(ground.names("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn")))
    if roles and managed:
        named = {"ArnEquals": {"iam:PolicyARN": managed, **bound["ArnEquals"]}}
        yield Statement("Attach", [attach], roles, conditions=named)
    if roles:
        to = {"StringEquals": {"iam:PassedToService": list(_RECEIVERS)}}
        yield Statement("PassRoles", ["iam:PassRole"], roles, conditions=to)
        linked = {"StringEquals": {"iam:AWSServiceName": list(_SERVICE_ROLES)}}
        yield Statement(
            "ServiceLinkedRoles",
            ["iam:CreateServiceLinkedRole"],
            [place.iam("role/aws-service-role/*")],
            conditions=linked,
        )


def _cluster(ground: Ground) -> Iterator[Statement]:
    place, name = ground.place, naming.cluster(ground.site)
    if ground.site.eks and ground.site.eks.existing_cluster:
        yield Statement("ReachCluster", ["eks:DescribeCluster"], [place.arn("eks", f"cluster/{name}")])
        return
    arns = [place.arn("eks", f"cluster/{name}")]
    arns += [place.arn("eks", f"{kind}/{name}/*") for kind in _PARTS]
    tagging = ["eks:TagResource", "eks:UntagResource", "eks:ListTagsForResource"]
    make, create = ground.actions("eks", "make"), "eks:CreateCluster"
    parts = [*(one for one in make if one != create), *ground.actions("eks", "own"), *tagging]
    born = {"StringEquals": {"aws:RequestTag/stack": ground.site.stack}}
    yield Statement("MakeCluster", [create], ["*"], conditions=born)
    yield Statement("Cluster", parts, arns)
    yield Statement("LookAtEks", ground.actions("eks", "look"), ["*"])


_PARTS = ("nodegroup", "addon", "access-entry", "podidentityassociation")


def _keys(ground: Ground) -> Iterator[Statement]:
    keys, tag = [ground.place.arn("kms", "key/*")], ground.site.stack
    if not ground.actions("kms", "make"):
        return
    born = {"StringEquals": {"aws:RequestTag/stack": tag}}
    mine = {"StringEquals": {"aws:ResourceTag/stack": tag}}
    alias = [ground.place.arn("kms", name) for name in ground.names("aws:kms/alias:Alias")]
    aliases = ground.actions("kms", "own", types=["aws:kms/alias:Alias"])
    yield Statement("MakeKey", ["kms:CreateKey"], ["*"], conditions=born)
    yield Statement("TagNewKey", ["kms:TagResource"], keys, conditions=born)
    yield Statement("OwnKey", ground.actions("kms", "own"), keys, conditions=mine)
    yield Statement("NameKey", aliases, alias)
    yield Statement("LookAtNames", ground.actions("kms", "look"), ["*"])


def _logs(ground: Ground) -> Iterator[Statement]:
    names = ground.names("aws:cloudwatch/logGroup:LogGroup")
    arns = [ground.place.arn("logs", f"log-group:{name}{tail}") for name in names for tail in ("", ":*")]
    if arns:
        yield Statement("Logs", [*ground.actions("logs", "make"), *ground.actions("logs", "own")], arns)
    yield Statement("LookAtLogs", ground.actions("logs", "look"), ["*"])


def _bucket(ground: Ground) -> Iterator[Statement]:
    arn = [ground.place.bucket(naming.bucket(ground.site))]
    yield Statement("Bucket", [*ground.actions("s3", "make"), *ground.actions("s3", "own")], arn)


def _registry(ground: Ground) -> Iterator[Statement]:
    names = ground.names("aws:ecr/repository:Repository")
    if names:
        account, region = naming.ecr_home(ground.site)
        home = Place(ground.place.partition, region, account)
        arns = [home.arn("ecr", f"repository/{name}") for name in names]
        yield Statement("Repositories", [*ground.actions("ecr", "make"), *ground.actions("ecr", "own")], arns)


def _elsewhere(ground: Ground) -> Iterator[Statement]:
    management = ground.site.management
    if management and management.role_arn:
        yield Statement("ReachManagement", ["sts:AssumeRole"], [management.role_arn])


def boundary(ground: Ground) -> Document:
    """Return the most that a role or user of the site can ever be given.

    What nodes, add-ons and controllers do at AWS, in the site's region, and the documents; of IAM nothing but the
    roles that AWS services keep for themselves.
    """
    here = {"StringEquals": {"aws:RequestedRegion": ground.place.region}}
    bucket = ground.place.bucket(naming.bucket(ground.site))
    return document(
        Statement("Work", [f"{service}:{verb}" for service, verbs in _WORK.items() for verb in verbs], ["*"],
                  conditions=here),
        Statement("Documents", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
                                "s3:ListMultipartUploadParts", "s3:ListBucket", "s3:GetBucketLocation",
                                "s3:ListBucketMultipartUploads"], [bucket, f"{bucket}/*"]),
        Statement("ServiceLinkedRoles", ["iam:CreateServiceLinkedRole"],
                  [ground.place.iam("role/aws-service-role/*")]),
    )  # fmt: skip


_WORK: Mapping[str, Sequence[str]] = {
    "autoscaling": ("Describe*", "SetDesiredCapacity", "TerminateInstanceInAutoScalingGroup", "UpdateAutoScalingGroup"),
    "ec2": (
        "Describe*", "Get*", "*Volume*", "*Snapshot*", "*NetworkInterface*", "*PrivateIp*", "*Ipv6Addresses",
        "*SecurityGroup*", "CreateTags", "DeleteTags", "CreateRoute", "DeleteRoute", "ModifyInstanceAttribute",
        "EnableFastSnapshotRestores",
    ),
    "ec2messages": ("*Message", "GetEndpoint", "GetMessages", "SendReply"),
    "ecr": ("Batch*", "Get*"),
    "eks": ("Describe*",),
    "eks-auth": ("AssumeRoleForPodIdentity",),
    "elasticloadbalancing": ("Add*", "Apply*", "Attach*", "Configure*", "Create*", "Delete*", "Deregister*", "Describe*",
                             "Detach*", "Modify*", "Register*", "Remove*", "Set*"),
    "acm": ("Describe*", "List*"),
    "kms": ("DescribeKey", "Decrypt", "GenerateDataKey*", "CreateGrant"),
    "logs": ("CreateLogStream", "DescribeLog*", "PutLogEvents"),
    "ssm": ("DescribeAssociation", "DescribeDocument", "Get*", "List*", "Put*", "Update*"),
    "ssmmessages": ("Create*", "Open*"),
}  # fmt: skip
"""By service: the union of the managed policies that the program attaches and the documents that it writes."""


def size(policy: Document) -> int:
    """Return a document's length as AWS counts it."""
    return len("".join(json.dumps(policy, separators=(",", ":")).split()))
