"""The data services on a real Kubernetes control plane: admitted, started, and their volumes outlive them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from xgen_infra.rehearsal import control_plane
from xgen_infra.rehearsal.control_plane import ControlPlane, spread
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import Tool, ensure

from .recording import Build

# A first run builds the tools.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
NODES = spread(2, ("rack-1",), "server", cpu="15", memory="60Gi", pods=110)
SPACE = "/namespaces/xgen-system"
SETS = f"/apis/apps/v1{SPACE}/statefulsets"
CLAIMS = f"/api/v1{SPACE}/persistentvolumeclaims"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "StatefulSet": SETS,
    "Job": f"/apis/batch/v1{SPACE}/jobs",
    "CronJob": f"/apis/batch/v1{SPACE}/cronjobs",
    "NetworkPolicy": f"/apis/networking.k8s.io/v1{SPACE}/networkpolicies",
    "Service": f"/api/v1{SPACE}/services",
    "Secret": f"/api/v1{SPACE}/secrets",
    "ConfigMap": f"/api/v1{SPACE}/configmaps",
}
FOUR = {"postgres", "redis", "qdrant", "object-store"}


@pytest.fixture(scope="module")
def binaries() -> Mapping[Tool, Path]:
    return ensure([*control_plane.TOOLS, Tool.KUBECTL], print)


@pytest.fixture(scope="module")
def plane(binaries: Mapping[Tool, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    root = tmp_path_factory.mktemp("plane")
    with Supervisor(root) as supervisor:
        yield control_plane.start(supervisor, root, binaries, NODES, metrics=False)
        supervisor.check()


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Iterator[Api]:
    api = Api(plane.kubeconfig)
    yield api
    api.close()


@pytest.fixture
def applied(api: Api, build: Build) -> Iterator[list[dict[str, Any]]]:
    """Every object of a site, applied in the program's order; taken away but for the namespace afterwards."""
    manifests = build().manifests
    for manifest in manifests:
        answer = api.apply(path(manifest), manifest)
        assert answer["kind"] == manifest["kind"]
    yield manifests
    remove(api, manifests)


def remove(api: Api, manifests: list[dict[str, Any]]) -> None:
    """Take a stack's objects away as `pulumi destroy` does: all but the namespace, which it retains."""
    for manifest in reversed(manifests):
        if manifest["kind"] != "Namespace":
            api.delete(f"{path(manifest)}?propagationPolicy=Background")


def path(manifest: Mapping[str, Any]) -> str:
    return f"{PATHS[manifest['kind']]}/{manifest['metadata']['name']}"


def eventually(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (httpx.HTTPStatusError, KeyError, ValueError):
            pass
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def ready(api: Api) -> set[str]:
    return {
        item["metadata"]["name"]
        for item in api.get(SETS)["items"]
        if item["status"].get("readyReplicas") == item["spec"]["replicas"]
    }


def serves(api: Api, service: str) -> bool:
    """Return whether exactly one pod stands behind a Service."""
    chosen = f"labelSelector=kubernetes.io/service-name={service}"
    (found,) = api.get(f"/apis/discovery.k8s.io/v1{SPACE}/endpointslices?{chosen}")["items"]
    return len(found["endpoints"] or ()) == 1


def claims(api: Api) -> dict[str, str]:
    """Return each bound claim's identity by its name."""
    return {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in api.get(CLAIMS)["items"]
        if item["status"]["phase"] == "Bound"
    }


def test_the_cluster_admits_and_runs_every_data_service(api: Api, applied: list[dict[str, Any]]) -> None:
    eventually(lambda: ready(api) == FOUR)
    assert set(claims(api)) == {f"data-{name}-0" for name in FOUR}
    eventually(lambda: api.get(f"{PATHS['Job']}/object-store-bucket")["status"].get("succeeded") == 1)
    for name in FOUR:
        eventually(partial(serves, api, name))


def test_a_pod_that_may_become_root_is_refused_beside_them(api: Api, applied: list[dict[str, Any]]) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "root", "image": "registry.invalid/root:1"}]},
    }
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.create(f"/api/v1{SPACE}/pods", pod)
    assert refused.value.response.status_code == httpx.codes.FORBIDDEN


def test_volumes_outlive_the_stack_and_the_next_one_finds_them(api: Api, build: Build) -> None:
    manifests = build().manifests
    for manifest in manifests:
        api.apply(path(manifest), manifest)
    eventually(lambda: ready(api) == FOUR)
    before = claims(api)
    remove(api, manifests)
    eventually(lambda: not api.get(f"/api/v1{SPACE}/pods")["items"])
    time.sleep(2)
    assert claims(api) == before
    for manifest in manifests:
        api.apply(path(manifest), manifest)
    eventually(lambda: ready(api) == FOUR)
    assert claims(api) == before
    remove(api, manifests)


def test_a_restore_is_started_from_the_suspended_job_with_a_chosen_dump(
    api: Api, plane: ControlPlane, binaries: Mapping[Tool, Path], applied: list[dict[str, Any]]
) -> None:
    """The commands of docs/tasks/restore-a-database.md."""
    kubectl = f"{binaries[Tool.KUBECTL]} --kubeconfig={plane.kubeconfig} --namespace=xgen-system"
    commands = (
        f"{kubectl} create job restore-1 --from=cronjob/postgres-restore --dry-run=client -o json"
        " | " + f"{kubectl} set env --local -f - BACKUP=xgen-20260101T021700Z.dump --containers=fetch -o json"
        " | " + f"{kubectl} apply -f -"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", commands], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    job = f"{PATHS['Job']}/restore-1"
    (fetch,) = api.get(job)["spec"]["template"]["spec"]["initContainers"]
    assert {"name": "BACKUP", "value": "xgen-20260101T021700Z.dump"} in fetch["env"]
    eventually(lambda: api.get(job)["status"].get("succeeded") == 1)
    api.delete(f"{job}?propagationPolicy=Background")
    assert api.get(f"{PATHS['CronJob']}/postgres-restore")["spec"]["suspend"] is True
