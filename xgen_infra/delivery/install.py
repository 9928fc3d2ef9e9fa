"""The delivery side of a stack: namespace, Secrets, and one owner for each of the six releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import pulumi

from xgen_infra import naming
from xgen_infra.cluster import Cluster
from xgen_infra.delivery import services
from xgen_infra.delivery.applications import Applications, Repository
from xgen_infra.delivery.argocd import Access, ArgoCD
from xgen_infra.delivery.argocd_values import argocd_values
from xgen_infra.delivery.releases import Releases
from xgen_infra.delivery.secrets import Workspace, docker_config
from xgen_infra.load import Credentials
from xgen_infra.site import NexusRegistry, Site


@dataclass(frozen=True)
class Delivery:
    """What was installed: the Secret's keys and, by service, the status of its release or Application."""

    secret_keys: tuple[str, ...]
    releases: Mapping[str, pulumi.Input[Any]]


def install(site: Site, credentials: Credentials, cluster: Cluster) -> Delivery:
    """Register the namespace, the Secrets and the six releases of a site."""
    wired = secret_values(credentials, cluster)
    workspace = Workspace(
        "workspace",
        provider=cluster.provider,
        namespace=site.namespace,
        labels={"app.kubernetes.io/part-of": site.project, "xgen/site": site.site},
        adopt_namespace=bool(site.k3s and site.k3s.adopt.namespace),
        secret_values=wired,
        pull_secret=_pull_secret(site, credentials),
        depends_on=cluster.ready,
    )
    outputs = resource_outputs(cluster)
    ready = (*cluster.ready, *workspace.secrets)
    match site.delivery:
        case "helm":
            values: dict[str, Mapping[str, Any]] = {
                name: services.whole(site, name, outputs) for name in services.NAMES
            }
            releases = Releases(
                "releases",
                provider=cluster.provider,
                namespace=site.namespace,
                values=values,
                depends_on=ready,
            )
            made = {name: release.status["status"] for name, release in releases.releases.items()}
        case "argocd":
            overlays: dict[str, Mapping[str, Any]] = {
                name: services.overlay(site, name, outputs) for name in services.NAMES
            }
            applications = _argocd(site, credentials, cluster, overlays, ready)
            made = {name: app.metadata["name"] for name, app in applications.applications.items()}
        case _:
            assert_never(site.delivery)
    return Delivery(secret_keys=tuple(wired), releases=made)


def _argocd(
    site: Site,
    credentials: Credentials,
    cluster: Cluster,
    overlays: Mapping[str, Mapping[str, Any]],
    ready: tuple[pulumi.Resource, ...],
) -> Applications:
    installed: list[pulumi.Resource] = []
    existed = bool(site.k3s and site.k3s.adopt.argocd)
    if not existed:
        pull_secret = _pull_secret(site, credentials) if _mirrors_images(site) else None
        argocd = ArgoCD(
            "argocd",
            provider=cluster.provider,
            values=argocd_values(site, pull_secret=pull_secret is not None),
            chart_repository=site.argocd.chart_repository,
            namespace=site.namespace,
            access=Access(webhook_url=credentials.argocd_webhook_url, pull_secret=pull_secret),
            depends_on=ready,
        )
        installed += argocd.ready
    return Applications(
        "applications",
        provider=cluster.provider,
        project=site.project,
        namespace=site.namespace,
        repository=Repository(
            url=site.source.repo_url,
            revision=site.source.target_revision,
            folder=site.source.folder,
            username=site.source.username,
            password=credentials.git_password,
            ssh_key=credentials.git_ssh_key,
        ),
        values=overlays,
        existed=existed,
        depends_on=(*ready, *installed),
    )


def _mirrors_images(site: Site) -> bool:
    """Whether Argo CD's own images come from the registry that the services' come from."""
    return site.argocd.image_registry == naming.registry_host(site)


def _pull_secret(site: Site, credentials: Credentials) -> pulumi.Output[str] | None:
    if not isinstance(site.registry, NexusRegistry) or credentials.registry_password is None:
        return None
    return docker_config(naming.registry_host(site), site.registry.username, credentials.registry_password)


def secret_values(credentials: Credentials, cluster: Cluster) -> dict[str, pulumi.Input[str]]:
    store = cluster.object_store
    values: dict[str, pulumi.Input[str] | None] = {
        "MINIO_DATA_ACCESS_KEY": store.access_key,
        "MINIO_DATA_SECRET_KEY": store.secret_key,
        "POSTGRES_PASSWORD": credentials.postgres_password,
        "REDIS_PASSWORD": credentials.redis_password,
        "QDRANT_API_KEY": credentials.qdrant_api_key,
    }
    return {key: value for key, value in values.items() if value is not None}


def resource_outputs(cluster: Cluster) -> dict[str, pulumi.Input[str]]:
    """Return, by the name that the environment's table gives it, each output that a container needs."""
    store = cluster.object_store
    return {
        "bucket": store.bucket,
        "objectStore.endpoint": store.endpoint,
        "objectStore.secure": pulumi.Output.from_input(store.endpoint).apply(
            lambda url: "true" if url.startswith("https://") else "false"
        ),
        **{f"{service}.host": host for service, host in cluster.hosts.items()},
    }
