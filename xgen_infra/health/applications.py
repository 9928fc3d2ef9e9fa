"""What Argo CD says of an Application.

Source: Argo CD documentation, "Application Specification" (status) and "Resource Health".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xgen_infra.health.pods import brief

REFRESH = "argocd.argoproj.io/refresh"
_STILL = "Argo CD has not looked at Git since it was asked to: does argocd-application-controller run?"
Object = dict[str, Any]


@dataclass(frozen=True)
class State:
    """An Application as its status tells: `revision` is the commit that it was last compared with."""

    sync: str
    health: str
    revision: str
    reasons: tuple[str, ...]
    errors: bool
    refreshing: bool

    @property
    def good(self) -> bool:
        """Whether it is what Git says, and healthy."""
        pending = self.errors or self.refreshing
        return self.sync == "Synced" and self.health == "Healthy" and not pending


def state_of(application: Object) -> State:
    """Read an Application."""
    status = application.get("status") or {}
    refreshing = REFRESH in (application["metadata"].get("annotations") or {})
    reasons = [*_reasons(status), *([_STILL] if refreshing else [])]
    sync, health = status.get("sync") or {}, status.get("health") or {}
    return State(
        sync=sync.get("status", "Unknown"),
        health=health.get("status", "Unknown"),
        revision=sync.get("revision", ""),
        reasons=tuple(dict.fromkeys(reasons)),
        errors=any(True for _ in _errors(status)),
        refreshing=refreshing,
    )


def _errors(status: Object) -> Iterator[str]:
    for condition in status.get("conditions") or []:
        if condition["type"].endswith("Error"):
            yield f"{condition['type']}: {brief(condition['message'])}"


def _reasons(status: Object) -> Iterator[str]:
    yield from _errors(status)
    operation = status.get("operationState") or {}
    if operation.get("phase") in {"Failed", "Error"}:
        yield f"sync {operation['phase']}: {brief(operation.get('message', ''))}"
        results = (operation.get("syncResult") or {}).get("resources") or []
        for result in results:
            if result.get("status") == "SyncFailed":
                yield f"{result['kind']} {result['name']}: {brief(result.get('message', ''))}"
    for resource in status.get("resources") or []:
        name = f"{resource['kind']} {resource['name']}"
        health = resource.get("health") or {}
        if health.get("status", "Healthy") != "Healthy":
            yield f"{name} {health['status']}: {brief(health.get('message', ''))}".rstrip(": ")
        if resource.get("status") == "OutOfSync":
            yield f"{name} is not what Git says"
