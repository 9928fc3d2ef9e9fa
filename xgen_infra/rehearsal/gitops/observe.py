"""What a rehearsal sees and does at the customer's Git, at Argo CD and at pods."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra import catalog
from xgen_infra.health.applications import State, state_of
from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.world import World

TRACKING = "argocd.argoproj.io/tracking-id"
LOAD = "kwok.x-k8s.io/usage-cpu"
STRANGER = {"NAME": "A customer's engineer", "EMAIL": "engineer@customer.example"}
_TICK = 0.15


@dataclass(frozen=True)
class Command:
    """How a command ended."""

    status: int
    said: str


@dataclass(frozen=True)
class Scene:
    """One rehearsal's world with the customer's Git and Argo CD in it."""

    world: World
    view: ClusterView

    @property
    def repository(self) -> Path:
        """The customer's repository, bare."""
        git = self.world.git
        assert git is not None  # noqa: S101 - a world with Argo CD has one
        return git.repository

    def xgen(self, *words: str) -> Command:
        """Run the program's own xgen command on the rehearsal's copy of the customer's file."""
        done = subprocess.run(
            [sys.executable, "-m", "xgen_infra.cli", "-C", str(self.world.root), *words],
            cwd=self.world.project,
            env={**os.environ, **self.world.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        with (self.world.root / "logs" / "xgen.log").open("a") as log:
            log.write(f"$ xgen {' '.join(words)}\n{done.stdout}{done.stderr}\n")
        return Command(done.returncode, (done.stdout + done.stderr).strip())

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git, by default in the customer's repository."""
        who = {
            f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in STRANGER.items()
        }
        done = subprocess.run(
            ["git", *words],
            cwd=folder or self.repository,
            env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def head(self) -> str:
        """Return the branch's commit."""
        return self.git("rev-parse", self.world.site.source.target_revision)

    def pushed_at(self) -> float:
        """Return when the branch last moved, in seconds of the clock."""
        return (self.repository / "refs" / "heads" / self.world.site.source.target_revision).stat().st_mtime

    def objects(self) -> bytes:
        """Return every object of the repository, one after the other, whatever refers to it."""
        listed = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").encode()
        done = subprocess.run(
            ["git", "cat-file", "--batch"], cwd=self.repository, input=listed, capture_output=True, check=True
        )
        return done.stdout

    @contextmanager
    def stranger(self) -> Iterator[Path]:
        """Yield a clone in which somebody else changes files; they are committed and pushed afterwards."""
        branch = self.world.site.source.target_revision
        with tempfile.TemporaryDirectory(prefix="xgen-") as folder:
            clone = Path(folder)
            self.git("clone", "--quiet", "--branch", branch, str(self.repository), str(clone))
            yield clone
            self.git("commit", "--quiet", "--all", "--message", "A change by hand", folder=clone)
            self.git("push", "--quiet", "origin", branch, folder=clone)

    def applications(self) -> dict[str, State]:
        """Return the Applications' states by name."""
        return {name: state_of(item) for name, item in self.view.applications().items()}

    def states(self) -> dict[str, str]:
        """Return the Applications' states in two words each."""
        return {name: f"{state.sync} {state.health}" for name, state in self.applications().items()}

    def all_good(self) -> bool:
        """Whether six Applications are Synced and Healthy."""
        states = self.applications()
        return states.keys() == set(catalog.NAMES) and all(state.good for state in states.values())

    def synced_to(self, commit: str) -> bool:
        """Whether six Applications are what a commit says."""
        states = self.applications()
        return states.keys() == set(catalog.NAMES) and all(
            state.revision == commit and state.sync == "Synced" for state in states.values()
        )

    def deployment(self, service: str) -> Any:
        """Return a service's Deployment."""
        return self.view.apps.read_namespaced_deployment(service, self.world.site.namespace)

    def image(self, service: str) -> str:
        """Return the image that a service's Deployment asks for."""
        return str(self.deployment(service).spec.template.spec.containers[0].image)

    def autoscalers(self) -> set[str]:
        """Return the names of the autoscalers."""
        listed = self.view.autoscaling.list_namespaced_horizontal_pod_autoscaler(self.world.site.namespace)
        return {item.metadata.name for item in listed.items}

    def releases(self) -> list[str]:
        """Return the names of Helm's own records in the services' namespace."""
        listed = self.view.core.list_namespaced_secret(self.world.site.namespace, label_selector="owner=helm")
        return sorted(item.metadata.name for item in listed.items)

    def uids(self) -> dict[str, str]:
        """Return the services' pods: name by uid."""
        return {pod.uid: pod.name for pod in self.view.pods(self.world.site.namespace)}

    def settled(self) -> bool:
        """Whether each service has as many pods as its Deployment wants: none is still to come or to go."""
        namespace = self.world.site.namespace
        if any(
            pod.metadata.deletion_timestamp for pod in self.view.core.list_namespaced_pod(namespace).items
        ):
            return False
        deployments = self.view.apps.list_namespaced_deployment(namespace).items
        wanted = {one.metadata.name: one.spec.replicas for one in deployments}
        there = Counter(pod.service for pod in self.view.pods(namespace))
        return all(there[name] == wanted.get(name) for name in catalog.NAMES)

    def load(self, service: str, usage: str | None) -> None:
        """Let the simulated pods of a service use that much CPU each; None: next to nothing."""
        patch = {"metadata": {"annotations": {LOAD: usage}}}
        for pod in self.view.pods(self.world.site.namespace):
            if pod.service == service:
                self.view.core.patch_namespaced_pod(pod.name, self.world.site.namespace, patch)


def seconds_until(happened: Callable[[], bool], limit: float, since: float | None = None) -> float | None:
    """Return after how many seconds something happened, counted from `since` on the clock (default: now).

    None where it did not within `limit` seconds from now.
    """
    begun = time.time()
    while not happened():
        if time.time() - begun > limit:
            return None
        time.sleep(_TICK)
    return round(time.time() - (since if since is not None else begun), 1)


def leaks(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets whose value is in some bytes."""
    return sorted(name for name, value in secrets.items() if value.encode() in content)
