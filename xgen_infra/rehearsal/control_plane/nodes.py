"""Simulated nodes: kwok stands in for every kubelet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xgen_infra.rehearsal.control_plane.api import Object

_STAGES = (
    "stage/node/fast/node-initialize.yaml",
    "stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "stage/pod/fast/pod-ready.yaml",
    "stage/pod/fast/pod-complete.yaml",
    "stage/pod/fast/pod-delete.yaml",
)
_METRICS = ("metrics/resource/metrics-resource.yaml", "metrics/usage/usage-from-annotation.yaml")


@dataclass(frozen=True)
class Node:
    """A worker node: what it can allocate, as Kubernetes quantities, and its labels."""

    name: str
    cpu: str
    memory: str
    pods: int = 110
    labels: Mapping[str, str] = field(default_factory=dict)


def spread(
    count: int, zones: Sequence[str], instance_type: str, *, cpu: str, memory: str, pods: int = 110
) -> list[Node]:
    """Return `count` nodes of one instance type, dealt out over the zones, with the labels a cloud gives them."""
    return [
        Node(
            f"node-{number + 1}",
            cpu,
            memory,
            pods,
            {
                "node.kubernetes.io/instance-type": instance_type,
                "topology.kubernetes.io/region": zones[0].rstrip("abcdef"),
                "topology.kubernetes.io/zone": zones[number % len(zones)],
            },
        )
        for number in range(count)
    ]


def manifest(node: Node, number: int) -> Object:
    """Return the Node object; kwok adds conditions and addresses."""
    room = {"cpu": node.cpu, "memory": node.memory, "pods": str(node.pods), "ephemeral-storage": "100Gi"}
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
    }
    path = f"/metrics/nodes/{node.name}/metrics/resource"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": labels | dict(node.labels),
            "annotations": {"metrics.k8s.io/resource-metrics-path": path},
        },
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {"capacity": room, "allocatable": room},
    }


def kwok_config(kustomize: Path, *, metrics: bool) -> str:
    """Return kwok's configuration: the stages, and for metrics the resources, that its module ships."""
    files = _STAGES + (_METRICS if metrics else ())
    return "\n---\n".join((kustomize / file).read_text() for file in files)


def is_ready(node: Object) -> bool:
    """Answer whether a Node object is Ready and takes pods."""
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not node["spec"].get("taints")
