"""Why a service's pods are not ready: what the scheduler, the kubelet and the Deployment's controller say.

Source: Kubernetes documentation, "Pod Lifecycle" and "Deployments" (status conditions).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_STARTING = {"PodInitializing", "ContainerCreating", None}
_LONGEST = 400
Object = dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """A Deployment's replicas: `wanted`, and those of the current template that are ready."""

    wanted: int
    ready: int
    problems: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every replica is of the current template and ready."""
        return self.ready >= self.wanted


def rollout(deployment: Object) -> Rollout:
    """Read a Deployment."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    settled = status.get("replicas", 0) <= status.get("updatedReplicas", 0)
    ready = min(status.get("readyReplicas", 0), status.get("updatedReplicas", 0)) if seen and settled else 0
    problems = []
    for condition in status.get("conditions") or []:
        stuck = condition["type"] == "Progressing" and condition["status"] == "False"
        failed = condition["type"] == "ReplicaFailure" and condition["status"] == "True"
        if stuck or failed:
            problems.append(f"{condition.get('reason')}: {brief(condition.get('message', ''))}")
    return Rollout(wanted, ready, tuple(problems))


def problems(pods: Iterable[Object]) -> list[str]:
    """Return what is wrong with pods that are not ready, each thing once, with the name of one pod it is wrong with."""
    found: dict[str, str] = {}
    for pod in pods:
        for reason in _reasons(pod):
            found.setdefault(reason, pod["metadata"]["name"])
    return [f"pod {name}: {reason}" for reason, name in found.items()]


def _reasons(pod: Object) -> Iterator[str]:
    status = pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True" or "deletionTimestamp" in pod["metadata"]:
        return
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        yield f"{scheduled.get('reason')}: {brief(scheduled.get('message', ''))}"
        return
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    said = [text for container in containers if (text := _container(container))]
    yield from said or [status.get("message") or f"{status.get('phase', 'Pending')}, not ready yet"]


def _container(status: Object) -> str | None:
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    name = f"container {status['name']}"
    if (waiting := state.get("waiting")) and waiting.get("reason") not in _STARTING:
        before = f" after {_ended(last)}" if last else ""
        return f"{name}: {waiting['reason']}{before}: {brief(waiting.get('message', ''))}".rstrip(": ")
    if (ended := state.get("terminated")) and ended.get("exitCode"):
        return f"{name}: {_ended(ended)}"
    if "running" in state and not status.get("ready"):
        restarts = status.get("restartCount", 0)
        again = f", restarted {restarts} times, last after {_ended(last)}" if last and restarts else ""
        return f"{name}: runs, but its readiness probe does not succeed{again}"
    return None


def _ended(terminated: Object) -> str:
    message = brief(terminated.get("message") or "")
    return f"{terminated.get('reason', 'an end')} (status {terminated.get('exitCode')})" + (
        f" {message}" if message else ""
    )


def brief(message: str) -> str:
    """Return a message in one line, the end of it where it is long: that is where programs say what failed."""
    line = " ".join(message.split())
    return line if len(line) <= _LONGEST else f"...{line[-_LONGEST:]}"
