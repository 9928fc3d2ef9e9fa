"""The K3s side through the real engine and a real API server: made, kept, found again, and taken over."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from xgen_infra.engine import Engine, EngineError
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.tools import Tool, ensure
from xgen_infra.rehearsal.world import World, tools_of, world
from xgen_infra.removal import leftovers, resources_of

from .live import CLAIMS, FOUR, JOBS, SETS, SPACE, claims, eventually, ready, serves
from .recording import site_of

pytestmark = pytest.mark.e2e
PROGRAM = """
import pulumi
from xgen_infra import k3s
from xgen_infra.load import load

cluster = k3s.build(*load())
pulumi.export("cluster", cluster.outputs)
"""
SECRETS = (
    "gitPassword",
    "postgresPassword",
    "redisPassword",
    "qdrantApiKey",
    "minioAccessKey",
    "minioSecretKey",
)
SITE: dict[str, Any] = {
    "source": {"repoURL": "https://gitlab.mart.example/xgen/xgen-infra.git"},
    "registry": {"kind": "local"},
    "delivery": "helm",
    "cluster": {"kind": "k3s", "context": "mart"},
}


@contextmanager
def stack(root: Path, cluster: Mapping[str, Any]) -> Iterator[tuple[World, Engine, Api]]:
    """Run a world for a program that is the K3s side alone."""
    project = root / "project"
    project.mkdir(parents=True)
    (project / "__main__.py").write_text(PROGRAM)
    (project / "Pulumi.yaml").write_text((Path(__file__).parents[2] / "Pulumi.yaml").read_text())
    site = {**SITE, "cluster": {**SITE["cluster"], **cluster}}
    secure = {f"xgen-infra:{name}": {"secure": "v1:sealed"} for name in SECRETS}
    source = project / "Pulumi.mart.yaml"
    source.write_text(yaml.safe_dump({"config": {"xgen-infra:site": site, **secure}}))
    parsed = site_of(cluster, delivery="helm")
    binaries = ensure(tools_of(parsed), print)
    with world(parsed, source, root / "world", binaries, project=project) as made:
        api = Api(made.kubeconfig)
        try:
            yield made, made.engine, api
        finally:
            api.close()
        made.supervisor.check()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Engine, Api]]:
    with stack(tmp_path_factory.mktemp("k3s"), {}) as made:
        made[1].up("mart")
        yield made


def test_one_up_brings_every_data_service_and_a_second_changes_nothing(
    running: tuple[World, Engine, Api],
) -> None:
    _, engine, api = running
    assert ready(api) == FOUR
    assert not engine.up("mart").changed
    facts = engine.outputs("mart")["cluster"]
    assert {fact["runBy"] for fact in facts["dataServices"].values()} == {"stack"}


def test_every_claim_is_bound_and_every_service_finds_its_pod(running: tuple[World, Engine, Api]) -> None:
    _, _, api = running
    assert set(claims(api)) == {f"data-{name}-0" for name in FOUR}
    assert all(serves(api, name) for name in FOUR)
    assert api.get(f"{JOBS}/object-store-bucket")["status"]["succeeded"] == 1


def test_a_pod_that_may_become_root_is_refused_beside_them(running: tuple[World, Engine, Api]) -> None:
    _, _, api = running
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "root", "image": "registry.invalid/root:1"}]},
    }
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.create(f"/api/v1{SPACE}/pods", pod)
    assert refused.value.response.status_code == httpx.codes.FORBIDDEN


def test_a_restore_is_started_from_the_suspended_job_with_a_chosen_dump(
    running: tuple[World, Engine, Api],
) -> None:
    """The commands of docs/tasks/restore-a-database.md, as they stand there."""
    made, _, api = running
    page = (Path(__file__).parents[2] / "docs" / "tasks" / "restore-a-database.md").read_text()
    (block,) = re.findall(r"( +kubectl [^\n]*--dry-run.*?apply -f -)", page, re.DOTALL)
    kubectl = ensure([Tool.KUBECTL], print)[Tool.KUBECTL]
    commands = block.replace("kubectl", f"{kubectl} --kubeconfig={made.kubeconfig}")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", commands], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (fetch,) = api.get(f"{JOBS}/restore-1")["spec"]["template"]["spec"]["initContainers"]
    assert {"name": "BACKUP", "value": "xgen-20260301T021700Z.dump"} in fetch["env"]
    eventually(lambda: api.get(f"{JOBS}/restore-1")["status"].get("succeeded") == 1)
    api.delete(f"{JOBS}/restore-1?propagationPolicy=Background")


def test_no_credential_stands_plain_in_the_state(running: tuple[World, Engine, Api]) -> None:
    made, _, _ = running
    state = "".join(path.read_text() for path in (made.root / "state").rglob("*.json"))
    assert state
    for canary in made.file.canaries.values():
        assert canary not in state


def test_a_raised_generation_restarts_the_data_services_and_nothing_is_replaced(
    running: tuple[World, Engine, Api],
) -> None:
    made, engine, api = running
    before = claims(api)
    made.file.change(("generations",), {"secrets": 2})
    done = engine.up("mart")
    servers = {step.name for step in done.changed if step.name.endswith("-server")}
    assert servers == {f"data-{name}-server" for name in FOUR}
    assert {step.name for step in done.replaced} <= {"data-bucket-job"}
    eventually(lambda: ready(api) == FOUR)
    assert claims(api) == before
    assert not engine.up("mart").changed


def test_a_plain_removal_is_refused_and_the_staged_one_leaves_the_data(
    running: tuple[World, Engine, Api],
) -> None:
    _, engine, api = running
    before = claims(api)
    with pytest.raises(EngineError, match="protect"):
        engine.destroy("mart")
    engine.up("mart")
    engine.destroy("mart", "--exclude-protected")
    protected, others = leftovers(resources_of(engine.export("mart")))
    assert [resource.name for resource in protected] == ["data-ground-namespace"]
    assert not others
    assert not api.get(SETS)["items"]
    assert claims(api) == before
    engine.up("mart")
    assert ready(api) == FOUR
    assert claims(api) == before


def old_service(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What somebody once installed by hand: a StatefulSet that this program would not write, and its Service."""
    labels = {"app": name}
    container = {"name": name, "image": f"registry.invalid/{name}:2019", "args": ["--as-root"]}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    meta = {"name": name, "namespace": "xgen-system"}
    spec = {"replicas": 1, "serviceName": name, "selector": {"matchLabels": labels}, "template": pods}
    ports = [{"name": "main", "port": 9000}]
    return (
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": ports},
        },
    )


