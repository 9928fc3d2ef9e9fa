"""Kinds: the resource tokens of pulumi-kubernetes, what of a kind is immutable, and where it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.cluster import Options

CUSTOM_RESOURCE = "kubernetes:apiextensions.k8s.io:CustomResource"
_NO_OBJECT = ("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize", "kubernetes:index:")
_POD = ("spec.containers", "spec.initContainers", "spec.volumes", "spec.nodeName", "spec.serviceAccountName")
_SET = ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates")
_CLAIM = ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName")

IMMUTABLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (*_SET, "spec.revisionHistoryLimit"),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("", "PersistentVolumeClaim"): _CLAIM,
    ("", "Pod"): _POD,
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type", "immutable"),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): (
        "parameters",
        "provisioner",
        "reclaimPolicy",
        "volumeBindingMode",
    ),
}
"""Fields whose change replaces an object, by group and kind: those for which pulumi-kubernetes plans it, and
those that the API server will not change (Kubernetes API reference, by kind)."""

CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)


@dataclass(frozen=True)
class Kind:
    """A kind of object. `patch` is one of pulumi-kubernetes' Patch resources, which own single fields only."""

    group: str
    api_version: str
    name: str
    patch: bool = False

    @property
    def secret_outputs(self) -> frozenset[str]:
        """The outputs that hold what nobody should read."""
        return frozenset({"data", "stringData"}) if (self.group, self.name) == ("", "Secret") else frozenset()

    @property
    def cluster_wide(self) -> bool:
        """Whether Kubernetes' own kind of this name lives in no namespace."""
        return self.name in CLUSTER_WIDE

    def replacing(self, options: Options, inputs: Props) -> tuple[str, ...]:
        """Return the fields whose change replaces an object.

        Source: pulumi-kubernetes documentation, "Provider": Secrets and ConfigMaps are taken for immutable unless
        enableSecretMutable and enableConfigMapMutable say otherwise.
        """
        identity = ("metadata.name", "metadata.namespace", "kind")
        if self.patch:
            return identity
        own = IMMUTABLE.get((self.group, self.name), ())
        fixed = inputs.get("immutable") is True
        if (self.group, self.name) == ("", "Secret") and (fixed or not options.secret_mutable):
            own = (*own, "data", "stringData")
        if (self.group, self.name) == ("", "ConfigMap") and (fixed or not options.config_map_mutable):
            own = (*own, "data", "binaryData")
        return (*identity, *own)


def of_token(token: str) -> Kind | None:
    """Return the kind of a token such as `kubernetes:core/v1:Secret`, or None for what is no object."""
    if token == CUSTOM_RESOURCE:
        return Kind("", "", "")
    provider, _, rest = token.partition(":")
    version, _, name = rest.rpartition(":")
    if (
        provider != "kubernetes"
        or token.startswith(_NO_OBJECT)
        or "/" not in version
        or name.endswith("List")
    ):
        return None
    group = version.split("/")[0]
    group = "" if group == "core" else group
    patch = name.endswith("Patch") and group in _BUILT_IN
    api_version = version.split("/")[1] if not group else version
    return Kind(group, api_version, name.removesuffix("Patch") if patch else name, patch)


_BUILT_IN = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)
