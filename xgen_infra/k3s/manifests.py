"""From a Workload to Kubernetes objects, as plain data: what the API server gets, but for the Secret's values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from xgen_infra import naming
from xgen_infra.k3s.workload import (
    CONFIG_MOUNT,
    DATA_MOUNT,
    GENERATION,
    Manifest,
    Workload,
    client,
    container_security,
    labels,
    metadata,
    pod_base,
    resources,
    scratch_volumes,
    selector,
)


def config_map(workload: Workload) -> Manifest:
    """Return the ConfigMap of a workload's files."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(workload.config_name, workload.name),
        "data": dict(workload.config),
    }


def secret(workload: Workload, values: Mapping[str, Any]) -> Manifest:
    """Return the Secret of a workload's credentials."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(workload.secret_name, workload.name),
        "type": "Opaque",
        "stringData": dict(values),
    }


def service(workload: Workload) -> Manifest:
    """Return the Service that clients name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(workload.name),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(workload.name),
            "ports": [
                {"name": port.name, "port": port.number, "targetPort": port.name, "protocol": "TCP"}
                for port in workload.ports
            ],
        },
    }


def headless(workload: Workload) -> Manifest:
    """Return the Service that gives the pod its own name (Kubernetes documentation, "StatefulSets")."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(f"{workload.name}-headless", workload.name),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": selector(workload.name),
            "ports": [
                {"name": port.name, "port": port.number, "targetPort": port.name, "protocol": "TCP"}
                for port in workload.ports
            ],
        },
    }


def network_policy(workload: Workload, namespace: str) -> Manifest:
    """Let in the site's namespace and what of the data namespace says that it is a client; let nothing out."""
    ports = [{"port": port.number, "protocol": "TCP"} for port in workload.ports]
    peers = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        {"podSelector": {"matchLabels": {client(workload.name): "true"}}},
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(workload.name),
        "spec": {
            "podSelector": {"matchLabels": selector(workload.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers, "ports": ports}],
            "egress": [],
        },
    }


def clients_policy(store: str | None) -> Manifest:
    """Let the jobs of this program reach the data services, names, and an object store elsewhere; nothing else.

    `store` is that store's URL. The metadata address of cloud machines is never reached.
    """
    component = "app.kubernetes.io/component"
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    egress: list[Manifest] = [
        {"to": [system], "ports": dns},
        {"to": [{"podSelector": {"matchLabels": {component: "data"}}}]},
    ]
    if store:
        url = urlsplit(store)
        port = url.port or (443 if url.scheme == "https" else 80)
        anywhere = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
        egress.append({"to": [anywhere], "ports": [{"port": port, "protocol": "TCP"}]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata("data-clients"),
        "spec": {
            "podSelector": {"matchLabels": {component: "client"}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": egress,
        },
    }


def stateful_set(workload: Workload, storage_class: str, generation: int) -> Manifest:
    """Return the StatefulSet. Its claim stays when it goes (spec.persistentVolumeClaimRetentionPolicy)."""
    claim = {
        "metadata": {"name": "data", "labels": labels(workload.name)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": workload.size}},
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(workload.name),
        "spec": {
            "replicas": 1,
            "serviceName": f"{workload.name}-headless",
            "selector": {"matchLabels": selector(workload.name)},
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": _pod(workload, generation),
            "volumeClaimTemplates": [claim],
        },
    }


def _pod(workload: Workload, generation: int) -> Manifest:
    scratch, scratch_mounts = scratch_volumes(workload.scratch)
    mounts = [{"name": "data", "mountPath": DATA_MOUNT}, *scratch_mounts, *workload.mounts]
    volumes = [*scratch, *workload.volumes]
    annotations = {GENERATION: str(generation)}
    if workload.config:
        mounts.append({"name": "config", "mountPath": CONFIG_MOUNT, "readOnly": True})
        volumes.append({"name": "config", "configMap": {"name": workload.config_name}})
        annotations["xgen/config-checksum"] = checksum(workload.config)
    ports = [{"name": port.name, "containerPort": port.number, "protocol": "TCP"} for port in workload.ports]
    return {
        "metadata": {"labels": labels(workload.name), "annotations": annotations},
        "spec": {
            **pod_base(workload.user, workload.mirror),
            "terminationGracePeriodSeconds": workload.grace_seconds,
            "initContainers": [container(workload, each, mounts) for each in workload.init],
            "containers": [
                container(workload, {"name": workload.name, "ports": ports, **workload.container}, mounts)
            ],
            "volumes": volumes,
        },
    }


def container(workload: Workload, own: Mapping[str, Any], mounts: Sequence[Mapping[str, Any]]) -> Manifest:
    """Complete a container of a workload: image, resources, security, mounts."""
    return {
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": resources(workload.requests, workload.limits),
        "securityContext": container_security(),
        "volumeMounts": list(mounts),
        **own,
    }


def checksum(config: Mapping[str, str]) -> str:
    """Return a digest of a ConfigMap's files, so that a change of one rolls the pod."""
    return hashlib.sha256(json.dumps(dict(config), sort_keys=True).encode()).hexdigest()[:16]


def pull_secret(docker_config: Any) -> Manifest:
    """Return the Secret with which images are pulled from a mirror (a .dockerconfigjson)."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(naming.REGISTRY_SECRET, "images"),
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": docker_config},
    }


def namespace(*, enforce: bool) -> Manifest:
    """Return the data namespace. Where it is enforced, only restricted pods are admitted; otherwise it warns."""
    security = {"pod-security.kubernetes.io/warn": "restricted"}
    if enforce:
        security["pod-security.kubernetes.io/enforce"] = "restricted"
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": naming.DATA_NAMESPACE,
            "labels": {**labels(naming.DATA_NAMESPACE), **security},
        },
    }


def storage_class(name: str, provisioner: str) -> Manifest:
    """Return the StorageClass that keeps a volume whose claim is gone."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "labels": labels(name)},
        "provisioner": provisioner,
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
