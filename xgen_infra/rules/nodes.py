"""What fits a node: the services' requests and limits against the sizes of the node group's instances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from xgen_infra.rules.violation import Violation
from xgen_infra.site import EksCluster, ServiceSpec, Site
from xgen_infra.site.base import quantity

_MIB, _GIB = 1024**2, 1024**3
_GIB_PER_VCPU = {"c": 2, "m": 4, "r": 8}
_BURSTABLE = {"nano": (2, 0.5), "micro": (2, 1), "small": (2, 2), "medium": (2, 4), "large": (2, 8)}
_MAX_PODS = {1: 8, 2: 29, 4: 58, 8: 58}
_OLDEST = 5


@dataclass(frozen=True)
class Node:
    """An instance type: `cpu` in cores and `memory` in bytes, of the machine and as left for pods."""

    name: str
    cpu: Decimal
    memory: int
    free_cpu: Decimal
    free_memory: int


def node(instance_type: str) -> Node | None:
    """Return a type's size by its name; None for families whose size the name does not tell.

    Amazon EC2 User Guide, "Instance type naming conventions" and the specifications of general purpose, compute
    and memory optimized instances: `large` has 2 vCPU, `xlarge` 4, `Nxlarge` 4 N; 2, 4, 8 GiB a vCPU for c, m, r.
    """
    found = re.fullmatch(
        r"(?P<family>[a-z]+)(?P<generation>\d+)(?P<options>[a-z-]*)\.(?P<size>[a-z0-9]+)", instance_type
    )
    if not found:
        return None
    family, size = found["family"], found["size"]
    if family == "t" and found["generation"] in {"3", "4"} and size in _BURSTABLE:
        return _node(instance_type, *_BURSTABLE[size])
    if family == "t" and found["generation"] in {"3", "4"}:
        family = "m"
    elif int(found["generation"]) < _OLDEST or f"{family}{found['generation']}{found['options']}" == "c5n":
        return None
    vcpus = _vcpus(size)
    if family not in _GIB_PER_VCPU or vcpus is None:
        return None
    return _node(instance_type, vcpus, vcpus * _GIB_PER_VCPU[family])


def _vcpus(size: str) -> int | None:
    if size in {"medium", "large", "xlarge"}:
        return {"medium": 1, "large": 2, "xlarge": 4}[size]
    many = re.fullmatch(r"(\d+)xlarge", size)
    return 4 * int(many[1]) if many else None


def _node(name: str, vcpus: int, gib: float) -> Node:
    """Subtract what a node keeps for itself.

    The kubelet's reservation on EKS (amazon-eks-ami documentation, "Node Capacity"): of CPU 6 % of the first core,
    1 % of the second, 0.5 % of the next two, 0.25 % of the rest; of memory 255 MiB and 11 MiB for each pod that
    the instance has addresses for; 100 MiB as eviction threshold. The firmware and kernel keep some 2 %.
    """
    shares = [Decimal("0.06"), Decimal("0.01"), Decimal("0.005"), Decimal("0.005")]
    reserved = sum(shares[:vcpus], Decimal(0)) + Decimal("0.0025") * max(0, vcpus - len(shares))
    memory = int(gib * _GIB)
    free = int(memory * 0.98) - (255 + 11 * _MAX_PODS.get(vcpus, 234) + 100) * _MIB
    return Node(name, Decimal(vcpus), memory, vcpus - reserved, free)


def _largest(cluster: EksCluster) -> Node | None:
    """Return the group's largest instance; None where one of them cannot be judged, or the nodes are another's."""
    if cluster.existing_cluster:
        return None
    nodes = [node(name) for name in cluster.nodes.instance_types]
    known = [one for one in nodes if one]
    return max(known, key=lambda one: (one.memory, one.cpu)) if len(known) == len(nodes) else None


def services_fit_a_node(site: Site) -> Iterator[Violation]:
    """Yield requests that no node has room for, so that the pod stays Pending, and limits beyond any node."""
    largest = _largest(site.eks) if site.eks else None
    if largest is None:
        return
    for spec in site.specs:
        for bound, kind, amount, room in _amounts(spec, largest):
            if amount > room:
                have = _cores(room) if kind == "cpu" else _mebibytes(room)
                yield Violation(
                    ("services", spec.service.name, "resources", bound, kind),
                    f"the {bound[:-1]} {getattr(getattr(spec, bound), kind)}",
                    f"at most {have}, what a pod can have of a {largest.name}",
                    "lower it, or choose larger cluster.nodes.instanceTypes",
                    also=(("cluster", "nodes", "instanceTypes"),),
                )


def _amounts(spec: ServiceSpec, largest: Node) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    yield "requests", "cpu", quantity(spec.requests.cpu), largest.free_cpu
    yield "requests", "memory", quantity(spec.requests.memory), Decimal(largest.free_memory)
    yield "limits", "cpu", quantity(spec.limits.cpu), largest.cpu
    yield "limits", "memory", quantity(spec.limits.memory), Decimal(largest.free_memory)


def _cores(amount: Decimal) -> str:
    return f"{int(amount * 1000)}m"


def _mebibytes(amount: Decimal) -> str:
    return f"{int(amount) // _MIB}Mi"


def capacity_suffices(site: Site) -> Iterator[Violation]:
    """Yield a warning where nodes.max nodes cannot carry the services at their fewest, or at their most."""
    largest = _largest(site.eks) if site.eks else None
    if largest is None or site.eks is None:
        return
    most = site.eks.nodes.max
    for kind, room in (("cpu", largest.free_cpu), ("memory", Decimal(largest.free_memory))):
        fewest, greatest = _demand(site, kind, least=True), _demand(site, kind, least=False)
        if greatest > room * most:
            which = "their fewest replicas" if fewest > room * most else "their most replicas"
            demand = fewest if fewest > room * most else greatest
            show = _cores if kind == "cpu" else _mebibytes
            yield Violation(
                ("cluster", "nodes", "max"),
                f"{most} nodes of {largest.name} with {show(room * most)} of {kind} for pods",
                f"{show(demand)}, what the six services request at {which}",
                "raise it, or lower requests or replicas: pods would stay Pending",
                "warning",
                also=(("services",), ("cluster", "nodes", "instanceTypes")),
            )


def _demand(site: Site, kind: str, *, least: bool) -> Decimal:
    total = Decimal(0)
    for spec in site.specs:
        scale = spec.scale
        count = (
            scale.replicas if not scale.autoscaling else scale.min_replicas if least else scale.max_replicas
        )
        total += count * quantity(getattr(spec.requests, kind))
    return total
