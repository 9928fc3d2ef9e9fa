"""Physical names. Nothing else makes one, so that two customers never share one."""

from __future__ import annotations

from xgen_infra.site import EcrRegistry, EksCluster, Site

REGISTRY_SECRET = "registry-credentials"  # noqa: S105
SERVICE_SECRET = "xgen-secrets"  # noqa: S105
DATA_NAMESPACE = "xgen-system"
ARGOCD_NAMESPACE = "argocd"


def stem(site: Site) -> str:
    """Return what every physical name of a stack begins with."""
    return f"{site.project}-{site.stack}"


def bucket(site: Site) -> str:
    """Return the document bucket's name."""
    return site.cluster.bucket.name or stem(site)


def registry_host(site: Site) -> str:
    """Return host[:port] of the registry from which the site pulls."""
    if isinstance(site.registry, EcrRegistry):
        account, region = ecr_home(site)
        return f"{account}.dkr.ecr.{region}.{dns_suffix(region)}"
    return site.registry.host


def ecr_home(site: Site) -> tuple[str, str]:
    """Return (account, region) of the site's ECR repositories.

    Raises ValueError where neither the registry nor the cluster names them.
    """
    registry, cluster = site.registry, site.cluster
    assert isinstance(registry, EcrRegistry)  # noqa: S101
    on_aws = cluster if isinstance(cluster, EksCluster) else None
    account = registry.account or (on_aws.account if on_aws else None)
    region = registry.region or (on_aws.region if on_aws else None)
    if not account or not region:
        raise ValueError("an ecr registry of a site outside AWS needs its account and region")
    return account, region


def dns_suffix(region: str) -> str:
    """Return the DNS suffix of a region's partition (AWS General Reference, service endpoints)."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def s3_endpoint(region: str) -> str:
    """Return the regional S3 endpoint, which the MinIO SDK addresses in path style or virtual style."""
    return f"https://s3.{region}.{dns_suffix(region)}"


def repository(site: Site, service: str) -> str:
    """Return the image repository's path in the registry."""
    return f"{site.project}/{site.site}/{service}"


def image(site: Site, service: str, tag: str, digest: str | None = None) -> str:
    """Return a full image reference: `<host>/<project>/<site>/<service>:<tag>` or `@<digest>`."""
    reference = f"{registry_host(site)}/{repository(site, service)}"
    return f"{reference}@{digest}" if digest else f"{reference}:{tag}"
