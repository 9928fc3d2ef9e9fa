"""The component `eks:index:ManagedNodeGroup`."""

from __future__ import annotations

import base64
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pulumi.provider import ConstructResult

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.eks import refusals
from xgen_infra.rehearsal.standins.eks.inputs import ComponentError, Inputs
from xgen_infra.rehearsal.standins.eks.parts import under

_ROOT_DEVICE = "/dev/xvda"
_PASSED_ON = (
    "capacityType", "forceUpdateVersion", "instanceTypes", "labels", "nodeGroupName", "nodeGroupNamePrefix",
    "remoteAccess", "tags", "taints",
)  # fmt: skip
_SCALING = {"desiredSize": 2, "minSize": 1, "maxSize": 2}


class ManagedNodeGroup(pulumi.ComponentResource):
    """A managed node group, with a launch template of its own where an input asks for one."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> None:
        """Register it; raises ComponentError where the real component refuses its inputs."""
        refusals.check_node_group(inputs)
        super().__init__("eks:index:ManagedNodeGroup", name, None, opts)
        cluster = inputs.get("cluster")
        core = pulumi.Output.from_input(cluster).apply(lambda c: c.core if isinstance(c, eks.Cluster) else c)
        self._name, self._inputs = name, inputs
        self._live = core.apply(lambda found: _field(found, "cluster", "cluster"))
        self.group = self._group(core)
        self.register_outputs({"nodeGroup": self.group, "placementGroupName": ""})

    def _group(self, core: pulumi.Output[Any]) -> Any:
        inputs = self._inputs
        subnets = inputs.get("subnetIds")
        if subnets is None:
            subnets = core.apply(lambda found: _field(found, "subnetIds", "subnet_ids"))
        cluster_name = inputs.get("clusterName")
        own_image = bool(inputs.any_of("userData", "amiId"))
        return aws.eks.NodeGroup(
            self._name,
            cluster_name=self._live.apply(lambda made: made.name) if cluster_name is None else cluster_name,
            node_role_arn=self._role(core),
            subnet_ids=subnets,
            scaling_config=pulumi.Output.from_input(inputs.get("scalingConfig")).apply(
                lambda given: {**_SCALING, **{k: v for k, v in (given or {}).items() if v is not None}}
            ),
            ami_type=None if own_image else inputs.get("amiType"),
            version=None if own_image else self._kubernetes(),
            release_version=None if own_image else inputs.get("releaseVersion"),
            disk_size=None if self._makes_template else inputs.get("diskSize"),
            launch_template=self._template() if self._makes_template else inputs.get("launchTemplate"),
            opts=under(
                self,
                ignore_changes=["scalingConfig.desiredSize"]
                if inputs.truthy("ignoreScalingChanges")
                else None,
            ),
            **{_snake(key): inputs.get(key) for key in _PASSED_ON},
        )

    @property
    def _makes_template(self) -> bool:
        return bool(self._inputs.any_of(*refusals.CUSTOM_TEMPLATE))

    def _kubernetes(self) -> Any:
        """Give the version asked for; without one the cluster's, unless a template decides it."""
        version = self._inputs.get("version")
        if version is None and not self._inputs.has("launchTemplate"):
            return self._live.apply(lambda made: made.version)
        return version

    def _role(self, core: pulumi.Output[Any]) -> pulumi.Output[str]:
        """Give the role's ARN; with the aws-auth ConfigMap alone it has to be one of the cluster's roles."""
        given = self._inputs.get("nodeRoleArn")
        if given is None:
            given = pulumi.Output.from_input(self._inputs.get("nodeRole")).apply(lambda role: role.arn)

        def known(found: Any) -> Any:
            roles = _field(found, "instanceRoles", "instance_roles") or []
            return pulumi.Output.all(*[role.arn for role in roles])

        def checked(told: list[Any]) -> str:
            arn, mode, arns = told
            if mode not in {refusals.API, refusals.BOTH} and arn not in arns:
                raise ComponentError(
                    f"nodeRole: {arn} is none of the cluster's instanceRoles, which alone may join while the "
                    "cluster has no access entries"
                )
            return str(arn)

        mode = self._live.apply(lambda made: made.access_config.apply(lambda one: one.authentication_mode))
        return pulumi.Output.all(given, mode, core.apply(known)).apply(checked)

    def _template(self) -> dict[str, Any]:
        inputs = self._inputs
        imds = inputs.get("enableIMDSv2")
        options = {
            "httpTokens": "required" if imds else "optional",
            "httpPutResponseHopLimit": 2,
            "httpEndpoint": "enabled",
        }
        disk = inputs.get("diskSize")
        text = inputs.get("userData")
        template = aws.ec2.LaunchTemplate(
            f"{self._name}-launchTemplate",
            metadata_options=None if imds is None else options,
            block_device_mappings=None
            if disk is None
            else [{"deviceName": _ROOT_DEVICE, "ebs": {"volumeSize": disk}}],
            user_data=None if text is None else pulumi.Output.from_input(text).apply(_base64),
            image_id=inputs.get("amiId"),
            tags=inputs.get("tags"),
            opts=under(self),
        )
        return {"id": template.id, "version": template.latest_version.apply(lambda number: str(int(number)))}


def construct_node_group(asked: ConstructRequest) -> ConstructResult:
    """Make `eks:index:ManagedNodeGroup`."""
    made = ManagedNodeGroup(asked.name, Inputs(asked.inputs), asked.options)
    return ConstructResult(urn=made.urn, state={"nodeGroup": made.group, "placementGroupName": ""})


def _field(core: Any, name: str, attribute: str) -> Any:
    """Give a field of a cluster's core data, which is a typed dictionary or a plain one."""
    return getattr(core, attribute) if hasattr(core, attribute) else core.get(name)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
