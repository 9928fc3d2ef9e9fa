"""`eks:index:ManagedNodeGroup`: one managed node group, as the real component registers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi.provider import ConstructResult

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.eks.refusals import refuse_node_group

TOKEN = "eks:index:ManagedNodeGroup"  # noqa: S105 - a type token
_DEFAULT_SCALING = {"desired_size": 2, "min_size": 1, "max_size": 2}


def construct(req: ConstructRequest) -> ConstructResult:
    """Register the component and its node group."""
    refuse_node_group(req.inputs)
    component = ManagedNodeGroup(req.name, req.inputs, req.options)
    return ConstructResult(component.urn, component.state)


class ManagedNodeGroup(pulumi.ComponentResource):
    """A node group of a cluster that is given as a component or as its core data."""

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, name, None, options)
        scaling = pulumi.Output.from_input(inputs.get("scalingConfig")).apply(_scaling)
        ignored = ["scalingConfig.desiredSize"] if inputs.get("ignoreScalingChanges") else []
        group = aws.eks.NodeGroup(
            name,
            cluster_name=_cluster_name(inputs),
            node_group_name=inputs.get("nodeGroupName"),
            node_role_arn=inputs.get("nodeRoleArn") or inputs["nodeRole"].arn,
            subnet_ids=inputs.get("subnetIds"),
            scaling_config=scaling,
            instance_types=inputs.get("instanceTypes"),
            ami_type=inputs.get("amiType"),
            capacity_type=inputs.get("capacityType"),
            disk_size=inputs.get("diskSize"),
            labels=inputs.get("labels"),
            launch_template=_snake(inputs.get("launchTemplate")),
            version=inputs.get("version"),
            tags=inputs.get("tags"),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=ignored),
        )
        self.state = {"nodeGroup": group}
        self.register_outputs(self.state)


def _scaling(given: Any) -> dict[str, int]:
    if not given:
        return _DEFAULT_SCALING
    return {"desired_size": given["desiredSize"], "min_size": given["minSize"], "max_size": given["maxSize"]}


def _cluster_name(inputs: Mapping[str, Any]) -> Any:
    if inputs.get("clusterName") is not None:
        return inputs["clusterName"]
    cluster = inputs["cluster"]
    if isinstance(cluster, pulumi.Resource):
        return cluster.eks_cluster.apply(lambda made: made.name)  # type: ignore[attr-defined]
    return pulumi.Output.from_input(cluster).apply(lambda core: core["cluster"].name)


def _snake(template: Any) -> Any:
    return template
