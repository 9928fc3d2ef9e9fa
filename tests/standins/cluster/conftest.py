"""One control plane for all tests of the kubernetes stand-in, and a namespace for each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from standins.definitions import define_argo_cd
from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.control_plane.nodes import spread
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import Tool, ensure

from .bench import TEMPLATE, Bench, bench_of, state


@pytest.fixture(scope="session")
def binaries() -> Mapping[Tool, Path]:
    return ensure([*control_plane.TOOLS, Tool.HELM, Tool.PULUMI], print)


@pytest.fixture(scope="session")
def plane(binaries: Mapping[Tool, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    root = tmp_path_factory.mktemp("plane")
    nodes = spread(1, ("a",), "m7i.2xlarge", cpu="7910m", memory="29Gi", pods=58)
    with Supervisor(root) as supervisor:
        yield control_plane.start(supervisor, root, binaries, nodes, metrics=False)
        supervisor.check()


@pytest.fixture(scope="session")
def argo_cd(plane: ControlPlane) -> None:
    """Argo CD's kinds, for whoever asks for them."""
    api = Api(plane.kubeconfig)
    define_argo_cd(api)
    api.close()


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


@pytest.fixture
def bench(
    plane: ControlPlane, binaries: Mapping[Tool, Path], tmp_path: Path, namespace: str
) -> Iterator[Bench]:
    with bench_of(plane.kubeconfig, binaries[Tool.HELM], tmp_path, namespace) as made:
        yield made


@pytest.fixture
def chart(bench: Bench) -> Path:
    """A chart in the program's folder."""
    place = bench.folder / "tiny"
    (place / "templates").mkdir(parents=True)
    (place / "values.yaml").write_text("size: small\npassword: none\ncolour: none\ncpu: 10m\n")
    (place / "templates" / "all.yaml").write_text(TEMPLATE)
    state(place, "0.1.0")
    return place
