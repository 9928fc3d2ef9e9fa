"""The components `eks:index:VpcCniAddon` and `eks:index:Addon`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi.provider import ConstructResult

from xgen_infra.rehearsal.standins.contract import ConstructRequest
from xgen_infra.rehearsal.standins.eks.inputs import ComponentError, Inputs
from xgen_infra.rehearsal.standins.eks.parts import addon, under

_DEFAULTS = {
    "warmEniTarget": ("WARM_ENI_TARGET", "1"),
    "logLevel": ("AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
    "logFile": ("AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"),
    "vethPrefix": ("AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    "eniMtu": ("AWS_VPC_ENI_MTU", "9001"),
    "pluginLogLevel": ("AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"),
    "pluginLogFile": ("AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"),
    "enablePodEni": ("ENABLE_POD_ENI", "false"),
    "cniCustomNetworkCfg": ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
    "cniExternalSnat": ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
    "nodePortSupport": ("AWS_VPC_CNI_NODE_PORT_SUPPORT", None),
    "customNetworkConfig": ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", None),
    "warmIpTarget": ("WARM_IP_TARGET", None),
    "warmPrefixTarget": ("WARM_PREFIX_TARGET", None),
    "enablePrefixDelegation": ("ENABLE_PREFIX_DELEGATION", None),
    "eniConfigLabelDef": ("ENI_CONFIG_LABEL_DEF", None),
    "cniConfigureRpfilter": ("AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", None),
    "externalSnat": ("AWS_VPC_K8S_CNI_EXTERNALSNAT", None),
}
"""Options of the VPC CNI: environment variable, and its value where the option is left out."""


class VpcCniAddon(pulumi.ComponentResource):
    """The add-on vpc-cni, with the options of the component as its environment."""

    def __init__(self, name: str, given: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("eks:index:VpcCniAddon", name, None, opts)
        if given.get("cniExternalSnat") and given.get("externalSnat"):
            raise ComponentError("cniExternalSnat and externalSnat cannot both be given")
        if not given.get("addonVersion") and not given.get("clusterVersion"):
            raise ComponentError(
                "addonVersion or clusterVersion has to be given: one of them says which version"
            )
        options = {
            "addonName": "vpc-cni",
            "version": given.get("addonVersion"),
            "configurationValues": pulumi.Output.from_input(dict(given)).apply(configuration_values),
            **{key: given.get(key) for key in ("serviceAccountRoleArn", "tags", *_CONFLICTS)},
        }
        self.addon = addon(name, given["clusterName"], given.get("clusterVersion"), options, self)
        self.register_outputs({"addon": self.addon})


_CONFLICTS = ("resolveConflictsOnCreate", "resolveConflictsOnUpdate")


def configuration_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the add-on's configuration: the user's own values win over those of the options."""
    environment = {
        variable: _text(given[option]) if given.get(option) else default
        for option, (variable, default) in _DEFAULTS.items()
        if given.get(option) or default is not None
    }
    first = {"DISABLE_TCP_EARLY_DEMUX": _text(bool(given.get("disableTcpEarlyDemux", False)))}
    own = dict(given.get("configurationValues") or {})
    if "enableNetworkPolicy" not in own and given.get("enableNetworkPolicy") is not None:
        own["enableNetworkPolicy"] = _text(given["enableNetworkPolicy"])
    own["env"] = {**environment, **(own.get("env") or {})}
    init = dict(own.get("init") or {})
    own["init"] = {**init, "env": {**first, **(init.get("env") or {})}}
    return own


def construct_vpc_cni(asked: ConstructRequest) -> ConstructResult:
    """Make `eks:index:VpcCniAddon`."""
    made = VpcCniAddon(asked.name, asked.inputs, asked.options)
    return ConstructResult(urn=made.urn, state={"addon": made.addon})


class Addon(pulumi.ComponentResource):
    """Any add-on of a cluster."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> None:
        above = pulumi.ResourceOptions(parent=inputs.get("cluster"))
        super().__init__("eks:index:Addon", name, None, pulumi.ResourceOptions.merge(opts, above))
        values = inputs.get("configurationValues")
        self.addon = aws.eks.Addon(
            name,
            cluster_name=pulumi.Output.from_input(inputs.get("cluster")).apply(name_of),
            addon_name=inputs.get("addonName"),
            addon_version=inputs.get("addonVersion"),
            configuration_values=None if values is None else pulumi.Output.json_dumps(values),
            preserve=inputs.get("preserve"),
            resolve_conflicts_on_create=inputs.get("resolveConflictsOnCreate"),
            resolve_conflicts_on_update=inputs.get("resolveConflictsOnUpdate"),
            pod_identity_associations=inputs.get("podIdentityAssociations"),
            service_account_role_arn=inputs.get("serviceAccountRoleArn"),
            tags=inputs.get("tags"),
            opts=under(self),
        )
        self.register_outputs({"addon": self.addon})


def construct_addon(asked: ConstructRequest) -> ConstructResult:
    """Make `eks:index:Addon`."""
    made = Addon(asked.name, Inputs(asked.inputs), asked.options)
    return ConstructResult(urn=made.urn, state={"addon": made.addon})


def name_of(cluster: Any) -> Any:
    """Give the physical name of a cluster component (an output)."""
    return cluster.eks_cluster.apply(lambda made: made.name)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