def standing(api: Api) -> dict[str, str]:
    """Return the version of everything that stands in the data namespace; any write changes it."""
    found = {}
    for path in (SETS, CLAIMS, *(f"/api/v1{SPACE}/{kind}" for kind in ("pods", "services", "secrets"))):
        for item in api.get(path)["items"]:
            meta = item["metadata"]
            found[f"{path}/{meta['name']}"] = f"{meta['uid']} {meta['resourceVersion']}"
    return found


def at_rest(api: Api) -> dict[str, str]:
    """Return what stands once its controllers have said all that they have to say."""
    seen = [standing(api)]

    def still() -> bool:
        time.sleep(2)
        seen.append(standing(api))
        return seen[-1] == seen[-2]

    eventually(still)
    return seen[-1]


def test_what_runs_already_stops_the_up_until_the_file_adopts_it_and_is_then_left_as_it_is(
    tmp_path: Path,
) -> None:
    with stack(tmp_path, {}) as (made, engine, api):
        api.create("/api/v1/namespaces", {"metadata": {"name": "xgen-system"}})
        for name in FOUR:
            server, service = old_service(name)
            api.create(SETS, server)
            api.create(f"/api/v1{SPACE}/services", service)
        eventually(lambda: ready(api) == FOUR)
        before = at_rest(api)
        with pytest.raises(EngineError, match="xgen-system"):
            engine.up("mart")
        assert standing(api) == before

        made.file.change(("cluster", "adopt"), {"namespace": True, "dataServices": True})
        engine.up("mart")
        assert standing(api) == before
        assert not engine.up("mart").changed
        engine.destroy("mart")
        assert standing(api) == before

        api.delete(f"/api/v1{SPACE}/services/qdrant")
        with pytest.raises(EngineError, match="qdrant"):
            engine.preview("mart")
