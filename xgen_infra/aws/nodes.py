"""The managed node group: its role, launch template and size."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

from xgen_infra.aws import policies
from xgen_infra.site.cluster import graviton

NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
)
"""No AmazonEKS_CNI_Policy: the VPC CNI has a role of its own by Pod Identity. Session Manager takes the place
of SSH (Amazon EKS User Guide, "Amazon EKS node IAM role")."""

ROOT_DEVICE = "/dev/xvda"


@dataclass(frozen=True)
class NodesArgs:
    """What a node group needs. `user_data` is plain MIME text.

    `tags` go on instances, volumes and interfaces, which a provider's default tags do not reach.
    """

    name: str
    role_name: str
    place: policies.Place
    version: str
    subnet_ids: Sequence[pulumi.Input[str]]
    instance_types: Sequence[str]
    min_size: int
    max_size: int
    disk_gib: int
    capacity_type: str
    tags: Mapping[str, str]
    user_data: str | None = None


def ami_type(instance_types: Sequence[str]) -> str:
    """Return the AL2023 image family for instance types of one architecture."""
    return "AL2023_ARM_64_STANDARD" if graviton(instance_types[0]) else "AL2023_x86_64_STANDARD"


class Nodes(pulumi.ComponentResource):
    """A managed node group in the private subnets. EKS updates one node at a time, its default."""

    group_name: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, cluster: eks.Cluster, args: NodesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("xgen:aws:Nodes", name, None, opts)
        self._name, self._args = name, args
        role, attached = self._role()
        template = self._template()
        group = eks.ManagedNodeGroup(
            f"{name}-group",
            cluster=cluster,
            node_role_arn=role.arn,
            version=args.version,
            ami_type=ami_type(args.instance_types),
            capacity_type=args.capacity_type,
            instance_types=list(args.instance_types),
            subnet_ids=list(args.subnet_ids),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=args.min_size, desired_size=max(args.min_size, 1), max_size=args.max_size
            ),
            ignore_scaling_changes=True,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=attached),
        )
        self.group_name = group.node_group.node_group_name
        self.role_arn = role.arn
        self.register_outputs({"groupName": self.group_name})

    def _role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{self._name}-role",
            name=self._args.role_name,
            permissions_boundary=self._args.place.boundary,
            assume_role_policy=policies.text(policies.trust_service("ec2.amazonaws.com")),
            opts=child,
        )
        return role, [
            aws.iam.RolePolicyAttachment(
                f"{self._name}-{policy}",
                role=role.name,
                policy_arn=self._args.place.managed(policy),
                opts=child,
            )
            for policy in NODE_POLICIES
        ]

    def _template(self) -> aws.ec2.LaunchTemplate:
        """Make the launch template: IMDSv2 alone, one hop (so no pod reaches it), encrypted gp3 root volume."""
        args = self._args
        text = args.user_data
        tags = {"Name": f"{args.name}-node", **args.tags}
        return aws.ec2.LaunchTemplate(
            f"{self._name}-template",
            name=args.name,
            update_default_version=True,
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": 1,
                "instance_metadata_tags": "disabled",
            },
            block_device_mappings=[
                {
                    "device_name": ROOT_DEVICE,
                    "ebs": {
                        "volume_size": args.disk_gib,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            tag_specifications=[
                {"resource_type": kind, "tags": tags} for kind in ("instance", "volume", "network-interface")
            ],
            user_data=base64.b64encode(text.encode()).decode() if text else None,
            opts=pulumi.ResourceOptions(parent=self),
        )
