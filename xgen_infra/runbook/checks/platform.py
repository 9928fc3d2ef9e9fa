"""Checks on nodes, versions, namespaces, dumps and volumes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes import client

from xgen_infra import naming
from xgen_infra.aws.upgrade import minor
from xgen_infra.health import pods
from xgen_infra.runbook.checks.read import (
    NAME,
    Object,
    all_right,
    condition,
    count,
    objects,
    one_object,
)
from xgen_infra.runbook.facts import listed
from xgen_infra.runbook.scene import SECONDS, Scene
from xgen_infra.runbook.step import CheckFailedError, on_eks

_DUMP_AGE = timedelta(hours=49)


def nodes_ready(scene: Scene) -> str:
    """See every node Ready."""
    nodes = objects(scene, client.CoreV1Api(scene.api).list_node)
    if not nodes:
        raise CheckFailedError("the cluster has no node")
    wrong = [one["metadata"]["name"] for one in nodes if condition(one, "Ready").get("status") != "True"]
    return all_right([f"not Ready: {listed(wrong)}"] if wrong else [], f"{count(nodes, 'node')}, all Ready")


def versions(scene: Scene) -> str:
    """See the control plane at the stack's version at least, and no node ahead of it or closed to pods.

    Kubernetes documentation, "Version Skew Policy": a kubelet is never newer than the API server.
    """
    answer = client.VersionApi(scene.api).get_code(_request_timeout=SECONDS)
    plane = f"{answer.major}.{answer.minor}".rstrip("+")
    nodes = objects(scene, client.CoreV1Api(scene.api).list_node)
    wrong = []
    if on_eks(scene.facts) and minor(plane) < minor(scene.facts.text("cluster", "kubernetesVersion")):
        wrong.append(
            f"the control plane is {plane}, the stack says {scene.facts.get('cluster', 'kubernetesVersion')}"
        )
    kubelets = {one["metadata"]["name"]: _kubelet(one) for one in nodes}
    wrong += [
        f"node {name} is {version}, the control plane {plane}"
        for name, version in kubelets.items()
        if version.startswith("1.") and minor(version) > minor(plane)
    ]
    wrong += [
        f"node {one['metadata']['name']} is cordoned" for one in nodes if one["spec"].get("unschedulable")
    ]
    told = listed(sorted(set(kubelets.values())))
    return all_right(wrong, f"control plane {plane}, nodes {told}")


def _kubelet(node: Object) -> str:
    version = str(((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion", "unknown"))
    return ".".join(version.removeprefix("v").split(".")[:2]) if version.startswith("v") else version


def dumps(scene: Scene) -> str:
    """See the CronJobs of dump and restore, and that a dump has succeeded when one was due."""
    namespace = naming.DATA_NAMESPACE
    batch = client.BatchV1Api(scene.api)
    dump = one_object(scene, batch.read_namespaced_cron_job, "postgres-backup", namespace)
    restore = one_object(scene, batch.read_namespaced_cron_job, "postgres-restore", namespace)
    wrong = [
        f"no CronJob {name} in {namespace}"
        for name, found in (("postgres-backup", dump), ("postgres-restore", restore))
        if found is None
    ]
    if dump is None or wrong:
        raise CheckFailedError("; ".join(wrong))
    if dump["spec"].get("suspend"):
        wrong.append("postgres-backup is suspended: nothing is dumped")
    last = (dump.get("status") or {}).get("lastSuccessfulTime")
    since = _time(last or dump["metadata"]["creationTimestamp"])
    if datetime.now(UTC) - since > _DUMP_AGE:
        wrong.append(f"no dump has succeeded since {since:%Y-%m-%d %H:%M} UTC")
    return all_right(wrong, f"last dump {since:%Y-%m-%d %H:%M} UTC" if last else "no dump was due yet")


def namespaces_active(scene: Scene) -> str:
    """See no namespace of this installation half removed."""
    names = [scene.facts.namespace]
    names += [str(found)] if (found := scene.facts.get("argocd", "namespace")) else []
    names += [str(found)] if (found := scene.facts.get("cluster", "dataNamespace")) else []
    wrong = []
    for name in names:
        found = one_object(scene, client.CoreV1Api(scene.api).read_namespace, name)
        phase = ((found or {}).get("status") or {}).get("phase", "not there")
        wrong += [] if phase == "Active" else [f"namespace {name}: {phase}"]
    return all_right(wrong, f"{listed(names)} active: nothing is half removed")


def store_ready(scene: Scene) -> str:
    """See the object store in the cluster, and its volume, there."""
    namespace = scene.facts.text("cluster", "dataNamespace")
    claims = objects(scene, client.CoreV1Api(scene.api).list_namespaced_persistent_volume_claim, namespace)
    wrong = [
        f"volume claim {one['metadata']['name']}: {one['status'].get('phase')}"
        for one in claims
        if one["status"].get("phase") != "Bound"
    ]
    ready = [
        pod
        for pod in objects(scene, client.CoreV1Api(scene.api).list_namespaced_pod, namespace)
        if (pod["metadata"].get("labels") or {}).get(NAME) == "object-store"
    ]
    wrong += pods.problems(ready) or ([] if ready else ["no pod of object-store"])
    return all_right(wrong, f"object-store runs, {count(claims, 'volume claim')} bound")


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
