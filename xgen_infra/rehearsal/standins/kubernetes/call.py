"""One call about one Kubernetes object."""

from __future__ import annotations

from dataclasses import dataclass

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.contract import Props, Request
from xgen_infra.rehearsal.standins.kubernetes.api import Api, NoMatchError, UnreachableError
from xgen_infra.rehearsal.standins.kubernetes.cluster import Cluster, Options
from xgen_infra.rehearsal.standins.kubernetes.kinds import Kind


@dataclass(frozen=True)
class Call:
    """One call about one object: its kind, its cluster and options, and what the program says."""

    req: Request
    kind: Kind
    cluster: Cluster
    options: Options

    @property
    def api(self) -> Api:
        return self.cluster.reached

    @property
    def preview_only(self) -> bool:
        """Whether the API server cannot tell what would come of the inputs."""
        unknown = wire.has_unknown(self.req.inputs) or bool(self.cluster.unreachable)
        return unknown or self.kind.patch or not self.options.server_side_apply

    def named(self, ident: str, known: Props) -> Props:
        """Return how the object of an id is addressed; ids are `namespace/name`, or `name`."""
        namespace, _, name = ident.rpartition("/")
        stated = {**known, **self.req.inputs}
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        return {
            "apiVersion": known.get("apiVersion") or stated.get("apiVersion") or self.kind.api_version,
            "kind": known.get("kind") or stated.get("kind") or self.kind.name,
            "metadata": metadata,
        }

    def namespaced(self, inputs: Props) -> bool:
        """Whether the object lives in a namespace; one of a kind not defined yet is taken to."""
        try:
            return self.api.kind(inputs["apiVersion"], inputs["kind"]).namespaced
        except (NoMatchError, UnreachableError, KeyError):
            return not self.kind.cluster_wide
