"""A K3s cluster before the first `up`: a real API server with nodes and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.control_plane.nodes import spread
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import Tool, ensure

from .conftest import Customers

pytestmark = pytest.mark.e2e
LOCAL_PATH = {
    "metadata": {"name": "local-path"},
    "provisioner": "rancher.io/local-path",
    "reclaimPolicy": "Delete",
}
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
INGRESSES = "/apis/networking.k8s.io/v1/ingressclasses"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    root = tmp_path_factory.mktemp("plane")
    binaries = ensure([*control_plane.TOOLS, Tool.METRICS_SERVER], print)
    nodes = spread(2, ("a",), "m7i.2xlarge", cpu="8", memory="32Gi", pods=110)
    with Supervisor(root) as supervisor:
        yield control_plane.start(supervisor, root, binaries, nodes, context="lotteimall")
        supervisor.check()


@pytest.fixture
def api(plane: ControlPlane) -> Iterator[Api]:
    api = Api(plane.kubeconfig)
    yield api
    api.close()


@pytest.fixture
def reached(customers: Customers, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Customers:
    # The client reads KUBECONFIG once, when it is imported: in this process long ago.
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(plane.kubeconfig))
    return customers


def cluster(customers: Customers, line: str) -> None:
    customers.edit("lotteimall", "      context: lotteimall", f"      context: lotteimall\n      {line}")


def test_the_version_is_the_files_or_one_that_is_tested(reached: Customers, plane: ControlPlane) -> None:
    seen = reached.look("lotteimall", "cluster")
    assert seen.level == "ok", seen.results
    assert plane.version in seen.found
    cluster(reached, 'version: "1.33"')
    problem = reached.look("lotteimall", "cluster").problem
    assert problem["level"] == "error"
    assert "and the file says 1.33" in problem["found"]
    assert "cluster.context" in problem["mend"]


@pytest.mark.parametrize(
    ("known", "level", "mend"), [("1.99", "error", "upgrade K3s"), ("1.20", "warning", "no customer")]
)
def test_older_than_what_is_tested_is_an_error_and_newer_a_warning(
    known: str, level: str, mend: str, reached: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xgen_infra.versions.EKS", {known: None})
    problem = reached.look("lotteimall", "cluster").problem
    assert problem["level"] == level
    assert mend in problem["mend"]


def test_a_context_that_is_not_there_is_an_error_and_stops_the_rest(reached: Customers) -> None:
    reached.edit("lotteimall", "context: lotteimall", "context: elsewhere")
    problem = reached.look("lotteimall", "cluster").problem
    assert problem["level"] == "error"
    assert "elsewhere" in problem["found"]
    assert "--kubeconfig" in problem["mend"]
    for check in ("storage-class", "ingress-class", "metrics", "nodes"):
        problem = reached.look("lotteimall", check).problem
        assert problem["level"] == "warning"
        assert problem["mend"] == "see the check cluster"


def test_who_makes_volumes_has_to_be_there_and_to_keep_them(reached: Customers, api: Api) -> None:
    problem = reached.look("lotteimall", "storage-class").problem
    assert "no StorageClass here is made by rancher.io/local-path" in problem["found"]
    assert "cluster.provisioner" in problem["mend"]
    api.create(CLASSES, LOCAL_PATH)
    assert reached.look("lotteimall", "storage-class").level == "ok"
    text = reached.file("lotteimall").read_text()
    cluster(reached, "storage: {className: local-path}")
    problem = reached.look("lotteimall", "storage-class").problem
    assert problem["level"] == "warning"
    assert "reclaimPolicy: Retain" in problem["mend"]
    reached.file("lotteimall").write_text(text)
    cluster(reached, "storage: {className: fast}")
    problem = reached.look("lotteimall", "storage-class").problem
    assert problem["level"] == "error"
    assert "there are: local-path" in problem["found"]
    assert "cluster.storage.className" in problem["mend"]


def test_an_exposed_site_needs_traefik_and_its_certificate(reached: Customers, api: Api) -> None:
    problem = reached.look("lotteimall", "ingress-class").problem
    assert problem["level"] == "error"
    assert "Traefik" in problem["mend"]
    api.create(
        INGRESSES, {"metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}}
    )
    assert reached.look("lotteimall", "ingress-class").level == "ok"
    reached.edit("lotteimall", "      kind: internal", "      kind: internal\n      tlsSecret: xgen-tls")
    problem = reached.look("lotteimall", "ingress-class").problem
    assert problem["level"] == "warning"
    assert "create secret tls xgen-tls" in problem["mend"]


def test_the_pods_have_to_find_room_each_on_one_node(reached: Customers) -> None:
    seen = reached.look("lotteimall", "nodes")
    assert seen.level == "ok", seen.results
    assert "16 pods request" in seen.found, "two of each service, and four data services"
    reached.edit(
        "lotteimall",
        "    exposure:\n",
        "    services: {xgen-core: {resources: {requests: {memory: 40Gi}, limits: {memory: 40Gi}}}}\n    exposure:\n",
    )
    problem = reached.look("lotteimall", "nodes").problem
    assert problem["level"] == "error"
    assert "2 of 16 pods find no room: xgen-core" in problem["found"]
    assert "add a node" in problem["mend"]
    reached.edit("lotteimall", "    exposure:\n", "    images: {tag: latest-arm64}\n    exposure:\n")
    assert "the images are for arm64" in reached.look("lotteimall", "nodes").found


def test_metrics_that_are_not_served_are_an_error(reached: Customers, api: Api) -> None:
    assert reached.look("lotteimall", "metrics").level == "ok"
    api.delete("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")
    problem = reached.look("lotteimall", "metrics").problem
    assert problem["level"] == "error"
    assert "metrics-server" in problem["mend"]


def test_the_file_that_kubeconfig_names_wins(
    customers: Customers, plane: ControlPlane, tmp_path: Path
) -> None:
    customers.environment["KUBECONFIG"] = str(tmp_path / "none")
    done = customers.xgen(
        "preflight", "lotteimall", "--only", "cluster", "--kubeconfig", str(plane.kubeconfig)
    )
    assert done.exit_code == 0, done.stdout
