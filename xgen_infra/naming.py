"""Physical names. Nothing else makes one, so that two customers never share one."""

from __future__ import annotations

import hashlib
import re

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


def backup_bucket(site: Site) -> str:
    """Return the bucket of the database dumps, beside the documents' own; at most 63 characters."""
    return f"{bucket(site)[:55].rstrip('.-')}-backups"


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


def aws(site: Site, part: str = "", limit: int = 64) -> str:
    """Return the name of an AWS resource: `<project>-<stack>[-<part>]`, at most `limit` characters.

    64 is the limit of IAM role names (IAM User Guide, "IAM and AWS STS quotas"). Letters that not every
    service takes become hyphens. Wherever that, the limit, or a hyphen in the project could make two stacks
    alike, a digest of the exact project and stack tells them apart.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", stem(site).lower()).strip("-")
    tail = f"-{part}" if part else ""
    exact = plain == stem(site) and "-" not in site.project
    if exact and len(plain + tail) <= limit:
        return plain + tail
    mark = hashlib.sha256(f"{site.project}/{site.stack}".encode()).hexdigest()[:8]
    room = limit - len(tail) - len(mark) - 1
    return f"{plain[:room].rstrip('-')}-{mark}{tail}"


def state_bucket(site: Site, account: str) -> str:
    """Return the name of the bucket that keeps the engine's state; at most 63 characters."""
    return f"{aws(site, 'state', 50)}-{account}"


def cluster(site: Site) -> str:
    """Return the EKS cluster's name (Amazon EKS API, CreateCluster: letters, digits, hyphens, at most 100)."""
    existing = site.eks.existing_cluster if site.eks else None
    return existing or aws(site, limit=100)


def tags(site: Site) -> dict[str, str]:
    """Return the tags that every taggable AWS resource carries."""
    owner = {"owner": site.owner} if site.owner else {}
    return {"site": site.site, "stack": site.stack, "managed-by": "pulumi", **owner}


def partition(region: str) -> str:
    """Return the partition of a region (AWS General Reference, "Amazon Resource Names")."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
