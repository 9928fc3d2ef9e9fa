"""The ConfigMap aws-auth, by which clusters without access entries map IAM to Kubernetes.

Source: Amazon EKS User Guide, "Grant IAM users access to Kubernetes with a ConfigMap".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from xgen_infra.rehearsal.standins.eks.inputs import Inputs
from xgen_infra.rehearsal.standins.eks.parts import under


def node_access(
    name: str, inputs: Inputs, instance_roles: Sequence[Any], provider: Any, parent: pulumi.Resource
) -> Any:
    """Make the ConfigMap: roles of nodes, mapped roles, mapped users."""
    arns = [pulumi.Output.from_input(role).apply(lambda found: found.arn) for role in instance_roles]
    data: dict[str, Any] = {
        "mapRoles": pulumi.Output.all(inputs.get("roleMappings"), *arns).apply(
            lambda given: yaml.safe_dump([*_rows(given[0], "roleArn", "rolearn"), *map(_node, given[1:])])
        )
    }
    if inputs.has("userMappings"):
        data["mapUsers"] = pulumi.Output.from_input(inputs.get("userMappings")).apply(
            lambda given: yaml.safe_dump(_rows(given, "userArn", "userarn"))
        )
    return kubernetes.core.v1.ConfigMap(
        f"{name}-nodeAccess",
        metadata={
            "name": "aws-auth",
            "namespace": "kube-system",
            "annotations": {"pulumi.com/patchForce": "true"},
        },
        data=data,
        opts=under(parent, provider=provider),
    )


def _node(arn: str) -> dict[str, Any]:
    groups = ["system:bootstrappers", "system:nodes"]
    return {"rolearn": arn, "username": "system:node:{{EC2PrivateDNSName}}", "groups": groups}


def _rows(given: Any, key: str, named: str) -> list[dict[str, Any]]:
    return [
        {named: one[key], "username": one.get("username"), "groups": one["groups"]} for one in given or []
    ]
