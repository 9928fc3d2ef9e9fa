"""What goes wrong around an operation: two at once, no API server, Helm cut off."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from xgen_infra import catalog
from xgen_infra.engine import EngineError
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world

from .contents import HELM, apart, contents

pytestmark = [pytest.mark.e2e, pytest.mark.long]
ROOT = Path(__file__).parents[2]
API_SERVER = "kube-apiserver"
SERVICE = "xgen-core"
RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("incidents")
    site = read_site(ROOT, "lotteimall")[1].model_copy(update={"delivery": "helm"})
    with world(site, ROOT / "Pulumi.lotteimall.yaml", root, ensure(tools_of(site), print)) as made:
        made.engine.up(made.stack)
        yield made


@pytest.fixture
def api(running: World) -> Iterator[Api]:
    made = Api(running.kubeconfig)
    yield made
    made.close()


def command(running: World, *words: str) -> list[str]:
    return [str(running.engine.binary), *words, "--stack", running.stack, "--non-interactive"]


def environment(running: World) -> dict[str, str]:
    return {**os.environ, **running.environment}


def xgen(running: World, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", *words],
        cwd=running.project,
        env=environment(running),
        capture_output=True,
        text=True,
        check=False,
    )


def resources(running: World) -> list[str]:
    return [one["urn"] for one in running.engine.export(running.stack)["deployment"]["resources"]]


def change(running: World, value: str) -> None:
    running.file.change(("services", SERVICE, "vars"), {"INCIDENT": value})


@contextmanager
def without_api_server(running: World, api: Api) -> Iterator[None]:
    process = psutil.Process(running.supervisor.processes[API_SERVER].pid)
    argv, env, cwd = process.cmdline(), process.environ(), process.cwd()
    running.supervisor.stop(API_SERVER, force=True)
    try:
        yield
    finally:
        running.supervisor.start(API_SERVER, argv, env=env, cwd=Path(cwd), ready=api.ready, timeout=180)


def test_a_second_up_is_refused_with_who_holds_the_lock_and_how_to_clear_it(running: World) -> None:
    change(running, "two at once")
    locks = running.root / "state" / ".pulumi" / "locks"
    first = subprocess.Popen(
        command(running, "up", "--yes", "--skip-preview"),
        cwd=running.project,
        env=environment(running),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert until(lambda: any(locks.rglob("*.json")), 30, 0.02)
    second = subprocess.run(
        command(running, "up", "--yes", "--skip-preview"),
        cwd=running.project,
        env=environment(running),
        capture_output=True,
        text=True,
        check=False,
    )
    assert first.wait(120) == 0
    said = second.stdout + second.stderr
    assert second.returncode != 0
    assert "currently locked" in said
    assert f"pid {first.pid}" in said
    assert "pulumi cancel" in said


@pytest.mark.parametrize("status", ["pending-upgrade", "pending-install"])
def test_a_release_that_was_cut_off_is_upgraded_after_recover(running: World, api: Api, status: str) -> None:
    _cut_off(api, running.site.namespace, status)
    change(running, status)
    with pytest.raises(EngineError, match="another operation"):
        running.engine.up(running.stack)
    done = xgen(running, "recover", running.stack, "--yes")
    assert done.returncode == 0, done.stderr
    assert f"({status})" in done.stdout
    pods = _pods(api, running.site.namespace)
    running.engine.up(running.stack)
    others = {name: uid for name, uid in pods.items() if SERVICE not in name}
    assert others.items() <= _pods(api, running.site.namespace).items()
    assert not running.engine.preview(running.stack).changed


def test_first_installations_that_were_cut_off_are_made_again_after_recover(running: World, api: Api) -> None:
    """Of each there is one record, pending, its objects stand, and no release is in the state."""
    namespace = running.site.namespace
    _first_only(api, namespace)
    state = running.engine.export(running.stack)
    state["deployment"]["resources"] = [
        one for one in state["deployment"]["resources"] if one["type"] != RELEASE
    ]
    running.engine.run("stack", "import", "--stack", running.stack, given=json.dumps(state))
    pods, before = _pods(api, namespace), contents(api)
    with pytest.raises(EngineError, match="cannot re-use a name"):
        running.engine.up(running.stack)
    done = xgen(running, "recover", running.stack, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in catalog.NAMES:
        assert f"{namespace}/{name} revision 1 (pending-install)" in done.stdout
    assert not [name for name in contents(api) if name.startswith(f"release {namespace}/")]
    made = running.engine.up(running.stack).changed
    assert {(step.op, step.name) for step in made} == {
        ("create", f"releases-{name}") for name in catalog.NAMES
    }
    settled = {name: "deployed" if name.startswith("release ") else one for name, one in before.items()}
    assert not apart(settled, contents(api))
    assert _pods(api, namespace) == pods, "the objects were taken over"
    assert not running.engine.preview(running.stack).changed


def test_without_the_api_server_nothing_is_done_and_nothing_is_forgotten(running: World, api: Api) -> None:
    """The last: nodes that are out of touch for long are given up, and simulated pods are never ready again."""
    before, state, known = contents(api), resources(running), running.engine.export(running.stack)
    change(running, "no api server")
    with without_api_server(running, api):
        shown = xgen(running, "preview", running.stack, "--json")
        (site,) = json.loads(shown.stdout)["sites"]
        assert (site["outcome"], shown.returncode) == ("previewed", 0), site["problem"]
        assert any("configured Kubernetes cluster is unreachable" in one for one in site["plan"]["warnings"])
        assert [one["name"] for one in site["plan"]["changes"]] == [f"releases-{SERVICE}"]
        assert running.engine.export(running.stack) == known, "a preview writes nothing"
        with pytest.raises(EngineError, match="unreachable"):
            running.engine.up(running.stack)
        gone = xgen(running, "destroy", running.stack, "--yes")
        assert gone.returncode == 1
        assert "nothing was removed" in gone.stderr
        assert "does not answer" in gone.stderr
        assert "Traceback" not in gone.stderr
        assert set(resources(running)) == set(state)
    assert not apart(before, contents(api))
    assert [step.name for step in running.engine.up(running.stack).changed] == [f"releases-{SERVICE}"]


def _first_only(api: Api, namespace: str) -> None:
    """Leave what killed first installations leave: of each release one record, which says so."""
    where = f"/api/v1/namespaces/{namespace}/secrets"
    for item in api.get(f"{where}?labelSelector=owner%3Dhelm")["items"]:
        api.delete(f"{where}/{item['metadata']['name']}")
        labels = item["metadata"]["labels"]
        if labels["status"] == "deployed":
            api.create(where, _record(item, namespace, labels["name"], 1, "pending-install"))


def _cut_off(api: Api, namespace: str, status: str) -> None:
    """Add the record that Helm leaves when it is killed during an operation."""
    listed = api.get(f"/api/v1/namespaces/{namespace}/secrets?labelSelector=owner%3Dhelm,name%3D{SERVICE}")
    newest = max(listed["items"], key=lambda one: int(one["metadata"]["labels"]["version"]))
    version = int(newest["metadata"]["labels"]["version"]) + 1
    api.create(
        f"/api/v1/namespaces/{namespace}/secrets", _record(newest, namespace, SERVICE, version, status)
    )


def _record(newest: dict[str, Any], namespace: str, name: str, version: int, status: str) -> dict[str, Any]:
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(newest["data"]["release"]))))
    release["version"] = version
    release["info"]["status"] = status
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    labels = {**newest["metadata"]["labels"], "version": str(version), "status": status}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": HELM,
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{version}",
            "namespace": namespace,
            "labels": {**labels, "modifiedAt": str(int(time.time()))},
        },
        "data": {"release": packed},
    }


def _pods(api: Api, namespace: str) -> dict[str, str]:
    listed = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in listed}
