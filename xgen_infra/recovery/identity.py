"""The id that a resource has, if it exists: told by its inputs alone, or asked of AWS by its tags.

Sources: the "Import" sections of Pulumi's AWS and Kubernetes package documentation. Types that are in neither table
are made by calls that may be repeated (a bucket's settings, an inline policy, an attachment): they need no recovery.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

Inputs = Mapping[str, Any]
Client = Callable[[str], Any]
"""Gives the boto3 client of a service, in the account and region of the resource's provider."""

_BY_INPUTS: Mapping[str, str] = {
    "aws:cloudwatch/logGroup:LogGroup": "{name}",
    "aws:ecr/repository:Repository": "{name}",
    "aws:eks/accessEntry:AccessEntry": "{clusterName}:{principalArn}",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "{clusterName}#{principalArn}#{policyArn}",
    "aws:eks/addon:Addon": "{clusterName}:{addonName}",
    "aws:eks/cluster:Cluster": "{name}",
    "aws:iam/role:Role": "{name}",
    "aws:iam/user:User": "{name}",
    "aws:kms/alias:Alias": "{name}",
    "aws:s3/bucket:Bucket": "{bucket}",
}
_BY_HASH: Mapping[str, str] = {
    "aws:ec2/route:Route": "r-",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "sgrule-",
}
"""Parts of another resource, found by their inputs; their ids are hashes that nothing else refers to."""
_EC2: Mapping[str, str] = {
    "aws:ec2/eip:Eip": "elastic-ip",
    "aws:ec2/flowLog:FlowLog": "vpc-flow-log",
    "aws:ec2/internetGateway:InternetGateway": "internet-gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "launch-template",
    "aws:ec2/natGateway:NatGateway": "natgateway",
    "aws:ec2/routeTable:RouteTable": "route-table",
    "aws:ec2/securityGroup:SecurityGroup": "security-group",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpc-endpoint",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "vpc-peering-connection",
}
"""What DescribeTags calls a type (Amazon EC2 API Reference, "TagSpecification")."""
_GONE = frozenset({"deleted", "deleting", "failed", "rejected", "expired"})
_PODS = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
_KEY = "aws:kms/key:Key"
_NODES = "aws:eks/nodeGroup:NodeGroup"
"""It has no name of the program's, so that another can take its place: the provider names it."""
_RULES: Mapping[str, bool] = {
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": True,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": False,
}
"""Whether a type of rule is for what goes out. AWS refuses a second rule that says the same."""
_SAID_BY_RULE: Mapping[str, str] = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
}


def told(kind: str, inputs: Inputs) -> str | None:
    """Return the id that inputs alone tell, or None. A provider says whether a resource of that id exists."""
    if kind.startswith("kubernetes:"):
        return _object(kind, inputs)
    if pattern := _BY_INPUTS.get(kind):
        return _filled(pattern, inputs)
    if prefix := _BY_HASH.get(kind):
        shape = repr(sorted(inputs.items(), key=lambda item: item[0]))
        return f"{prefix}{zlib.crc32(shape.encode())}"
    return None


def asks(kind: str) -> bool:
    """Whether AWS has to be asked for the ids of a type."""
    return kind in _EC2 or kind in _RULES or kind in {_ASSOCIATION, _KEY, _NODES, _PODS}


def asked(kind: str, inputs: Inputs, tags: Mapping[str, str], client: Client) -> list[str]:
    """Return the ids of the resources of a type that carry all of `tags`, or that the inputs describe."""
    if kind == _ASSOCIATION:
        return list(_associations(inputs, client("ec2")))
    if kind in _RULES:
        return list(_rules(inputs, client("ec2"), outwards=_RULES[kind]))
    if kind == _PODS:
        return list(_identities(inputs, client("eks")))
    if kind == _NODES:
        return list(_node_groups(inputs, tags, client("eks")))
    if kind == _KEY:
        return list(_keys(tags, client("kms")))
    return _tagged(_EC2[kind], tags, client("ec2"))


