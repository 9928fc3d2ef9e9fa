"""Every third-party image and chart that a site installs: what a customer without internet has to mirror."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xgen_infra import versions
from xgen_infra.site import Site
from xgen_infra.versions import Chart, Image


@dataclass(frozen=True)
class PlatformImage:
    """An image, what it is for, and the name under which the site pulls it."""

    purpose: str
    image: Image
    pulled: str


@dataclass(frozen=True)
class PlatformChart:
    """A chart, what it is for, and the repository from which the site takes it."""

    purpose: str
    chart: Chart
    repository: str


def images(site: Site) -> tuple[PlatformImage, ...]:
    """Return the images of a site; where argocd.imageRegistry mirrors them, each keeps its path there."""
    registry = site.argocd.image_registry
    return tuple(
        PlatformImage(purpose, image, image.mirrored(registry))
        for purpose, image in (*_argocd(site), *_controllers(site), *_data_services(site))
    )


def charts(site: Site) -> tuple[PlatformChart, ...]:
    """Return the charts of a site; argocd.chartRepository holds all of them where it is set."""
    found: list[tuple[str, Chart]] = []
    if _installs_argocd(site):
        found.append(("Argo CD", versions.ARGO_CD))
    if _owns_cluster(site):
        found.append(("Cluster Autoscaler", versions.CLUSTER_AUTOSCALER))
        if site.exposure.kind != "none":
            found.append(("load balancers", versions.LOAD_BALANCER_CONTROLLER))
    mirror = site.argocd.chart_repository
    return tuple(PlatformChart(purpose, chart, mirror or chart.repository) for purpose, chart in found)


def _installs_argocd(site: Site) -> bool:
    return site.delivery == "argocd" and not (site.k3s and site.k3s.adopt.argocd)


def _owns_cluster(site: Site) -> bool:
    return site.eks is not None and not site.eks.existing_cluster


def _argocd(site: Site) -> Iterator[tuple[str, Image]]:
    if not _installs_argocd(site):
        return
    yield "Argo CD", versions.ARGO_CD_IMAGE
    yield "Argo CD's cache", versions.ARGO_CD_REDIS
    if site.argocd.high_availability:
        yield "Argo CD's cache, balanced", versions.ARGO_CD_HAPROXY
    if site.argocd.dex:
        yield "Argo CD's single sign-on", versions.DEX


def _controllers(site: Site) -> Iterator[tuple[str, Image]]:
    if site.eks is None or not _owns_cluster(site):
        return
    yield "Cluster Autoscaler", versions.eks_pins(site.eks.version).cluster_autoscaler
    if site.exposure.kind != "none":
        yield "load balancers", versions.LOAD_BALANCER_IMAGE


def _data_services(site: Site) -> Iterator[tuple[str, Image]]:
    if site.k3s is None or site.k3s.adopt.data_services:
        return
    infra, dumps = site.infra, not site.infra.postgres.host and site.k3s.backup.enabled
    if not infra.postgres.host:
        yield "PostgreSQL", versions.POSTGRES
    if not infra.redis.host:
        yield "Redis (Valkey)", versions.VALKEY
    if not infra.qdrant.host:
        yield "Qdrant", versions.QDRANT
    if not infra.minio.endpoint:
        yield "object store", versions.OBJECT_STORE
    if dumps or not infra.minio.endpoint:
        yield "client of the object store", versions.S3_CLIENT
