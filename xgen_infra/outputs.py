"""The typed outputs of a stack: the contract with runbooks, pipelines and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

from xgen_infra import naming
from xgen_infra.cluster import Cluster
from xgen_infra.delivery.install import Delivery
from xgen_infra.environment import minio_endpoint
from xgen_infra.site import Site


@dataclass(frozen=True)
class Outputs:
    """What `pulumi stack output` shows. Names are these fields in camelCase; `kubeconfig` is secret."""

    site: str
    project: str
    kind: str
    delivery: str
    namespace: str
    cluster_name: pulumi.Input[str]
    kubeconfig: pulumi.Output[str]
    registry_host: str
    images: Mapping[str, str]
    git_repository: str
    git_revision: str
    bucket: pulumi.Input[str]
    object_store_endpoint: str
    hosts: Mapping[str, pulumi.Input[str]]
    secret_name: str
    secret_keys: tuple[str, ...]
    generations: Mapping[str, int]
    exposure: str
    domain: str
    releases: Mapping[str, pulumi.Input[Any]]
    cluster: Mapping[str, Any]

    @classmethod
    def of(cls, site: Site, cluster: Cluster, delivery: Delivery) -> Outputs:
        """Collect the outputs of a stack from its parts."""
        return cls(
            site=site.site,
            project=site.project,
            kind=site.cluster.kind,
            delivery=site.delivery,
            namespace=site.namespace,
            cluster_name=cluster.name,
            kubeconfig=pulumi.Output.secret(cluster.kubeconfig),
            registry_host=naming.registry_host(site),
            images={
                spec.service.name: naming.image(site, spec.service.name, spec.tag, spec.digest)
                for spec in site.specs
            },
            git_repository=site.source.repo_url,
            git_revision=site.source.target_revision,
            bucket=cluster.object_store.bucket,
            object_store_endpoint=minio_endpoint(site),
            hosts={str(name): host for name, host in cluster.hosts.items()},
            secret_name=naming.SERVICE_SECRET,
            secret_keys=delivery.secret_keys,
            generations={"secrets": site.generations.secrets, "registry": site.generations.registry},
            exposure=site.exposure.kind,
            domain=site.exposure.domain or "",
            releases=delivery.releases,
            cluster=cluster.outputs,
        )

    def export(self) -> None:
        """Export every field under its camelCase name."""
        for part in fields(self):
            pulumi.export(to_camel(part.name), getattr(self, part.name))
