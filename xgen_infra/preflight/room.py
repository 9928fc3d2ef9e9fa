"""Whether a cluster's nodes have room for the site's pods, each on one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from xgen_infra.explain.stack import Resources
from xgen_infra.preflight.check import Result, fine, refuse
from xgen_infra.site import Site
from xgen_infra.site.base import quantity

_ENDED = frozenset({"Succeeded", "Failed"})
_MIB = 1024**2


@dataclass(frozen=True)
class Pod:
    """A pod to come and what it requests: cores and bytes."""

    name: str
    cpu: Decimal
    memory: Decimal


@dataclass
class _Node:
    name: str
    cpu: Decimal
    memory: Decimal
    pods: int

    @classmethod
    def of(cls, node: Any) -> _Node:
        room = node.status.allocatable or {}
        return cls(
            node.metadata.name,
            _amount(room.get("cpu")),
            _amount(room.get("memory")),
            int(_amount(room.get("pods"))),
        )


def demand(site: Site) -> list[Pod]:
    """Return the pods of the six services and of the data services, at the start; Argo CD's own are not among them."""
    services = [
        Pod(spec.service.name, quantity(spec.requests.cpu), quantity(spec.requests.memory))
        for spec in site.specs
        for _ in range(spec.scale.replicas)
    ]
    return [*services, *_data_services(site)]


def _data_services(site: Site) -> Iterator[Pod]:
    for resource, inputs in Resources.of(site).inputs.items():
        if resource.type == "kubernetes:apps/v1:StatefulSet":
            containers = inputs["spec"]["template"]["spec"]["containers"]
            yield Pod(inputs["metadata"]["name"], *_requests(containers))


def _requests(containers: Sequence[dict[str, Any]]) -> tuple[Decimal, Decimal]:
    asked = [(one.get("resources") or {}).get("requests") or {} for one in containers]
    cpu, memory = ([_amount(one.get(kind)) for one in asked] for kind in ("cpu", "memory"))
    return sum(cpu, Decimal(0)), sum(memory, Decimal(0))


def _amount(text: Any) -> Decimal:
    return quantity(str(text)) if text not in (None, "0", 0) else Decimal(0)


def judged(nodes: Sequence[Any], pods: Sequence[Any], wanted: Sequence[Pod]) -> Result:
    """Place the pods, the largest first, each where most memory is free; say what finds no place."""
    free = _free(nodes, pods)
    left = ", ".join(f"{one.name} {_said(one.cpu, one.memory)}" for one in free)
    homeless = []
    for pod in sorted(wanted, key=lambda pod: (pod.memory, pod.cpu), reverse=True):
        fitting = [node for node in free if node.cpu >= pod.cpu and node.memory >= pod.memory and node.pods]
        if not fitting:
            homeless.append(pod)
            continue
        node = max(fitting, key=lambda node: (node.memory, node.cpu))
        node.cpu, node.memory, node.pods = node.cpu - pod.cpu, node.memory - pod.memory, node.pods - 1
    total = _said(
        sum((pod.cpu for pod in wanted), Decimal(0)), sum((pod.memory for pod in wanted), Decimal(0))
    )
    if homeless:
        names = ", ".join(sorted({f"{pod.name} ({_said(pod.cpu, pod.memory)})" for pod in homeless}))
        return refuse(
            f"{len(homeless)} of {len(wanted)} pods find no room: {names}. Free are {left}; all pods request {total}"
        )
    return fine(f"{len(wanted)} pods request {total}; free are {left}")


def _free(nodes: Sequence[Any], pods: Sequence[Any]) -> list[_Node]:
    free = {one.metadata.name: _Node.of(one) for one in nodes}
    for pod in pods:
        node = free.get(pod.spec.node_name or "")
        if node is None or pod.status.phase in _ENDED:
            continue
        cpu, memory = _requests([container.to_dict() for container in pod.spec.containers])
        node.cpu, node.memory, node.pods = node.cpu - cpu, node.memory - memory, node.pods - 1
    return list(free.values())


def _said(cpu: Decimal, memory: Decimal) -> str:
    return f"{float(cpu):g} cores, {int(memory) // _MIB} MiB"
