"""What the real eks components refuse (Pulumi Registry, "Amazon EKS": Cluster, ManagedNodeGroup)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

_ENTRY_MODES = frozenset({"API", "API_AND_CONFIG_MAP"})
_MAP_INPUTS = ("roleMappings", "userMappings", "instanceRoles")
_GROUP_INPUTS = (
    "nodeSubnetIds", "instanceType", "instanceProfileName", "nodePublicKey", "nodeRootVolumeSize", "nodeUserData",
    "desiredCapacity", "minSize", "maxSize", "nodeAmiId", "gpu",
)  # fmt: skip


class RefusedError(ValueError):
    """An input, or a combination of inputs, that the component does not take."""


def refuse_cluster(inputs: Mapping[str, Any]) -> None:
    """Raise RefusedError for inputs that eks.Cluster refuses."""
    mode = inputs.get("authenticationMode")
    if mode is not None and not isinstance(mode, str):
        raise RefusedError("authenticationMode must be a plain value, not an output")
    if shutil.which("aws") is None:
        raise RefusedError("the aws command is not on PATH: the kubeconfig needs it")
    if inputs.get("subnetIds") is not None and (inputs.get("publicSubnetIds") or inputs.get("privateSubnetIds")):
        raise RefusedError("subnetIds cannot be used together with publicSubnetIds and privateSubnetIds")
    if inputs.get("accessEntries") and mode not in _ENTRY_MODES:
        raise RefusedError("accessEntries need authenticationMode API or API_AND_CONFIG_MAP")
    if mode == "API":
        for name in _MAP_INPUTS:
            if inputs.get(name):
                raise RefusedError(f"{name} cannot be used with authenticationMode API: use accessEntries")
    if inputs.get("publicAccessCidrs") and inputs.get("endpointPublicAccess") is False:
        raise RefusedError("publicAccessCidrs cannot be set while endpointPublicAccess is false")
    if inputs.get("nodeGroupOptions") and any(inputs.get(name) is not None for name in _GROUP_INPUTS):
        raise RefusedError("nodeGroupOptions cannot be used together with single options of the node group")
    _refuse_auto_mode(inputs, mode)


def _refuse_auto_mode(inputs: Mapping[str, Any], mode: str | None) -> None:
    auto = inputs.get("autoMode")
    if isinstance(auto, dict) and auto.get("enabled") and mode not in _ENTRY_MODES:
        raise RefusedError("autoMode needs access entries: authenticationMode API or API_AND_CONFIG_MAP")


def refuse_node_group(inputs: Mapping[str, Any]) -> None:
    """Raise RefusedError for inputs that eks.ManagedNodeGroup refuses."""
    if inputs.get("nodeRole") is None and inputs.get("nodeRoleArn") is None:
        raise RefusedError("a managed node group needs nodeRole or nodeRoleArn")
    if inputs.get("nodeRole") is not None and inputs.get("nodeRoleArn") is not None:
        raise RefusedError("nodeRole and nodeRoleArn are mutually exclusive")
    own = ("enableIMDSv2", "userData", "kubeletExtraArgs", "bootstrapExtraArgs", "amiId")
    if inputs.get("launchTemplate") is not None:
        for name in own:
            if inputs.get(name):
                raise RefusedError(f"{name} cannot be used together with launchTemplate")
    if inputs.get("amiId") and (inputs.get("gpu") is not None or inputs.get("amiType") is not None):
        raise RefusedError("amiId cannot be used together with gpu or amiType")
    if inputs.get("bootstrapExtraArgs") and str(inputs.get("amiType", "")).startswith("AL2023"):
        raise RefusedError("bootstrapExtraArgs are not supported by AL2023: use nodeadmExtraOptions")
