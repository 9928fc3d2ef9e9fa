"""Parts that the components are made of: a service role, security groups, access entries, add-ons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from xgen_infra.rehearsal.standins.eks.inputs import Inputs

ALL = "-1"
_EVERYWHERE = ["0.0.0.0/0"]


def under(parent: pulumi.Resource, **more: Any) -> pulumi.ResourceOptions:
    """Give the options of a child."""
    return pulumi.ResourceOptions(parent=parent, **more)


def tags(name: str, *more: Any) -> pulumi.Output[dict[str, str]]:
    """Give a Name tag with the tags of the inputs over it."""

    def merged(given: Sequence[Any]) -> dict[str, str]:
        return {"Name": name, **{k: v for one in given for k, v in (one or {}).items()}}

    return pulumi.Output.all(*more).apply(merged)


class ServiceRole(pulumi.ComponentResource):
    """A role that an AWS service assumes, with managed policies; `attached` waits for them."""

    def __init__(
        self,
        name: str,
        service: str,
        policies: Sequence[str],
        actions: Sequence[str],
        given: Any,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("eks:index:ServiceRole", name, None, opts)
        trust = {"Action": list(actions), "Effect": "Allow", "Principal": {"Service": [service]}}
        partition = aws.get_partition_output(opts=pulumi.InvokeOptions(parent=self)).partition
        self.role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            tags=given,
            opts=under(self),
        )
        self.attachments = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{hashlib.sha1(f'arn:aws:iam::aws:policy/{policy}'.encode()).hexdigest()[:8]}",  # noqa: S324 - a name
                role=self.role.name,
                policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", partition, policy),
                opts=under(self),
            )
            for policy in policies
        ]
        self.register_outputs({"directRole": self.role, "resolvedRole": self.role})


def cluster_group(name: str, inputs: Inputs, vpc: Any, parent: pulumi.Resource) -> Any:
    """Make the cluster's own security group, open to the internet outwards."""
    group = aws.ec2.SecurityGroup(
        f"{name}-eksClusterSecurityGroup",
        vpc_id=vpc,
        revoke_rules_on_delete=True,
        tags=tags(
            f"{name}-eksClusterSecurityGroup", inputs.get("clusterSecurityGroupTags"), inputs.get("tags")
        ),
        opts=under(parent),
    )
    _rule(f"{name}-eksClusterInternetEgressRule", group.id, parent, kind="egress", cidr_blocks=_EVERYWHERE)
    return group


def node_group(
    name: str, inputs: Inputs, cluster: Any, cluster_group_id: Any, parent: pulumi.Resource
) -> tuple[Any, Any]:
    """Make the nodes' security group with its rules; returns it and the rule on the cluster's group."""
    owned = cluster.name.apply(lambda named: {f"kubernetes.io/cluster/{named}": "owned"})
    group = aws.ec2.SecurityGroup(
        f"{name}-nodeSecurityGroup",
        vpc_id=cluster.vpc_config.vpc_id,
        revoke_rules_on_delete=True,
        tags=tags(
            f"{name}-nodeSecurityGroup", owned, inputs.get("nodeSecurityGroupTags"), inputs.get("tags")
        ),
        opts=under(parent),
    )
    _rule(f"{name}-eksNodeIngressRule", group.id, parent, self=True)
    for part, low, high in (("NodeCluster", 1025, 65535), ("ExtApiServerCluster", 443, 443)):
        _rule(
            f"{name}-eks{part}IngressRule",
            group.id,
            parent,
            ports=(low, high),
            source_security_group_id=cluster_group_id,
        )
    _rule(f"{name}-eksNodeInternetEgressRule", group.id, parent, kind="egress", cidr_blocks=_EVERYWHERE)
    inward = _rule(
        f"{name}-eksClusterIngressRule",
        cluster_group_id,
        parent,
        ports=(443, 443),
        source_security_group_id=group.id,
    )
    return group, inward


def _rule(
    name: str,
    group: Any,
    parent: pulumi.Resource,
    kind: str = "ingress",
    ports: tuple[int, int] | None = None,
    **peer: Any,
) -> Any:
    low, high = ports or (0, 0)
    return aws.ec2.SecurityGroupRule(
        name,
        type=kind,
        protocol="tcp" if ports else ALL,
        from_port=low,
        to_port=high,
        security_group_id=group,
        opts=under(parent),
        **peer,
    )


def access_entries(
    name: str, cluster: Any, entries: Mapping[str, Mapping[str, Any]], parent: pulumi.Resource
) -> list[Any]:
    """Make the access entries, each with its policy associations under it."""
    made = []
    for part, entry in entries.items():
        one = aws.eks.AccessEntry(
            f"{name}-{part}",
            cluster_name=cluster.name,
            principal_arn=entry["principalArn"],
            kubernetes_groups=entry.get("kubernetesGroups"),
            type=entry.get("type"),
            user_name=entry.get("username"),
            tags=entry.get("tags"),
            opts=under(parent, depends_on=[cluster]),
        )
        for policy, association in (entry.get("accessPolicies") or {}).items():
            aws.eks.AccessPolicyAssociation(
                f"{name}-{part}-{policy}",
                cluster_name=cluster.name,
                principal_arn=entry["principalArn"],
                policy_arn=association["policyArn"],
                access_scope=association["accessScope"],
                opts=under(one, depends_on=[one]),
            )
        made.append(one)
    return made


def addon(
    name: str, cluster_name: Any, kubernetes: Any, options: Mapping[str, Any], parent: pulumi.Resource
) -> Any:
    """Make an add-on; a version that is not given is asked for once the cluster's is known."""
    version = options.get("version")
    if version is None:
        version = aws.eks.get_addon_version_output(
            addon_name=options["addonName"],
            kubernetes_version=kubernetes,
            most_recent=True,
            opts=pulumi.InvokeOptions(parent=parent),
        ).version
    values = options.get("configurationValues")
    return aws.eks.Addon(
        name,
        cluster_name=cluster_name,
        addon_name=options["addonName"],
        addon_version=version,
        preserve=True,
        resolve_conflicts_on_create=options.get("resolveConflictsOnCreate") or "OVERWRITE",
        resolve_conflicts_on_update=options.get("resolveConflictsOnUpdate") or "OVERWRITE",
        configuration_values=None if values is None else pulumi.Output.json_dumps(values, sort_keys=True),
        service_account_role_arn=options.get("serviceAccountRoleArn"),
        tags=options.get("tags"),
        opts=under(parent),
    )
