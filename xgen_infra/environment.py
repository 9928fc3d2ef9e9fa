"""The environment that the six services get: which variable comes from which owner.

One table, used by the program, by `render`, by `check` and by `explain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from xgen_infra import naming
from xgen_infra.site import Site

Owner = Literal["file", "resource", "credential"]


@dataclass(frozen=True)
class Variable:
    """One variable. `value` is None where only a resource or a secret knows it.

    `owner` is who knows the value: the customer's file (or a model's default), a resource's output named
    `source`, or the credential named `source`. `paths` are the places of the file that decide it.
    """

    name: str
    owner: Owner
    source: str
    value: str | None = None
    paths: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        """Whether the variable reaches the container through a Secret."""
        return self.owner == "credential"


def in_cluster(name: str) -> str:
    """Return the DNS name of a data service inside the cluster."""
    return f"{name}.{naming.DATA_NAMESPACE}.svc.cluster.local"


def secure(endpoint: str) -> str:
    """Return MINIO_SECURE for an endpoint: what its scheme says."""
    return "true" if endpoint.startswith("https://") else "false"


def minio_endpoint(site: Site) -> str:
    """Return the object store's URL."""
    if site.eks:
        return naming.s3_endpoint(site.eks.region)
    return site.infra.minio.endpoint or f"http://{in_cluster('object-store')}:9000"


def wired(site: Site) -> tuple[Variable, ...]:
    """Return every variable that this program wires, in a fixed order, the same keys on every cluster."""
    return (*_plain(site), *_secret(site))


def _plain(site: Site) -> Iterator[Variable]:
    infra = site.infra
    cluster = "cluster.region" if site.eks else "cluster"
    yield Variable("APP_SITE", "file", "appSite", site.app_site, ("appSite", "site", "project"))
    region = site.eks.region if site.eks else "us-east-1"
    yield Variable("AWS_REGION", "file", "cluster.region", region, (cluster,))
    bucket = naming.bucket(site)
    for name in ("S3_BUCKET", "S3_DOCUMENT_BUCKET", "MINIO_DOCUMENT_BUCKET"):
        yield Variable(name, "resource", "bucket", bucket, ("cluster.bucket.name",))
    endpoint = minio_endpoint(site)
    where = ("cluster.region",) if site.eks else ("infra.minio.endpoint",)
    yield Variable("MINIO_ENDPOINT", "resource", "objectStore.endpoint", endpoint, where)
    yield Variable("MINIO_SECURE", "resource", "objectStore.secure", secure(endpoint), where)
    for prefix, name, ports in (
        ("POSTGRES", "postgres", {"PORT": "port"}),
        ("REDIS", "redis", {"PORT": "port"}),
        ("QDRANT", "qdrant", {"PORT": "port", "GRPC_PORT": "grpcPort"}),
    ):
        part = getattr(infra, name)
        host = part.host or in_cluster(name)
        yield Variable(f"{prefix}_HOST", "resource", f"{name}.host", host, (f"infra.{name}.host",))
        for suffix, field in ports.items():
            port = part.port if field == "port" else part.grpc_port
            yield Variable(
                f"{prefix}_{suffix}", "file", f"infra.{name}.{field}", str(port), (f"infra.{name}.{field}",)
            )
    database, user = infra.postgres.database, infra.postgres.user
    yield Variable("POSTGRES_DB", "file", "infra.postgres.database", database, ("infra.postgres.database",))
    yield Variable("POSTGRES_USER", "file", "infra.postgres.user", user, ("infra.postgres.user",))


def _secret(site: Site) -> Iterator[Variable]:
    keys = ("accessKey.id", "accessKey.secret") if site.eks else ("minioAccessKey", "minioSecretKey")
    yield Variable("MINIO_DATA_ACCESS_KEY", "credential", keys[0])
    yield Variable("MINIO_DATA_SECRET_KEY", "credential", keys[1])
    yield Variable("POSTGRES_PASSWORD", "credential", "postgresPassword")
    yield Variable("REDIS_PASSWORD", "credential", "redisPassword")
    yield Variable("QDRANT_API_KEY", "credential", "qdrantApiKey")


def secret_keys(site: Site) -> tuple[str, ...]:
    """Return the keys of the Secret xgen-secrets: the variables that are secret."""
    return tuple(variable.name for variable in wired(site) if variable.secret)
