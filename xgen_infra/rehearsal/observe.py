"""What the cluster shows: the six services' Deployments and pods, Secrets, Applications."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

from xgen_infra import catalog, naming


@dataclass(frozen=True)
class Pod:
    """A pod of one of the six: `uid` tells whether it is the same pod as before."""

    name: str
    uid: str
    service: str
    ready: bool
    image: str


class ClusterView:
    """Read-only questions to one cluster, by a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig))
        self.core = client.CoreV1Api(api)
        self.apps = client.AppsV1Api(api)
        self.custom = client.CustomObjectsApi(api)
        self.autoscaling = client.AutoscalingV2Api(api)

    def pods(self, namespace: str) -> list[Pod]:
        """List the six services' pods that are not going away."""
        found = []
        for pod in self.core.list_namespaced_pod(namespace).items:
            service = (pod.metadata.labels or {}).get("app.kubernetes.io/name", "")
            if service not in catalog.NAMES or pod.metadata.deletion_timestamp:
                continue
            conditions = {c.type: c.status for c in pod.status.conditions or []}
            ready = conditions.get("Ready") == "True"
            image = pod.spec.containers[0].image
            found.append(Pod(pod.metadata.name, pod.metadata.uid, service, ready, image))
        return found

    def ready_services(self, namespace: str) -> dict[str, str]:
        """Return "ready/wanted" of each of the six Deployments that exist."""
        state = {}
        for deployment in self.apps.list_namespaced_deployment(namespace).items:
            if deployment.metadata.name in catalog.NAMES:
                wanted, status = deployment.spec.replicas, deployment.status
                current = status.observed_generation == deployment.metadata.generation
                updated = min(status.ready_replicas or 0, status.updated_replicas or 0) if current else 0
                state[deployment.metadata.name] = f"{updated}/{wanted}"
        return state

    def all_ready(self, namespace: str, least: Mapping[str, int]) -> bool:
        """Whether each service is there, every replica up to date and ready, and no fewer than `least`."""
        state = {name: value.split("/") for name, value in self.ready_services(namespace).items()}
        return state.keys() >= least.keys() and all(
            state[name][0] == state[name][1] and int(state[name][0]) >= number
            for name, number in least.items()
        )

    def environment(self, namespace: str, service: str) -> dict[str, str]:
        """Return the environment that a service's container gets, read as the kubelet would."""
        deployment = self.apps.read_namespaced_deployment(service, namespace)
        container = deployment.spec.template.spec.containers[0]
        values: dict[str, str] = {}
        for source in container.env_from or []:
            if source.config_map_ref:
                values |= (
                    self.core.read_namespaced_config_map(source.config_map_ref.name, namespace).data or {}
                )
        for variable in container.env or []:
            reference = variable.value_from.secret_key_ref if variable.value_from else None
            if reference:
                values[variable.name] = self.secret(namespace, reference.name)[reference.key]
            elif variable.value is not None:
                values[variable.name] = variable.value
        return values

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return what a Secret holds."""
        data = self.core.read_namespaced_secret(name, namespace).data or {}
        return {key: b64decode(value).decode() for key, value in data.items()}

    def applications(self) -> dict[str, dict[str, Any]]:
        """Return the Argo CD Applications by name."""
        listed = self.custom.list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", naming.ARGOCD_NAMESPACE, "applications"
        )
        return {item["metadata"]["name"]: item for item in listed["items"]}

    def namespaces(self) -> set[str]:
        """Return the names of all namespaces."""
        return {item.metadata.name for item in self.core.list_namespace().items}


def until(ready: Callable[[], bool], seconds: float, interval: float = 0.3) -> bool:
    """Ask until the answer is yes; returns whether it came within `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True
