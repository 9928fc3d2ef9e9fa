"""A real control plane runs here: what a user relies on works, and nothing of it stays behind."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from chart.sites import STACKS, manifests, site_of

from xgen_infra import catalog
from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.control_plane.nodes import spread
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import Tool, ensure

pytestmark = pytest.mark.e2e
ZONES = ("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c")
NODES = spread(3, ZONES, "m7i.2xlarge", cpu="7910m", memory="29Gi", pods=58)


@pytest.fixture(scope="module")
def binaries() -> Mapping[Tool, Path]:
    return ensure([*control_plane.TOOLS, Tool.METRICS_SERVER, Tool.KUBECTL], print)


@pytest.fixture(scope="module")
def plane(binaries: Mapping[Tool, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    root = tmp_path_factory.mktemp("plane")
    with Supervisor(root) as supervisor:
        yield control_plane.start(supervisor, root, binaries, NODES)
        supervisor.check()


@pytest.fixture
def api(plane: ControlPlane) -> Iterator[Api]:
    api = Api(plane.kubeconfig)
    yield api
    api.close()


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    name = f"test-{time.monotonic_ns():x}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    api.delete(f"/api/v1/namespaces/{name}")


def eventually(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (httpx.HTTPError, KeyError, IndexError):
            pass
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def deployment(replicas: int, cpu: str = "100m", used: str = "1m") -> dict[str, Any]:
    labels = {"app": "web"}
    container = {"name": "web", "image": "registry.invalid/web:1", "resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"kwok.x-k8s.io/usage-cpu": used}},
                "spec": {"containers": [container]},
            },
        },
    }


def available(api: Api, namespace: str) -> int:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    return int(api.get(path)["status"].get("availableReplicas", 0))


def test_nodes_are_spread_over_the_zones_with_what_they_can_hold(api: Api) -> None:
    nodes = api.get("/api/v1/nodes")["items"]
    assert {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes} == set(ZONES)
    assert {node["metadata"]["labels"]["topology.kubernetes.io/region"] for node in nodes} == {
        "ap-northeast-2"
    }
    assert {node["status"]["allocatable"]["cpu"] for node in nodes} == {"7910m"}


@pytest.mark.parametrize("form", ["json", "com.github.proto-openapi.spec.v2@v1.0+protobuf"])
def test_clients_that_validate_by_openapi_find_it(api: Api, form: str) -> None:
    headers = {"Accept": f"application/{form}"}
    eventually(lambda: api._client.get("/openapi/v2", headers=headers).status_code == 200)


def test_a_deployment_becomes_available(api: Api, namespace: str) -> None:
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment(2))
    eventually(lambda: available(api, namespace) == 2)


def test_a_pod_that_fits_no_node_stays_pending(api: Api, namespace: str) -> None:
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment(1, cpu="100"))

    def unschedulable() -> bool:
        pod = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"][0]
        return bool(pod["status"]["conditions"][0]["reason"] == "Unschedulable")

    eventually(unschedulable)
    assert available(api, namespace) == 0


def test_an_autoscaler_sees_what_pods_use_and_scales_them(api: Api, namespace: str) -> None:
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment(2, used="300m"))
    target = {"type": "Utilization", "averageUtilization": 80}
    scaler = {
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
    api.create(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", scaler)
    eventually(lambda: available(api, namespace) > 2, seconds=120)


def test_a_claim_gets_a_simulated_volume_once_a_pod_needs_it(api: Api, namespace: str) -> None:
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    storage = {
        "metadata": {"name": namespace},
        "provisioner": "ebs.csi.aws.com",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    api.create(classes, storage)
    api.create(claims, {"metadata": {"name": "data"}, "spec": spec | {"storageClassName": namespace}})
    api.create(claims, {"metadata": {"name": "stray"}, "spec": spec | {"storageClassName": "absent"}})
    time.sleep(2.5)
    assert api.get(f"{claims}/data")["status"]["phase"] == "Pending"
    web = deployment(1)
    pod = web["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", web)
    eventually(lambda: available(api, namespace) == 1)
    volume = api.get(f"{claims}/data")["spec"]["volumeName"]
    assert api.get(f"{claims}/stray")["status"]["phase"] == "Pending"
    api.delete(f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    api.delete(f"{claims}/data")
    volumes = "/api/v1/persistentvolumes"
    eventually(lambda: volume not in [item["metadata"]["name"] for item in api.get(volumes)["items"]])
    api.delete(f"{classes}/{namespace}")


def test_a_load_balancer_and_an_ingress_get_a_simulated_address(api: Api, namespace: str) -> None:
    services = f"/api/v1/namespaces/{namespace}/services"
    ingresses = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    api.create(
        services, {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    )
    api.create(ingresses, {"metadata": {"name": "web"}, "spec": {"defaultBackend": backend}})

    def given() -> bool:
        items = [api.get(f"{path}/web") for path in (services, ingresses)]
        addresses = [item["status"]["loadBalancer"]["ingress"][0]["hostname"] for item in items]
        return addresses == ["lb.rehearsal.invalid"] * 2

    eventually(given)


def test_a_namespace_with_pods_goes(api: Api, namespace: str) -> None:
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment(2))
    eventually(lambda: available(api, namespace) == 2)
    api.delete(f"/api/v1/namespaces/{namespace}")
    names = "/api/v1/namespaces"
    eventually(lambda: namespace not in [item["metadata"]["name"] for item in api.get(names)["items"]])


def test_another_user_may_do_what_rbac_says_and_no_more(
    plane: ControlPlane, api: Api, namespace: str
) -> None:
    reader = Api(plane.kubeconfig_for("reader"))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        reader.get(pods)
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}],
    }
    api.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
    eventually(lambda: reader.get(pods)["items"] == [])
    reader.close()


def test_kubectl_works_with_the_kubeconfig(plane: ControlPlane, binaries: Mapping[Tool, Path]) -> None:
    argv = [str(binaries[Tool.KUBECTL]), f"--kubeconfig={plane.kubeconfig}", "version", "--output=json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["serverVersion"]["gitVersion"] == plane.version


def test_no_private_key_is_readable_by_others_and_no_secret_is_in_a_command_line(plane: ControlPlane) -> None:
    folder = plane.kubeconfig.parent
    private = [*folder.rglob("*.key"), *folder.rglob("*.kubeconfig")]
    assert len(private) > 5
    assert [path for path in private if path.stat().st_mode & 0o077] == []
    every = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    lines = [line for line in every if str(folder) in " ".join(line)]
    assert len(lines) >= 6
    assert "PRIVATE KEY" not in str(lines)


def test_two_control_planes_at_once_do_not_meet_and_leave_nothing(
    plane: ControlPlane, api: Api, binaries: Mapping[Tool, Path], tmp_path: Path
) -> None:
    with Supervisor(tmp_path) as supervisor:
        other = control_plane.start(supervisor, tmp_path, binaries, NODES[:1], metrics=False)
        pids = [process.pid for process in supervisor.processes.values()]
        graces = sum(process._record.grace for process in supervisor.processes.values())
        second = Api(other.kubeconfig)
        assert other.server != plane.server
        assert len(second.get("/api/v1/nodes")["items"]) == 1
        assert len(api.get("/api/v1/nodes")["items"]) == 3
        second.close()
        begun = time.monotonic()
    assert time.monotonic() - begun < graces
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert api.ready()


@pytest.mark.parametrize("stack", STACKS)
def test_what_a_customer_applies_is_taken_under_the_restricted_standard(
    stack: str, helm: Path, binaries: Mapping[Tool, Path], plane: ControlPlane, api: Api, tmp_path: Path
) -> None:
    """Each object, and each pod that its Deployment would make, as the API server and its admission judge them."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    name = site_of(stack).namespace
    api.apply(
        f"/api/v1/namespaces/{name}",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": restricted}},
    )
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    eventually(lambda: api.get(account))
    objects = [item for service in catalog.NAMES for item in manifests(helm, stack, service)]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{item['metadata']['name']}-pod", "namespace": name},
            # Accounts that a dry run makes are not there for the pods.
            "spec": {**item["spec"]["template"]["spec"], "serviceAccountName": "default"},
        }
        for item in objects
        if item["kind"] == "Deployment"
    ]
    assert len(pods) == len(catalog.NAMES)
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all([*objects, *pods]))
    command = [binaries[Tool.KUBECTL], "--kubeconfig", plane.kubeconfig, "apply", "--server-side"]
    done = subprocess.run(
        [*command, "--dry-run=server", "--validate=strict", "--filename", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert done.stdout.count("serverside-applied (server dry run)") == len(objects) + len(pods)
