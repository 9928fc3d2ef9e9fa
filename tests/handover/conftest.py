"""A site on K3s that Helm delivers, in a world with the customer's Git and Argo CD's programs."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from xgen_infra import catalog
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.gitops.observe import Command, Scene
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world

ROOT = Path(__file__).parents[2]
STACK = "lotteimall"
INTERRUPTED = 130


@dataclass(frozen=True)
class Place:
    """A world, and the folder in which its user works: the program, the chart and the customer's file."""

    world: World
    project: Path

    @property
    def view(self) -> ClusterView:
        return ClusterView(self.world.kubeconfig)

    @property
    def scene(self) -> Scene:
        return Scene(self.world, self.view)

    @property
    def namespace(self) -> str:
        return self.world.site.namespace

    def change(self, path: tuple[str, ...], value: object) -> None:
        self.world.file.change(path, value)

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.world.environment, "PYTHONUNBUFFERED": "1"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "xgen_infra.cli", "-C", str(self.project), *words]

    def xgen(self, *words: str) -> Command:
        done = subprocess.run(
            self.command(*words), env=self.environment(), capture_output=True, text=True, check=False
        )
        self._log(words, done.stdout + done.stderr)
        return Command(done.returncode, done.stdout + done.stderr)

    def interrupt(self, *words: str, when: Callable[[list[str]], bool]) -> Command:
        """Run a command, and interrupt it as Ctrl-C would once `when` is true of the lines that it has said.

        Each line waits in a pipe that holds one: a command is never two lines past what `when` has seen.
        """
        said, mouth = os.pipe2(os.O_DIRECT)
        fcntl.fcntl(mouth, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
        process = subprocess.Popen(
            self.command(*words),
            env=self.environment(),
            stdout=mouth,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(mouth)
        heard = b""
        with os.fdopen(said, "rb", buffering=0) as ear:
            while process.poll() is None and not when(heard.decode().splitlines()):
                if select.select([ear], [], [], 0.1)[0]:
                    heard += ear.read(select.PIPE_BUF)
            process.send_signal(signal.SIGINT)
            heard += ear.read()
        status = process.wait(180)
        self._log(words, heard.decode() + "(interrupted)\n")
        return Command(status, heard.decode())

    def _log(self, words: tuple[str, ...], said: str) -> None:
        with (self.world.root / "logs" / "xgen.log").open("a") as log:
            log.write(f"$ xgen {' '.join(words)}\n{said}")

    def ready(self) -> bool:
        least = {
            spec.service.name: spec.scale.min_replicas if spec.scale.autoscaling else spec.scale.replicas
            for spec in self.world.site.specs
        }
        return self.view.all_ready(self.namespace, least)

    def pods(self, *namespaces: str) -> dict[str, str]:
        """Return every pod of some namespaces: uid by name."""
        listed = [pod for space in namespaces for pod in self.view.core.list_namespaced_pod(space).items]
        return {f"{pod.metadata.namespace}/{pod.metadata.name}": pod.metadata.uid for pod in listed}

    def configured(self, service: str) -> dict[str, str]:
        """Return what a service's ConfigMap holds."""
        return dict(self.view.core.read_namespaced_config_map(f"{service}-env", self.namespace).data)


@dataclass
class Watch:
    """Looks all the time whether every service has as many ready pods as it had."""

    view: ClusterView
    namespace: str
    gaps: list[str] = field(default_factory=list)
    looks: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._at_first = self._counted()
        assert set(self._at_first) == set(catalog.NAMES)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _counted(self) -> Counter[str]:
        return Counter(pod.service for pod in self.view.pods(self.namespace) if pod.ready)

    def _watch(self) -> None:
        while not self._ended.wait(0.3):
            now = self._counted()
            self.gaps += [
                f"{name}: {now[name]}" for name in self._at_first if now[name] < self._at_first[name]
            ]
            self.looks += 1


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack is up with delivery helm, every pod ready; the world also has what Argo CD needs."""
    folder = tmp_path_factory.mktemp("handover")
    _, site = read_site(ROOT, STACK)
    with world(site, ROOT / f"Pulumi.{STACK}.yaml", folder / "world", ensure(tools_of(site), print)) as made:
        project = folder / "project"
        project.mkdir()
        for name in ("__main__.py", "Pulumi.yaml", "charts"):
            (project / name).symlink_to(ROOT / name)
        (project / made.file.path.name).symlink_to(made.file.path)
        found = Place(made, project)
        found.change(("delivery",), "helm")
        found.change(("services", "xgen-core", "vars"), {"BEFORE_THE_HANDOVER": "yes"})
        made.engine.up(STACK)
        assert until(found.ready, 300)
        yield found
        made.supervisor.check()


def marks(live: Any) -> list[str]:
    """Return what an object still bears of Helm: annotations, and managers of its fields."""
    annotations = live.metadata.annotations or {}
    managers = [f"{entry.manager} ({entry.operation})" for entry in live.metadata.managed_fields or []]
    return [name for name in annotations if "helm.sh" in name] + [name for name in managers if "helm" in name]
