"""Images and charts before the first `up`: registries on loopback that ask for a login, speak TLS or do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from vendor.registry_stub import Stub, authority, serve, tls

from xgen_infra import catalog, versions
from xgen_infra.rehearsal.ports import free_ports, release

from .conftest import SECRETS, Customers, serving

USER = ("xgen-pull", SECRETS["XGEN_REGISTRY_PASSWORD"])


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve(Stub(user=USER)) as running:
        for name in catalog.NAMES:
            running.put(f"xgen/aww/{name}", "latest-amd64")
        yield running


def at(customers: Customers, stub: Stub) -> Customers:
    customers.edit("aww", "host: nexus.aww.example:5000", f"host: {stub.host}")
    return customers


def test_six_images_are_pulled_with_the_sites_own_login(customers: Customers, stub: Stub) -> None:
    seen = at(customers, stub).look("aww", "images")
    assert seen.level == "ok", seen.results
    assert seen.found.count("for linux/amd64") == 6
    assert f"{stub.host} is a registry, over HTTP" in seen.found


def test_a_wrong_password_is_said_once_and_names_the_secret(customers: Customers, stub: Stub) -> None:
    problem = at(customers, stub).look("aww", "images", XGEN_REGISTRY_PASSWORD="old-one").problem
    assert problem["level"] == "error"
    assert "refuses the user xgen-pull" in problem["found"]
    assert "xgen-infra:registryPassword" in problem["mend"]
    assert "old-one" not in str(problem)


def test_a_missing_image_waits_for_the_build_with_argocd_and_stops_a_helm_release(
    customers: Customers, stub: Stub
) -> None:
    at(customers, stub)
    del stub.manifests["xgen/aww/xgen-core", "latest-amd64"]
    problem = customers.look("aww", "images").problem
    assert problem["level"] == "warning"
    assert "xgen/aww/xgen-core" in problem["found"]
    assert "let Jenkins build and push it first" in problem["mend"]
    customers.edit("aww", "    registry:\n", "    delivery: helm\n    registry:\n")
    assert customers.look("aww", "images").problem["level"] == "error"


def test_an_image_for_another_architecture_than_the_nodes_is_an_error(
    customers: Customers, stub: Stub
) -> None:
    stub.put("xgen/aww/xgen-core", "latest-amd64", "linux/arm64")
    problem = at(customers, stub).look("aww", "images").problem
    assert problem["level"] == "error"
    assert "built for linux/arm64, and linux/amd64 is wanted" in problem["found"]
    assert "--platform linux/amd64" in problem["mend"]
    customers.edit("aww", "[m7i.2xlarge]", "[m7g.2xlarge]")
    seen = customers.look("aww", "images")
    assert [one["level"] for one in seen.results].count("error") == 5, "five are for the other nodes now"


def test_plain_http_that_the_file_does_not_say_and_tls_that_it_denies(
    customers: Customers, stub: Stub, tmp_path: Path
) -> None:
    at(customers, stub)
    customers.edit("aww", "      plainHttp: true\n", "")
    problem = customers.look("aww", "images").problem
    assert problem["level"] == "error"
    assert "write plainHttp: true" in problem["mend"]
    pem, certificate, key = authority(tmp_path)
    with serve(Stub(user=USER), tls(certificate, key)) as secure:
        customers.edit("aww", f"host: {stub.host}", f"host: {secure.host}\n      plainHttp: true")
        problem = customers.look("aww", "images").problem
        assert "remove plainHttp: true" in problem["mend"]
        customers.edit("aww", "      plainHttp: true\n", "")
        problem = customers.look("aww", "images").problem
        assert "registry.caCertificate" in problem["mend"]
        assert pem not in problem["found"]


def test_a_registry_that_cannot_be_reached_from_here_is_a_warning(customers: Customers) -> None:
    (port,) = free_ports(1)
    customers.edit("aww", "host: nexus.aww.example:5000", f"host: localhost:{port}")
    problem = customers.look("aww", "images").problem
    release([port])
    assert problem["level"] == "warning"
    assert "host in the management network" in problem["mend"]


def test_a_server_that_is_no_registry_is_an_error(customers: Customers) -> None:
    with serve(Stub(overrides=[lambda _: (404, {}, b"nothing")])) as other:
        problem = at(customers, other).look("aww", "images").problem
    assert problem["level"] == "error"
    assert "connector port" in problem["mend"]


@contextmanager
def charts(folder: Path, found: dict[str, list[str]]) -> Iterator[str]:
    """A chart repository that has these versions of these charts."""
    folder.mkdir(exist_ok=True)
    entries = {name: [{"name": name, "version": one} for one in listed] for name, listed in found.items()}
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, directory=str(folder), **more)

        def log_message(self, *_: Any) -> None:
            return

    with serving(Quiet) as port:
        yield f"http://127.0.0.1:{port}"


def test_charts_are_there_in_the_pinned_versions(customers: Customers, tmp_path: Path) -> None:
    pinned = (versions.ARGO_CD, versions.CLUSTER_AUTOSCALER, versions.LOAD_BALANCER_CONTROLLER)
    with charts(tmp_path / "charts", {one.name: ["0.0.1", one.version] for one in pinned}) as url:
        customers.edit("aww", "    exposure:\n", f"    argocd: {{chartRepository: '{url}'}}\n    exposure:\n")
        seen = customers.look("aww", "chart-repositories")
        assert seen.level == "ok", seen.results
        assert len(seen.results) == 3
    with charts(tmp_path / "charts", {versions.ARGO_CD.name: ["0.0.1"]}) as other:
        customers.edit("aww", url, other)
        seen = customers.look("aww", "chart-repositories")
        wanted = f"{versions.ARGO_CD.name} {versions.ARGO_CD.version}"
        assert f"{other} does not have {wanted} (0.0.1)" in seen.found
        assert f"bring {wanted} to that repository" in seen.mend
        (tmp_path / "charts" / "index.yaml").write_text("<html>not found")
        assert "is no chart repository" in customers.look("aww", "chart-repositories").found
        (tmp_path / "charts" / "index.yaml").unlink()
        assert "status 404" in customers.look("aww", "chart-repositories").found
    seen = customers.look("aww", "chart-repositories")
    assert "cannot be reached from here" in seen.found
    assert "argocd.chartRepository" in seen.mend
