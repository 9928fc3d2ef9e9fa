"""What goes wrong around Git and Argo CD while a customer's file changes: the services run on, then follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from kubernetes.client import ApiException

from xgen_infra import catalog
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.gitops.observe import Scene
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import tools_of, world

pytestmark = [pytest.mark.e2e, pytest.mark.long]
ROOT = Path(__file__).parents[2]
SERVICE = "xgen-core"
SECONDS = 240


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    root = tmp_path_factory.mktemp("gitops-incidents")
    site = read_site(ROOT, "lotteimall")[1].model_copy(update={"delivery": "argocd"})
    with world(site, ROOT / "Pulumi.lotteimall.yaml", root, ensure(tools_of(site), print)) as made:
        made.engine.up(made.stack)
        seen = Scene(made, ClusterView(made.kubeconfig))
        mirrored = seen.xgen("mirror", made.stack)
        assert mirrored.status == 0, mirrored.said
        assert until(seen.all_good, SECONDS), seen.states()
        yield seen


@contextmanager
def without(scene: Scene, name: str) -> Iterator[None]:
    """Kill a program of the rehearsal, with all that it started, and start it again afterwards."""
    supervisor = scene.world.supervisor
    process = psutil.Process(supervisor.processes[name].pid)
    argv, env = process.cmdline(), process.environ()
    supervisor.stop(name, force=True)
    try:
        yield
    finally:
        supervisor.spawn(name, argv, env=env, grace=8.0)


def change(scene: Scene, value: str) -> None:
    scene.world.file.change(("services", SERVICE, "vars"), {"INCIDENT": value})


def runs(scene: Scene, value: str) -> bool:
    try:
        return scene.view.environment(scene.world.site.namespace, SERVICE).get("INCIDENT") == value
    except ApiException:
        return False


def services(scene: Scene) -> dict[str, str]:
    """The pods of the six services: service by uid."""
    pods = scene.view.pods(scene.world.site.namespace)
    return {pod.uid: pod.service for pod in pods if pod.service in catalog.NAMES}


def followed(scene: Scene, value: str, before: dict[str, str]) -> None:
    """See the change arrive without anybody's help, in new pods of its own service alone."""
    assert until(lambda: runs(scene, value), SECONDS), scene.states()
    assert until(scene.all_good, SECONDS), scene.states()
    assert scene.synced_to(scene.head())
    new = services(scene)
    assert {new[uid] for uid in new.keys() - before.keys()} == {SERVICE}
    assert {uid: name for uid, name in before.items() if name != SERVICE}.items() <= new.items()


def test_while_argo_cd_is_down_a_changed_file_waits_in_git_and_the_services_run_on(scene: Scene) -> None:
    before = services(scene)
    with without(scene, "argocd"):
        change(scene, "argo cd down")
        mirrored = scene.xgen("mirror", scene.world.stack)
        assert mirrored.status == 0, mirrored.said
        assert not scene.synced_to(scene.head())
        waited = scene.xgen("wait", scene.world.stack, "--timeout", "5")
        assert waited.status == 1, waited.said
        assert "Argo CD has not looked at Git" in waited.said
        assert services(scene) == before
    followed(scene, "argo cd down", before)


def test_while_the_customers_git_is_unreachable_the_mirror_says_so_and_the_services_run_on(
    scene: Scene,
) -> None:
    before, head, stack = services(scene), scene.head(), scene.world.stack
    with without(scene, "git"):
        change(scene, "git down")
        mirrored = scene.xgen("mirror", stack)
        assert mirrored.status == 1
        assert "did not reach the remote" in mirrored.said
        assert "try again" in mirrored.said
        assert "Traceback" not in mirrored.said
        assert not scene.world.engine.up(stack).changed, "the stack needs no Git"
        assert services(scene) == before
        assert scene.head() == head
    assert until(lambda: scene.xgen("mirror", stack).status == 0, 60, 1.0)
    followed(scene, "git down", before)
