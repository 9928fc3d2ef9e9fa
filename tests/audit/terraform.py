"""What the program registers at AWS, as a Terraform plan in JSON: the form that checkov reads.

Source: Terraform documentation, "JSON Output Format" (planned_values, configuration).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aws.recording import Secret

TYPES = {
    "aws:cloudwatch/logGroup:LogGroup": "aws_cloudwatch_log_group",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "aws_default_security_group",
    "aws:ec2/eip:Eip": "aws_eip",
    "aws:ec2/flowLog:FlowLog": "aws_flow_log",
    "aws:ec2/internetGateway:InternetGateway": "aws_internet_gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "aws_launch_template",
    "aws:ec2/natGateway:NatGateway": "aws_nat_gateway",
    "aws:ec2/route:Route": "aws_route",
    "aws:ec2/routeTable:RouteTable": "aws_route_table",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "aws_route_table_association",
    "aws:ec2/subnet:Subnet": "aws_subnet",
    "aws:ec2/vpc:Vpc": "aws_vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "aws_vpc_endpoint",
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": "aws_vpc_peering_connection",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "aws_ecr_lifecycle_policy",
    "aws:ecr/repository:Repository": "aws_ecr_repository",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "aws_ecr_repository_policy",
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": "aws_vpc_peering_connection_accepter",
    "aws:eks/accessEntry:AccessEntry": "aws_eks_access_entry",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "aws_eks_access_policy_association",
    "aws:eks/addon:Addon": "aws_eks_addon",
    "aws:eks/cluster:Cluster": "aws_eks_cluster",
    "aws:eks/nodeGroup:NodeGroup": "aws_eks_node_group",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": "aws_eks_pod_identity_association",
    "aws:iam/accessKey:AccessKey": "aws_iam_access_key",
    "aws:iam/role:Role": "aws_iam_role",
    "aws:iam/rolePolicy:RolePolicy": "aws_iam_role_policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "aws_iam_role_policy_attachment",
    "aws:iam/user:User": "aws_iam_user",
    "aws:iam/userPolicy:UserPolicy": "aws_iam_user_policy",
    "aws:kms/alias:Alias": "aws_kms_alias",
    "aws:kms/key:Key": "aws_kms_key",
    "aws:s3/bucket:Bucket": "aws_s3_bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "aws_s3_bucket_lifecycle_configuration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "aws_s3_bucket_ownership_controls",
    "aws:s3/bucketPolicy:BucketPolicy": "aws_s3_bucket_policy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "aws_s3_bucket_public_access_block",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "aws_s3_bucket_server_side_encryption_configuration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "aws_s3_bucket_versioning",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "aws_vpc_security_group_ingress_rule",
}
"""Terraform's name of each type: the bridge's names, which no rule derives from one another."""

RENAMED = {
    ("aws_s3_bucket_lifecycle_configuration", "rules"): "rule",
    ("aws_s3_bucket_server_side_encryption_configuration", "rules"): "rule",
    ("aws_ecr_repository", "image_scanning_configuration"): "image_scanning_configuration",
    ("aws_ecr_repository", "encryption_configurations"): "encryption_configuration",
}
_PLAIN_MAPS = {"tags", "variables", "labels"}
_LISTS = {"block_device_mappings", "tag_specifications"}


class UnknownTypeError(Exception):
    """A type that the table lacks: it would not be audited."""


class Audited(Protocol):
    """What the audit reads of a resource."""

    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def ids(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Made:
    """A resource of a running stack, from the engine's state."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    ids: tuple[str, ...]


def of_state(state: Iterable[Mapping[str, Any]]) -> list[Made]:
    """Return the AWS resources of an exported state; what AWS calls them is what refers to them."""
    return [
        Made(
            one["type"],
            one["urn"].rpartition("::")[2],
            one.get("inputs", {}),
            tuple(filter(None, (one.get("id"), (one.get("outputs") or {}).get("arn")))),
        )
        for one in state
        if one["type"].startswith("aws:")
    ]


def plan(resources: Iterable[Audited]) -> dict[str, Any]:
    """Return the plan of the AWS resources among those given; components and Kubernetes' are left out."""
    ours = [(address(found), found) for found in resources if found.type.startswith(("aws:", "eks:index:C"))]
    by_id = {known: name for name, found in ours for known in found.ids}
    by_id |= {str(found.inputs["bucket"]): name for name, found in ours if found.type.endswith(":Bucket")}
    planned, configured = [], []
    for name, found in ours:
        kind, _, logical = name.partition(".")
        values = _values(kind, found)
        base = {"address": name, "mode": "managed", "type": kind, "name": logical}
        planned.append({**base, "provider_name": "registry.terraform.io/hashicorp/aws", "values": values})
        expressions = {key: _expression(value, by_id, name) for key, value in values.items()}
        configured.append({**base, "provider_config_key": "aws", "expressions": expressions})
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": [
            {**one, "change": {"actions": ["create"], "before": None, "after": one["values"]}}
            for one in planned
        ],
        "configuration": {"root_module": {"resources": configured}},
    }


def address(found: Audited) -> str:
    """Return a resource's address, `aws_vpc.network-vpc`; raises UnknownTypeError."""
    if found.type == "eks:index:Cluster":
        return f"aws_eks_cluster.{found.name}"
    if found.type not in TYPES:
        raise UnknownTypeError(f"{found.type}: add it to TYPES, or it is not audited")
    return f"{TYPES[found.type]}.{found.name}"


def _values(kind: str, found: Audited) -> dict[str, Any]:
    if found.type == "eks:index:Cluster":
        return _cluster(found.inputs)
    snaked = {_snake(key): _block(_snake(key), value) for key, value in found.inputs.items()}
    return {RENAMED.get((kind, key), key): value for key, value in snaked.items()}


def _cluster(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the control plane that pulumi_eks makes of its component's inputs."""
    vpc = {
        "subnet_ids": inputs["privateSubnetIds"],
        "endpoint_private_access": inputs.get("endpointPrivateAccess", False),
        "endpoint_public_access": inputs.get("endpointPublicAccess", True),
        "public_access_cidrs": inputs.get("publicAccessCidrs", ["0.0.0.0/0"]),
    }
    encryption = {"provider": [{"key_arn": inputs["encryptionConfigKeyArn"]}], "resources": ["secrets"]}
    return {
        "name": inputs["name"],
        "version": inputs["version"],
        "enabled_cluster_log_types": inputs.get("enabledClusterLogTypes", []),
        "vpc_config": [vpc],
        "encryption_config": [encryption],
    }


def _block(key: str, value: Any) -> Any:
    """Return a value as Terraform writes it: snake case, a block as a list of one."""
    if isinstance(value, Secret):
        return _block(key, value.value)
    if isinstance(value, list):
        return [_inside(key, item) for item in value]
    if isinstance(value, Mapping):
        return dict(value) if key in _PLAIN_MAPS else [_inside(key, value)]
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _inside(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_snake(inner): _block(_snake(inner), item) for inner, item in value.items()}
    return _block(key, value)


def _expression(value: Any, by_id: Mapping[str, str], own: str) -> dict[str, Any]:
    text = json.dumps(value, default=str)
    named = [name for known, name in by_id.items() if f'"{known}"' in text and name != own]
    return {"references": [part for name in named for part in (f"{name}.id", name)]} if named else {}


def _snake(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()
