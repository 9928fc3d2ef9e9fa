"""From a manifest to the Pulumi resource of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra.k3s.workload import Manifest

KINDS: dict[str, Callable[..., pulumi.CustomResource]] = {
    "Namespace": kubernetes.core.v1.Namespace,
    "ConfigMap": kubernetes.core.v1.ConfigMap,
    "Secret": kubernetes.core.v1.Secret,
    "Service": kubernetes.core.v1.Service,
    "StatefulSet": kubernetes.apps.v1.StatefulSet,
    "Job": kubernetes.batch.v1.Job,
    "CronJob": kubernetes.batch.v1.CronJob,
    "NetworkPolicy": kubernetes.networking.v1.NetworkPolicy,
    "StorageClass": kubernetes.storage.v1.StorageClass,
}
TOP_LEVEL = {
    "stringData": "string_data",
    "reclaimPolicy": "reclaim_policy",
    "volumeBindingMode": "volume_binding_mode",
}


def register(name: str, manifest: Manifest, opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
    """Register the resource of a manifest under a logical name."""
    fields: dict[str, Any] = {
        TOP_LEVEL.get(key, key): value for key, value in manifest.items() if key not in {"apiVersion", "kind"}
    }
    return KINDS[manifest["kind"]](name, **fields, opts=opts)
