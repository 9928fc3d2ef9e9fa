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
from xgen_infra.site import NexusRegistry, Site


@dataclass(frozen=True)
class Outputs:
    """What `pulumi stack output` shows. Names are these fields in camelCase; `kubeconfig` is secret.

    An output without a value is empty ("", {}, []), not null: the runbook tells the two apart, since an output that is
    not there at all is one that an earlier version of the program did not make.
    """

    stack: str
    site: str
    project: str
    description: str
    owner: str
    kind: str
    delivery: str
    namespace: str
    cluster_name: pulumi.Input[str]
    kubeconfig: pulumi.Output[str]
    registry_host: str
    images: Mapping[str, str]
    git_repository: str
    git_revision: str
    git_folder: str
    git_poll_seconds: int
    registry: Mapping[str, Any]
    bucket: pulumi.Input[str]
    object_store_endpoint: str
    hosts: Mapping[str, pulumi.Input[str]]
    endpoints: Mapping[str, Mapping[str, Any]]
    secret_name: str
    secret_keys: tuple[str, ...]
    generations: Mapping[str, int]
    exposure: str
    domain: str
    certificate: Mapping[str, str]
    argocd: Mapping[str, Any]
    releases: Mapping[str, pulumi.Input[Any]]
    cluster: Mapping[str, Any]

    @classmethod
    def of(cls, site: Site, cluster: Cluster, delivery: Delivery) -> Outputs:
        """Collect the outputs of a stack from its parts."""
        return cls(
            stack=site.stack,
            site=site.site,
            description=site.description,
            owner=site.owner or "",
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
            git_folder=site.source.folder,
            git_poll_seconds=site.source.poll_seconds,
            registry=_registry(site),
            bucket=cluster.object_store.bucket,
            object_store_endpoint=minio_endpoint(site),
            hosts={str(name): host for name, host in cluster.hosts.items()},
            endpoints=_endpoints(site),
            secret_name=naming.SERVICE_SECRET,
            secret_keys=delivery.secret_keys,
            generations={"secrets": site.generations.secrets, "registry": site.generations.registry},
            exposure=site.exposure.kind,
            domain=site.exposure.domain or "",
            certificate={
                "arn": site.exposure.certificate_arn or "",
                "secret": site.exposure.tls_secret or "",
            },
            argocd=_argocd(site),
            releases=delivery.releases,
            cluster=cluster.outputs,
        )

    def export(self) -> None:
        """Export every field under its camelCase name."""
        for part in fields(self):
            pulumi.export(to_camel(part.name), getattr(self, part.name))


def _registry(site: Site) -> dict[str, Any]:
    """Return who pulls the images, and by which Secret; both empty where nodes pull without a password."""
    registry = site.registry
    pulls = isinstance(registry, NexusRegistry)
    return {
        "kind": registry.kind,
        "username": registry.username if isinstance(registry, NexusRegistry) else "",
        "secret": naming.REGISTRY_SECRET if pulls else "",
    }


def _endpoints(site: Site) -> dict[str, dict[str, Any]]:
    """Return what a client needs beside the hosts and the passwords."""
    infra = site.infra
    return {
        "postgres": {
            "port": infra.postgres.port,
            "database": infra.postgres.database,
            "user": infra.postgres.user,
        },
        "redis": {"port": infra.redis.port},
        "qdrant": {"port": infra.qdrant.port, "grpcPort": infra.qdrant.grpc_port},
    }


def _argocd(site: Site) -> dict[str, Any]:
    """Return where Argo CD is; empty where it delivers nothing."""
    if site.delivery != "argocd":
        return {}
    return {
        "namespace": naming.ARGOCD_NAMESPACE,
        "installed": not (site.k3s and site.k3s.adopt.argocd),
    }
