"""Questions to a live cluster about the data services."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from xgen_infra.rehearsal.control_plane.api import Api

SPACE = "/namespaces/xgen-system"
SETS = f"/apis/apps/v1{SPACE}/statefulsets"
CLAIMS = f"/api/v1{SPACE}/persistentvolumeclaims"
JOBS = f"/apis/batch/v1{SPACE}/jobs"
FOUR = {"postgres", "redis", "qdrant", "object-store"}


def eventually(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def ready(api: Api) -> set[str]:
    return {
        item["metadata"]["name"]
        for item in api.get(SETS)["items"]
        if item["status"].get("readyReplicas") == item["spec"]["replicas"]
    }


def serves(api: Api, service: str) -> bool:
    """Return whether exactly one pod stands behind a Service."""
    chosen = f"labelSelector=kubernetes.io/service-name={service}"
    (found,) = api.get(f"/apis/discovery.k8s.io/v1{SPACE}/endpointslices?{chosen}")["items"]
    return len(found["endpoints"] or ()) == 1


def claims(api: Api) -> dict[str, str]:
    """Return each bound claim's identity by its name."""
    return {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in api.get(CLAIMS)["items"]
        if item["status"]["phase"] == "Bound"
    }
