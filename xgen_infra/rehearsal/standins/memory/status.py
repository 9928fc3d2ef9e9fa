"""What controllers would report of an object at once, were all well: what pulumi-kubernetes waits for.

Fields: Kubernetes API reference, by kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgen_infra.rehearsal.standins.contract import Props

_HOST = "memory.invalid"


def _replicas(spec: Props) -> int:
    return int(spec.get("replicas", 1))


def _deployment(spec: Props) -> Props:
    count = _replicas(spec)
    return {
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count),
        "conditions": [_condition("Available")],
    }


def _stateful_set(spec: Props) -> Props:
    count = _replicas(spec)
    counted = dict.fromkeys(("replicas", "readyReplicas", "currentReplicas", "updatedReplicas"), count)
    return {**counted, "currentRevision": "1", "updateRevision": "1"}


def _service(spec: Props) -> Props:
    return {"loadBalancer": _addressed()} if spec.get("type") == "LoadBalancer" else {"loadBalancer": {}}


def _addressed() -> Props:
    return {"ingress": [{"hostname": _HOST}]}


def _condition(name: str) -> Props:
    return {"type": name, "status": "True", "reason": "Simulated"}


_BY_KIND: dict[str, Callable[[Props], Props]] = {
    "CustomResourceDefinition": lambda _spec: {"conditions": [_condition("Established")]},
    "DaemonSet": lambda _spec: {"desiredNumberScheduled": 0, "numberReady": 0, "updatedNumberScheduled": 0},
    "Deployment": _deployment,
    "Ingress": lambda _spec: {"loadBalancer": _addressed()},
    "Job": lambda _spec: {"succeeded": 1, "conditions": [_condition("Complete")]},
    "Namespace": lambda _spec: {"phase": "Active"},
    "PersistentVolume": lambda _spec: {"phase": "Available"},
    "PersistentVolumeClaim": lambda _spec: {"phase": "Bound"},
    "Pod": lambda _spec: {"phase": "Running", "conditions": [_condition("Ready")]},
    "Service": _service,
    "StatefulSet": _stateful_set,
}


def status(manifest: Props) -> dict[str, Any] | None:
    """Return an object's status; None for a kind that has none, or whose own one is not simulated."""
    made = _BY_KIND.get(manifest["kind"])
    if made is None:
        return None
    generation = manifest["metadata"].get("generation", 1)
    return {"observedGeneration": generation, **made(manifest.get("spec") or {})}
