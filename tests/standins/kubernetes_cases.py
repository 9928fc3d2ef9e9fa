"""Each Kubernetes type that the program uses, as a manifest and a change of it that updates in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "fidelity"
_LABELS = {"app": "fidelity"}
_POD = {
    "metadata": {"labels": _LABELS},
    "spec": {
        "containers": [{"name": "one", "image": "registry.example/one:1"}],
        "restartPolicy": "OnFailure",
    },
}


@dataclass(frozen=True)
class KubernetesCase:
    """`inputs` make it; `change` is merged over them."""

    api: str
    kind: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=lambda: {"metadata": {"labels": {"changed": "yes"}}})
    namespaced: bool = True
    waits: bool = True


@dataclass(frozen=True)
class ReleaseCase:
    """`inputs` install a chart; `change` is merged over them."""

    inputs: Mapping[str, Any]
    change: Mapping[str, Any]


def merged(one: Any, other: Any) -> Any:
    """Return `one` with `other` over it."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return other
    return {**one, **{key: merged(one.get(key), value) for key, value in other.items()}}


def _rules() -> dict[str, Any]:
    return {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}


def _binding(kind: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "roleRef": {"apiGroup": group, "kind": kind, "name": "none"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": "xgen:runners"}],
    }


KUBERNETES: Mapping[str, KubernetesCase] = {
    "kubernetes:core/v1:Namespace": KubernetesCase("v1", "Namespace", namespaced=False),
    "kubernetes:core/v1:Secret": KubernetesCase("v1", "Secret", {"stringData": {"a": "b"}}),
    "kubernetes:core/v1:ConfigMap": KubernetesCase("v1", "ConfigMap", {"data": {"a": "b"}}),
    "kubernetes:core/v1:Service": KubernetesCase(
        "v1", "Service", {"spec": {"clusterIP": "None", "selector": _LABELS, "ports": [{"port": 80}]}}
    ),
    "kubernetes:apps/v1:StatefulSet": KubernetesCase(
        "apps/v1",
        "StatefulSet",
        {
            "spec": {
                "replicas": 1,
                "serviceName": "fidelity",
                "selector": {"matchLabels": _LABELS},
                "template": {**_POD, "spec": {**_POD["spec"], "restartPolicy": "Always"}},
            }
        },
    ),
    "kubernetes:batch/v1:Job": KubernetesCase("batch/v1", "Job", {"spec": {"template": _POD}}),
    "kubernetes:batch/v1:CronJob": KubernetesCase(
        "batch/v1",
        "CronJob",
        {"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": _POD}}}},
        {"spec": {"schedule": "0 0 2 1 *"}},
    ),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": KubernetesCase(
        "networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {"matchLabels": _LABELS}}}
    ),
    "kubernetes:storage.k8s.io/v1:StorageClass": KubernetesCase(
        "storage.k8s.io/v1", "StorageClass", {"provisioner": "ebs.csi.aws.com"}, namespaced=False
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": KubernetesCase(
        "rbac.authorization.k8s.io/v1", "ClusterRole", _rules(), namespaced=False
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": KubernetesCase(
        "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", _binding("ClusterRole"), namespaced=False
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": KubernetesCase(
        "rbac.authorization.k8s.io/v1", "Role", _rules()
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": KubernetesCase(
        "rbac.authorization.k8s.io/v1", "RoleBinding", _binding("Role")
    ),
    "kubernetes:argoproj.io/v1alpha1:AppProject": KubernetesCase(
        "argoproj.io/v1alpha1",
        "AppProject",
        {"spec": {"sourceRepos": ["https://git.invalid/a.git"], "description": "one"}},
        {"spec": {"description": "two"}},
    ),
    "kubernetes:argoproj.io/v1alpha1:Application": KubernetesCase(
        "argoproj.io/v1alpha1",
        "Application",
        {
            "spec": {
                "project": "fidelity",
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "fidelity"},
                "source": {"repoURL": "https://git.invalid/a.git", "path": "one", "targetRevision": "main"},
            }
        },
        {"spec": {"source": {"path": "two"}}},
    ),
}
"""Types of the API server, and Argo CD's, by its own definitions (definitions.py)."""
RELEASES: Mapping[str, ReleaseCase] = {
    "kubernetes:helm.sh/v3:Release": ReleaseCase(
        {"chart": "./tiny", "name": "rel", "values": {"colour": "red", "password": "s3cret"}},
        {"values": {"colour": "blue"}},
    )
}
"""Helm's, by the real Helm."""
