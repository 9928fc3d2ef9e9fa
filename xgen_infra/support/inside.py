"""What the cluster tells: workloads, events, pods that fail with their logs, Argo CD, who is well and who is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from xgen_infra import naming
from xgen_infra.health import Judge
from xgen_infra.secrecy import known, opened, redact
from xgen_infra.site import Site
from xgen_infra.support.bundle import Bundle

_SECONDS = 20
_LINES = 500
_BYTES = 512 * 1024
_NOT_FOUND = 404
Object = dict[str, Any]
Lister = Callable[..., Any]


@dataclass
class _Cluster:
    """One cluster, looked at namespace by namespace; what it refuses is missing, and the rest goes on."""

    bundle: Bundle
    api: client.ApiClient

    def objects(self, what: str, lister: Lister, *arguments: str) -> list[Object] | None:
        """Return a list of objects as JSON; None where the API server refuses."""
        try:
            listed = lister(*arguments, _request_timeout=_SECONDS)
        except ApiException as error:
            if error.status != _NOT_FOUND:
                self.bundle.lack(what, f"{error.status} {error.reason}")
            return None
        except ValueError as error:
            # An answer that the client's models do not take.
            self.bundle.lack(what, error)
            return None
        items = listed["items"] if isinstance(listed, dict) else listed.items
        found: list[Object] = self.api.sanitize_for_serialization(items)
        return found

    def add(self, path: str, about: str, lister: Lister, *arguments: str) -> list[Object]:
        """Add a list of objects, redacted, and return it."""
        found = self.objects(path, lister, *arguments)
        if found is not None:
            self.bundle.add(path, about, [redact.kubernetes(item) for item in found])
        return found or []


def look(bundle: Bundle, site: Site, api: client.ApiClient, tell: Callable[[str], None]) -> None:
    """Add what the cluster of a site shows. Raises what the client raises where it does not answer."""
    cluster, core = _Cluster(bundle, api), client.CoreV1Api(api)
    there = {item.metadata.name for item in core.list_namespace(_request_timeout=_SECONDS).items}
    read = client.VersionApi(api).get_code(_request_timeout=_SECONDS)
    bundle.add("cluster/version.json", "the API server's version", api.sanitize_for_serialization(read))
    cluster.add("cluster/nodes.json", "nodes and their conditions", core.list_node)
    cluster.add("cluster/volumes.json", "persistent volumes", core.list_persistent_volume)
    cluster.add(
        "cluster/storage-classes.json", "storage classes", client.StorageV1Api(api).list_storage_class
    )
    for namespace in namespaces(site):
        if namespace in there:
            tell(f"namespace {namespace}")
            _secrets(cluster, namespace)
            _namespace(cluster, namespace)
        else:
            bundle.lack(f"namespace {namespace}", "it does not exist")
    _argocd(cluster, site)
    verdicts = Judge(api, site).look()
    judged = [
        {"service": one.service, "good": one.good, "state": one.state, "reasons": list(one.reasons)}
        for one in verdicts
    ]
    bundle.add("health.json", "the six services, as xgen wait judges them", redact.data(judged))


def namespaces(site: Site) -> tuple[str, ...]:
    """Return the namespaces that a bundle looks into."""
    return tuple(
        dict.fromkeys((site.namespace, naming.ARGOCD_NAMESPACE, naming.DATA_NAMESPACE, "kube-system"))
    )


def _namespace(cluster: _Cluster, namespace: str) -> None:
    api, place = cluster.api, f"cluster/{namespace}"
    core, apps, batch = client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api)
    scaling, network = client.AutoscalingV2Api(api), client.NetworkingV1Api(api)
    for name, lister in {
        "events": core.list_namespaced_event,
        "deployments": apps.list_namespaced_deployment,
        "stateful-sets": apps.list_namespaced_stateful_set,
        "daemon-sets": apps.list_namespaced_daemon_set,
        "replica-sets": apps.list_namespaced_replica_set,
        "jobs": batch.list_namespaced_job,
        "cron-jobs": batch.list_namespaced_cron_job,
        "autoscalers": scaling.list_namespaced_horizontal_pod_autoscaler,
        "services": core.list_namespaced_service,
        "ingresses": network.list_namespaced_ingress,
        "network-policies": network.list_namespaced_network_policy,
        "claims": core.list_namespaced_persistent_volume_claim,
        "config-maps": core.list_namespaced_config_map,
    }.items():
        cluster.add(f"{place}/{name}.json", f"{name} of {namespace}", lister, namespace)
    pods = cluster.add(f"{place}/pods.json", f"pods of {namespace}", core.list_namespaced_pod, namespace)
    for pod in pods:
        if fails(pod):
            _logs(cluster, core, pod)


def _secrets(cluster: _Cluster, namespace: str) -> None:
    """Learn the values of a namespace's Secrets, in order to search for them; add names and keys alone."""
    what = f"the Secrets of {namespace}"
    try:
        listed = client.CoreV1Api(cluster.api).list_namespaced_secret(namespace, _request_timeout=_SECONDS)
    except ApiException as error:
        cluster.bundle.not_searched(what, f"{error.status} {error.reason}")
        cluster.bundle.lack(what, f"{error.status} {error.reason}")
        return
    found: list[Object] = cluster.api.sanitize_for_serialization(listed.items)
    for secret in found:
        values = known.of_kubernetes(secret)
        cluster.bundle.known |= values
        opened.note(*values.values())
    shown = [
        {
            "name": secret["metadata"]["name"],
            "type": secret.get("type"),
            "keys": sorted(secret.get("data") or {}),
            "created": secret["metadata"].get("creationTimestamp"),
        }
        for secret in found
    ]
    cluster.bundle.add(f"cluster/{namespace}/secrets.json", f"{what}: names and keys alone", shown)


def fails(pod: Object) -> bool:
    """Whether a pod is not ready although it should be, or has a container that ended badly before."""
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return False
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])
    return not ready or any(one.get("restartCount") for one in _containers(pod))


def _containers(pod: Object) -> Iterable[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _logs(cluster: _Cluster, core: client.CoreV1Api, pod: Object) -> None:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    for container in _containers(pod):
        for previous in (False, True) if container.get("restartCount") else (False,):
            path = f"logs/{namespace}/{name}/{container['name']}{'.previous' if previous else ''}.log"
            try:
                said = core.read_namespaced_pod_log(
                    name,
                    namespace,
                    container=container["name"],
                    previous=previous,
                    tail_lines=_LINES,
                    limit_bytes=_BYTES,
                    timestamps=True,
                    _request_timeout=_SECONDS,
                )
            except ApiException as error:
                cluster.bundle.lack(path, f"{error.status} {error.reason}")
            else:
                cluster.bundle.add(
                    path, f"the last {_LINES} lines of a pod that fails", redact.text(str(said))
                )


def _argocd(cluster: _Cluster, site: Site) -> None:
    if site.delivery != "argocd":
        return
    custom = client.CustomObjectsApi(cluster.api)
    for plural in ("applications", "appprojects"):
        cluster.add(
            f"argocd/{plural}.json",
            f"Argo CD's {plural}, their status and the history of their syncs",
            custom.list_namespaced_custom_object,
            "argoproj.io",
            "v1alpha1",
            naming.ARGOCD_NAMESPACE,
            plural,
        )
