"""Removing a customer in stages, each of which can be interrupted and run again.

What is protected (documents, databases and what they stand on) stays, and is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STACK_TYPE = "pulumi:pulumi:Stack"
CLUSTER_TYPE = "aws:eks/cluster:Cluster"


@dataclass(frozen=True)
class Resource:
    """A resource of a stack's state; `path` is the chain of its parents' types and its own."""

    urn: str
    path: tuple[str, ...]
    id: str
    protect: bool
    needs: frozenset[str] = frozenset()
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def type(self) -> str:
        """Its type token."""
        return self.path[-1]

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class Stage:
    """One step: everything below components whose type begins with one of `components`; none means the rest."""

    name: str
    why: str
    components: tuple[str, ...] = ()

    def members(self, resources: Iterable[Resource]) -> list[Resource]:
        """Return the resources that belong to this stage; what is protected, and what it stands on, is left out."""
        listed = list(resources)
        kept = held(listed)
        return [
            resource
            for resource in listed
            if resource.urn not in kept
            and any(part.startswith(prefix) for part in resource.path for prefix in self.components)
        ]


STAGES: tuple[Stage, ...] = (
    Stage(
        "applications",
        "Argo CD removes what it deployed while its controller still lives",
        ("xgen:delivery:Applications",),
    ),
    Stage(
        "workloads",
        "releases, Secrets, namespace and Argo CD; load balancers go with the Ingresses",
        ("xgen:delivery:",),
    ),
    Stage(
        "controllers",
        "load-balancer controller and autoscaler, once nothing needs them",
        ("xgen:aws:Controllers",),
    ),
    Stage("add-ons", "what runs on nodes, and the storage class", ("xgen:aws:ClusterAddons",)),
    Stage("nodes", "the node group, then what nodes need to join", ("xgen:aws:Nodes", "xgen:aws:NodeAddons")),
    Stage("cluster", "the control plane and all that hangs on it", (CLUSTER_TYPE,)),
    Stage("network", "what is left: peering, network, keys, registry"),
)


def resources_of(deployment: Mapping[str, Any]) -> list[Resource]:
    """Return the resources of an exported state (`pulumi stack export`), without the stack itself."""
    listed = deployment.get("deployment", {}).get("resources") or []
    return [
        Resource(
            urn=item["urn"],
            path=tuple(item["urn"].split("::")[2].split("$")),
            id=item.get("id", ""),
            protect=bool(item.get("protect")),
            needs=_needs(item),
            inputs=item.get("inputs") or {},
        )
        for item in listed
        if item["type"] != STACK_TYPE
    ]


def leftovers(resources: Sequence[Resource]) -> tuple[list[Resource], list[Resource]]:
    """Split what a removal left into (protected, what should not be there).

    What a protected resource stands on (its parents, provider and dependencies) belongs to neither.
    """
    protected, kept = [resource for resource in resources if resource.protect], held(resources)
    return protected, [resource for resource in resources if resource.urn not in kept]


def held(resources: Sequence[Resource]) -> set[str]:
    """Return the URNs of what is protected and of what it stands on: parents, provider and dependencies."""
    by_urn = {resource.urn: resource for resource in resources}
    kept, reached = set[str](), [resource.urn for resource in resources if resource.protect]
    while reached:
        urn = reached.pop()
        if urn not in kept and urn in by_urn:
            kept.add(urn)
            reached.extend(by_urn[urn].needs)
    return kept


def _needs(item: Mapping[str, Any]) -> frozenset[str]:
    provider = item.get("provider", "").rpartition("::")[0]
    by_property = [urn for urns in (item.get("propertyDependencies") or {}).values() for urn in urns or ()]
    named = [item.get("parent", ""), provider, *(item.get("dependencies") or ()), *by_property]
    return frozenset(urn for urn in named if urn)
