"""What the real components refuse of their inputs, and what this stand-in cannot do for them.

Source: pulumi-eks, component documentation and behaviour of release 4; the order of the checks is its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pulumi

from xgen_infra.rehearsal.standins.eks.inputs import ComponentError, Inputs

API, BOTH, CONFIG_MAP = "API", "API_AND_CONFIG_MAP", "CONFIG_MAP"
_SINGLE_NODE_OPTIONS = (
    "nodeSubnetIds", "nodeAssociatePublicIpAddress", "instanceType", "instanceProfileName", "nodePublicKey",
    "nodeRootVolumeSize", "nodeUserData", "minSize", "maxSize", "desiredCapacity", "nodeAmiId", "gpu",
)  # fmt: skip
_BEYOND = {
    "autoMode": "EKS Auto Mode",
    "fargate": "Fargate profiles",
    "storageClasses": "storage classes (make them with pulumi_kubernetes)",
    "creationRoleProvider": "a creation role",
}
_OLDEST = {1: (1, 24, 0), 2: (2, 7, 0)}
CUSTOM_USER_DATA = ("bootstrapExtraArgs", "kubeletExtraArgs", "bottlerocketSettings", "nodeadmExtraOptions")
CUSTOM_TEMPLATE = (*CUSTOM_USER_DATA, "enableIMDSv2", "userData", "amiId", "enableEfaSupport")


def require_aws_command() -> None:
    """Refuse where no `aws` command of a usable version is on PATH: the kubeconfig runs it."""
    found = shutil.which("aws")
    if found is None:
        raise ComponentError("no `aws` command is on PATH: the cluster's kubeconfig runs `aws eks get-token`")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"aws-cli/(\d+)\.(\d+)\.(\d+)", said)
    if version is None:
        raise ComponentError(f"`aws --version` says {said.strip()!r}, which is no version of the AWS CLI")
    have = tuple(int(part) for part in version.groups())
    oldest = _OLDEST.get(have[0], _OLDEST[2])
    if have < oldest:
        wanted = ".".join(map(str, oldest))
        raise ComponentError(f"the AWS CLI on PATH is {version[0]}: at least {wanted} is needed")


def check_cluster(inputs: Inputs) -> None:
    """Raise ComponentError for the first input of a Cluster that is refused."""
    require_aws_command()
    for problem in (*_authentication(inputs), *_exclusive(inputs), *_beyond(inputs)):
        raise ComponentError(problem)


def supports_entries(inputs: Inputs) -> bool:
    """Whether the authentication mode knows access entries."""
    return inputs.get("authenticationMode") in {API, BOTH}


def supports_config_map(inputs: Inputs) -> bool:
    """Whether the authentication mode knows the aws-auth ConfigMap; it does where no mode is given."""
    return inputs.get("authenticationMode") in {None, CONFIG_MAP, BOTH}


def _authentication(inputs: Inputs) -> Iterator[str]:
    mode = inputs.get("authenticationMode")
    if isinstance(mode, pulumi.Output) or mode not in {None, API, BOTH, CONFIG_MAP}:
        shown = "an output, which has to be plain" if isinstance(mode, pulumi.Output) else repr(mode)
        yield f"invalid authenticationMode: {shown}; allowed are {CONFIG_MAP}, {BOTH}, {API}"
        return
    if not supports_config_map(inputs):
        for name in ("roleMappings", "userMappings", "instanceRoles"):
            value = inputs.get(name)
            if value is not None and (isinstance(value, pulumi.Output) or len(value) > 0):
                yield f"{name} cannot be given with authenticationMode {mode}: use accessEntries"
    if not supports_entries(inputs) and inputs.has("accessEntries"):
        shown = "not set" if mode is None else f"set to {mode}"
        yield f"accessEntries are not supported with authenticationMode {shown}: set it to {API} or {BOTH}"


def _exclusive(inputs: Inputs) -> Iterator[str]:
    if inputs.has("instanceRole") and inputs.has("instanceRoles"):
        yield "instanceRole and instanceRoles are mutually exclusive"
    if inputs.has("subnetIds") and inputs.any_of("publicSubnetIds", "privateSubnetIds"):
        yield "subnetIds and publicSubnetIds or privateSubnetIds are mutually exclusive: choose one way"
    single = [name for name in _SINGLE_NODE_OPTIONS if inputs.truthy(name)]
    if inputs.has("nodeGroupOptions") and single:
        yield f"nodeGroupOptions and {', '.join(single)} are mutually exclusive: choose one way"
    auto = inputs.get("autoMode")
    if isinstance(auto, dict) and auto.get("enabled") and not supports_entries(inputs):
        yield f"EKS Auto Mode needs access entries: set authenticationMode to {API} or {BOTH}"
    if inputs.has("publicAccessCidrs") and inputs.get("endpointPublicAccess") is False:
        yield "publicAccessCidrs can only be set when endpointPublicAccess is true"


def _beyond(inputs: Inputs) -> Iterator[str]:
    for name, what in _BEYOND.items():
        if inputs.truthy(name):
            yield f"the rehearsal's eks provider does not make {what}: leave {name} out, or use the real plugin"
    if not inputs.truthy("skipDefaultNodeGroup"):
        yield (
            "the rehearsal's eks provider makes no default node group: set skipDefaultNodeGroup and add a "
            "ManagedNodeGroup, or use the real plugin"
        )


def check_node_group(inputs: Inputs) -> None:
    """Raise ComponentError with every input of a ManagedNodeGroup that is refused."""
    problems = list(_node_group(inputs))
    if problems:
        raise ComponentError(f"the inputs of the managed node group are invalid: {'; '.join(problems)}")


def _node_group(inputs: Inputs) -> Iterator[str]:
    if inputs.has("nodeRole") and inputs.has("nodeRoleArn"):
        yield "nodeRole: nodeRole and nodeRoleArn cannot both be given"
    if not inputs.any_of("nodeRole", "nodeRoleArn"):
        yield "nodeRole: a role, or the ARN of one, has to be given"
    for other in ("gpu", "amiType"):
        if inputs.has("amiId") and inputs.has(other):
            yield f"amiId: amiId and {other} cannot both be given"
    yield from _template(inputs)


def _template(inputs: Inputs) -> Iterator[str]:
    custom = inputs.any_of(*CUSTOM_TEMPLATE)
    if inputs.has("launchTemplate") and custom:
        yield f"launchTemplate: with a template of one's own, {', '.join(custom)} belong into that template"
    if inputs.has("userData") and inputs.any_of(*CUSTOM_USER_DATA):
        given = ", ".join(inputs.any_of(*CUSTOM_USER_DATA))
        yield f"userData: with user data of one's own, {given} belong into that user data"
    if inputs.truthy("enableEfaSupport") and not inputs.has("placementGroupAvailabilityZone"):
        yield "enableEfaSupport: placementGroupAvailabilityZone has to be given as well"
    if inputs.get("bootstrapExtraArgs") and "AL2_" not in str(inputs.get("amiType") or ""):
        yield "bootstrapExtraArgs: not supported where nodes are set up by nodeadm (AL2023) or are Bottlerocket"
    if not inputs.has("launchTemplate"):
        for name in (*CUSTOM_USER_DATA, "enableEfaSupport"):
            if inputs.has(name):
                yield f"{name}: the rehearsal's eks provider writes no user data of that kind: give a launchTemplate"
