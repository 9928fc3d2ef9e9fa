"""A K3s cluster that exists: its version, and what the site asks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from xgen_infra import naming, versions
from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.scene import Scene
from xgen_infra.site import Site
from xgen_infra.vendor.targets import arch_of

_METRICS = "v1beta1.metrics.k8s.io"
_INGRESS = "traefik"


def version(scene: Scene) -> Iterator[Result]:
    """Look whether the kubeconfig's context leads to a cluster of a version that the charts are tested with."""
    try:
        with scene.cluster() as api:
            told = client.VersionApi(api).get_code()
    except StopError as stop:
        yield refuse(stop.result.found.removeprefix("not looked at: "))
        return
    minor = f"{told.major}.{re.sub(r'[^0-9]', '', told.minor)}"
    known = sorted(versions.EKS, key=_ordered)
    where = scene.k3s.context or "the current context"
    said = scene.k3s.version
    if said and minor != said:
        yield refuse(
            f"the cluster of {where} is {told.git_version}, and the file says {said}",
            "correct cluster.version, or cluster.context if this is another cluster",
        )
    elif _ordered(minor) < _ordered(known[0]):
        yield refuse(
            f"the cluster of {where} is {told.git_version}: {known[0]} or newer is needed",
            "upgrade K3s first, one minor at a time (K3s documentation, Upgrades)",
        )
    elif _ordered(minor) > _ordered(known[-1]):
        yield warn(
            f"the cluster of {where} is {told.git_version}, newer than {known[-1]}, the newest that is tested",
            "try it on a cluster of no customer first",
        )
    else:
        yield fine(f"the cluster of {where} is {told.git_version}")


def _ordered(minor: str) -> tuple[int, ...]:
    return tuple(map(int, minor.split(".")))


def holds_data(site: Site) -> bool:
    """Whether data services are made in a site's cluster, and so volumes."""
    from xgen_infra.k3s.data_services import in_cluster  # noqa: PLC0415 - brings Pulumi's SDK along

    return site.k3s is not None and not site.k3s.adopt.data_services and bool(in_cluster(site.infra))


def storage(scene: Scene) -> Iterator[Result]:
    """Look at the StorageClass that the file names, or at who would make the volumes of the site's own."""
    with scene.cluster() as api:
        classes = client.StorageV1Api(api).list_storage_class().items
    found = {one.metadata.name: one for one in classes}
    listed = ", ".join(sorted(found)) or "none"
    name, provisioner = scene.k3s.storage.class_name, scene.k3s.provisioner
    if name is None:
        if any(one.provisioner == provisioner for one in classes):
            yield fine(f"{provisioner} makes volumes here")
        else:
            yield refuse(
                f"no StorageClass here is made by {provisioner} (there are: {listed})",
                "write as cluster.provisioner who makes volumes here (kubectl get storageclass), or switch K3s' "
                "local-storage on",
            )
    elif name not in found:
        yield refuse(
            f"there is no StorageClass {name} (there are: {listed})", "correct cluster.storage.className"
        )
    elif found[name].reclaim_policy != "Retain":
        yield warn(
            f"the StorageClass {name} has the reclaim policy {found[name].reclaim_policy}: a volume goes with its "
            "claim",
            "use one with reclaimPolicy: Retain, or leave cluster.storage.className out",
        )
    else:
        yield fine(f"the StorageClass {name} keeps its volumes ({found[name].provisioner})")


def exposed(site: Site) -> bool:
    """Whether a site on K3s has Ingresses."""
    return site.k3s is not None and site.exposure.kind != "none"


def ingress(scene: Scene) -> Iterator[Result]:
    """Look for the Ingress class that the services name, and for the certificate's Secret."""
    secret, namespace = scene.site.exposure.tls_secret, scene.site.namespace
    with scene.cluster() as api:
        names = {one.metadata.name for one in client.NetworkingV1Api(api).list_ingress_class().items}
        there = secret is None or _there(client.CoreV1Api(api), secret, namespace)
    if _INGRESS in names:
        yield fine(f"the Ingress class {_INGRESS} is there")
    else:
        yield refuse(
            f"there is no Ingress class {_INGRESS} (there are: {', '.join(sorted(names)) or 'none'})"
        )
    if not there:
        yield warn(
            f"there is no Secret {secret} in {namespace} yet, which exposure.tlsSecret names",
            f"after the first up: kubectl --namespace {namespace} create secret tls {secret} --cert=FILE --key=FILE",
        )


def _there(core: client.CoreV1Api, secret: str, namespace: str) -> bool:
    try:
        core.read_namespaced_secret(secret, namespace)
    except ApiException as error:
        if error.status == 404:  # noqa: PLR2004
            return False
        raise
    return True


def metrics(scene: Scene) -> Iterator[Result]:
    """Look whether pods' usage is measured: without it no HorizontalPodAutoscaler scales."""
    with scene.cluster() as api:
        try:
            found = client.ApiregistrationV1Api(api).read_api_service(_METRICS)
        except ApiException as error:
            if error.status != 404:  # noqa: PLR2004
                raise
            yield refuse("there is no metrics API")
            return
    conditions = found.status.conditions or [] if found.status else []
    available = next((one for one in conditions if one.type == "Available"), None)
    if available is not None and available.status == "True":
        yield fine("the metrics API answers")
    else:
        yield refuse(f"the metrics API is there and does not answer ({getattr(available, 'message', None)})")


def nodes_suit(scene: Scene) -> Iterator[Result]:
    """Compare what the pods request with what the nodes have free, and the images' architecture with theirs."""
    from xgen_infra.preflight import room  # noqa: PLC0415 - records the program, which no other check here needs

    with scene.cluster() as api:
        core = client.CoreV1Api(api)
        nodes = [one for one in core.list_node().items if _usable(one)]
        pods = core.list_pod_for_all_namespaces().items
    if not nodes:
        yield refuse("no node is Ready and takes pods", "kubectl get nodes; kubectl describe node NAME")
        return
    wanted = arch_of(scene.site.images.tag)
    others = [one.metadata.name for one in nodes if one.status.node_info.architecture not in {wanted, ""}]
    if others:
        yield warn(
            f"the images are for {wanted}, and {', '.join(others)} {'is' if len(others) == 1 else 'are'} not",
            "build images for several architectures, or taint those nodes",
        )
    own = {scene.site.namespace, naming.DATA_NAMESPACE}
    yield room.judged(
        nodes, [one for one in pods if one.metadata.namespace not in own], room.demand(scene.site)
    )


def _usable(node: Any) -> bool:
    ready = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or [])
    closed = any(taint.effect in {"NoSchedule", "NoExecute"} for taint in node.spec.taints or [])
    return ready and not closed and not node.spec.unschedulable
