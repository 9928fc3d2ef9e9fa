"""The pods of a rotation: which generation of xgen-secrets each one was started with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from kubernetes import client

from xgen_infra import catalog, naming
from xgen_infra.delivery.values import GENERATION_PREFIX
from xgen_infra.rotation.errors import RotationError

ANNOTATION = f"{GENERATION_PREFIX}{naming.SERVICE_SECRET}"
_NAME = "app.kubernetes.io/name"
_ENDED = {"Succeeded", "Failed"}
_SHOWN = 10


@dataclass(frozen=True)
class ClusterPods:
    """The six services in one namespace; `connect` gives a client of the cluster for one wait."""

    connect: Callable[[], AbstractContextManager[client.ApiClient]]
    namespace: str
    seconds: float = 1800.0
    period: float = 1.0

    def wait(self, generation: int) -> None:
        """Return when every running pod of the six, and every Deployment, carries the generation or a later one.

        A pod that is being ended still runs, and counts. Raises RotationError after `seconds`.
        """
        with self.connect() as api:
            deadline = time.monotonic() + self.seconds
            while behind := self.behind(api, generation):
                if time.monotonic() >= deadline:
                    raise RotationError(_said(behind, generation, self.seconds))
                time.sleep(self.period)

    def behind(self, api: client.ApiClient, generation: int) -> list[str]:
        """Return what does not carry the generation, in words."""
        deployments = client.AppsV1Api(api).list_namespaced_deployment(self.namespace).items
        by_name = {one.metadata.name: one for one in deployments if one.metadata.name in catalog.NAMES}
        found = [f"Deployment {name}: not there" for name in catalog.NAMES if name not in by_name]
        for name, one in by_name.items():
            found += _older(f"Deployment {name}", one.spec.template.metadata.annotations, generation)
        for pod in client.CoreV1Api(api).list_namespaced_pod(self.namespace).items:
            ours = (pod.metadata.labels or {}).get(_NAME) in catalog.NAMES
            if ours and pod.status.phase not in _ENDED:
                found += _older(f"pod {pod.metadata.name}", pod.metadata.annotations, generation)
        return found


def _older(what: str, annotations: Mapping[str, str] | None, generation: int) -> list[str]:
    carried = (annotations or {}).get(ANNOTATION, "")
    if carried.isdecimal() and int(carried) >= generation:
        return []
    return [f"{what}: {f'generation {carried}' if carried else 'no generation'}"]


def _said(behind: list[str], generation: int, seconds: float) -> str:
    shown = [f"  {line}" for line in behind[:_SHOWN]]
    if len(behind) > _SHOWN:
        shown.append(f"  and {len(behind) - _SHOWN} more")
    return "\n".join(
        [
            f"after {seconds:g} s these do not carry generation {generation} of {naming.SERVICE_SECRET}:",
            *shown,
            "The old key stays active. `xgen wait` says why pods are not ready; run this again to go on.",
        ]
    )