def _filled(pattern: str, inputs: Inputs) -> str | None:
    try:
        return pattern.format_map(dict(inputs))
    except KeyError:
        return None


def _object(kind: str, inputs: Inputs) -> str | None:
    """Return `[<namespace>/]<name>`, which is also a Helm release's id."""
    named = inputs if kind.endswith(":Release") else inputs.get("metadata") or {}
    name, namespace = named.get("name"), named.get("namespace")
    return f"{namespace}/{name}" if name and namespace else name


def _tagged(resource: str, tags: Mapping[str, str], ec2: Any) -> list[str]:
    carried: dict[str, dict[str, str]] = {}
    pages = ec2.get_paginator("describe_tags").paginate(
        Filters=[{"Name": "resource-type", "Values": [resource]}]
    )
    for page in pages:
        for tag in page["Tags"]:
            carried.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    found = [one for one, own in carried.items() if tags and tags.items() <= own.items()]
    return [one for one in found if _lives(resource, one, ec2)]


def _lives(resource: str, ident: str, ec2: Any) -> bool:
    """Whether AWS does not only remember it: a deleted gateway or peering connection is listed for an hour."""
    if resource == "natgateway":
        listed = ec2.describe_nat_gateways(NatGatewayIds=[ident])["NatGateways"]
        return any(one["State"] not in _GONE for one in listed)
    if resource == "vpc-peering-connection":
        listed = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[ident])[
            "VpcPeeringConnections"
        ]
        return any(one["Status"]["Code"] not in _GONE for one in listed)
    return True


def _associations(inputs: Inputs, ec2: Any) -> Iterator[str]:
    subnet = inputs.get("subnetId")
    if not subnet:
        return
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
        for one in table["Associations"]:
            if one.get("SubnetId") == subnet:
                yield one["RouteTableAssociationId"]


def _rules(inputs: Inputs, ec2: Any, *, outwards: bool) -> Iterator[str]:
    group = inputs.get("securityGroupId")
    if not group:
        return
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    for page in pages:
        for rule in page["SecurityGroupRules"]:
            if rule["IsEgress"] is outwards and _says(rule, inputs):
                yield rule["SecurityGroupRuleId"]


def _says(rule: Mapping[str, Any], inputs: Inputs) -> bool:
    """Whether a rule is what inputs describe; AWS says -1 of ports that a rule for every protocol does not name."""
    peer = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    wanted = inputs.get("referencedSecurityGroupId")
    if peer != (wanted.rpartition("/")[2] if wanted else None):
        return False
    return all(_port(inputs.get(ours)) == _port(rule.get(theirs)) for ours, theirs in _SAID_BY_RULE.items())


def _port(value: Any) -> Any:
    return None if value == -1 else value


def _identities(inputs: Inputs, eks: Any) -> Iterator[str]:
    names = ("clusterName", "namespace", "serviceAccount")
    if all(name in inputs for name in names):
        listed = eks.list_pod_identity_associations(**{name: inputs[name] for name in names})
        yield from (one["associationId"] for one in listed["associations"])


def _node_groups(inputs: Inputs, tags: Mapping[str, str], eks: Any) -> Iterator[str]:
    cluster = inputs.get("clusterName")
    if not cluster:
        return
    for page in eks.get_paginator("list_nodegroups").paginate(clusterName=cluster):
        for name in page["nodegroups"]:
            group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
            lives = group["status"] != "DELETING"
            if lives and tags and tags.items() <= (group.get("tags") or {}).items():
                yield f"{cluster}:{name}"


def _keys(tags: Mapping[str, str], kms: Any) -> Iterator[str]:
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            own = _tags_of_key(key["KeyId"], kms)
            if not tags or not tags.items() <= own.items():
                continue
            if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled":
                yield key["KeyId"]


def _tags_of_key(key: str, kms: Any) -> dict[str, str]:
    """Return a key's tags; none of a key that AWS does not show: the deploy role sees its own stack's alone."""
    try:
        listed = kms.list_resource_tags(KeyId=key)["Tags"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return {}
    return {tag["TagKey"]: tag["TagValue"] for tag in listed}
