"""When an object counts as ready, by kind.

Source: pulumi-kubernetes documentation, "Resource Await Behavior".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.api import Api

SKIP = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
_SECONDS = 300.0
_DELETE_SECONDS = 120.0
_INTERVAL = 0.25


def _deployment(live: Props) -> str | None:
    status, wanted = live.get("status", {}), live["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "the controller has not seen the last change yet"
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or ready < wanted or status.get("replicas", 0) > updated:
        return f"{ready} of {wanted} replicas available, {updated} updated"
    return None


def _stateful_set(live: Props) -> str | None:
    status, wanted = live.get("status", {}), live["spec"].get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    return None if ready >= wanted else f"{ready} of {wanted} replicas ready"


def _job(live: Props) -> str | None:
    conditions = {one["type"]: one["status"] for one in live.get("status", {}).get("conditions", [])}
    if conditions.get("Failed") == "True":
        return "the Job failed"
    return None if conditions.get("Complete") == "True" else "the Job has not completed"


def _custom_resource_definition(live: Props) -> str | None:
    conditions = {one["type"]: one["status"] for one in live.get("status", {}).get("conditions", [])}
    return None if conditions.get("Established") == "True" else "the definition is not established"


def _load_balancer(live: Props) -> str | None:
    if live["kind"] == "Service" and live.get("spec", {}).get("type") != "LoadBalancer":
        return None
    given = live.get("status", {}).get("loadBalancer", {}).get("ingress")
    return None if given else "no address was given yet"


_CONDITIONS: dict[str, Callable[[Props], str | None]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "CustomResourceDefinition": _custom_resource_definition,
    "Service": _load_balancer,
    "Ingress": _load_balancer,
}


def until_ready(api: Api, manifest: Props) -> tuple[Props, str | None]:
    """Wait until an object is ready; returns it as it stands, and why it is not ready after the time allowed."""
    annotations: dict[str, Any] = manifest["metadata"].get("annotations") or {}
    live = api.get(manifest) or manifest
    condition = _CONDITIONS.get(manifest["kind"])
    if condition is None or str(annotations.get(SKIP)).lower() == "true":
        return live, None
    deadline = time.monotonic() + float(annotations.get(TIMEOUT, _SECONDS))
    while (reason := condition(live)) is not None and time.monotonic() < deadline:
        time.sleep(_INTERVAL)
        live = api.get(manifest) or live
    return live, reason


def until_gone(api: Api, manifest: Props) -> str | None:
    """Wait until an object is gone; returns why it is still there after the time allowed."""
    annotations: dict[str, Any] = manifest["metadata"].get("annotations") or {}
    if str(annotations.get(SKIP)).lower() == "true":
        return None
    deadline = time.monotonic() + float(annotations.get(TIMEOUT, _DELETE_SECONDS))
    while (live := api.get(manifest)) is not None:
        if live["metadata"].get("uid") != manifest["metadata"].get("uid", live["metadata"].get("uid")):
            return None
        if time.monotonic() > deadline:
            finalizers = ", ".join(live["metadata"].get("finalizers", [])) or "none"
            return f"still there after its deletion was asked for; finalizers: {finalizers}"
        time.sleep(_INTERVAL)
    return None
