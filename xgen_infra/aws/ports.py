"""Which ports of the management server a site uses. Imports no Pulumi."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from xgen_infra.aws.cidr import inside
from xgen_infra.site import Management, NexusRegistry, Site

_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22}


@dataclass(frozen=True)
class Opening:
    """One TCP port of the management server, and what the site reaches there."""

    port: int
    purpose: str


def openings(site: Site) -> tuple[Opening, ...]:
    """Return the ports that the site's pods, nodes and Argo CD reach on the management server, each once.

    PostgreSQL, Redis and Qdrant live there unless their host is an address elsewhere; the registry and the
    Git server where their host is an address of its network, or where `management.serves` says so.
    """
    if site.management is None:
        return ()
    found: dict[int, Opening] = {}
    for opening in (*_data(site, site.management), *_other(site, site.management)):
        found.setdefault(opening.port, opening)
    return tuple(found[port] for port in sorted(found))


def _serves(management: Management, what: str, host: str | None) -> bool:
    if management.serves is not None:
        return what in management.serves
    if host is not None and inside(host, management.cidr):
        return True
    is_data = what in {"postgres", "redis", "qdrant"}
    return is_data and not (host and host.replace(".", "").isdigit())


def _data(site: Site, management: Management) -> Iterator[Opening]:
    infra = site.infra
    if _serves(management, "postgres", infra.postgres.host):
        yield Opening(infra.postgres.port, "PostgreSQL")
    if _serves(management, "redis", infra.redis.host):
        yield Opening(infra.redis.port, "Redis")
    if _serves(management, "qdrant", infra.qdrant.host):
        yield Opening(infra.qdrant.port, "Qdrant over HTTP")
        yield Opening(infra.qdrant.grpc_port, "Qdrant over gRPC")


def _other(site: Site, management: Management) -> Iterator[Opening]:
    registry = site.registry
    if isinstance(registry, NexusRegistry):
        host, _, port = registry.host.partition(":")
        if _serves(management, "registry", host):
            yield Opening(int(port or (80 if registry.plain_http else 443)), "image registry")
    host, port_number = git_address(site.source.repo_url)
    if _serves(management, "git", host):
        yield Opening(port_number, "Git")


def git_address(url: str) -> tuple[str, int]:
    """Return (host, port) of a Git URL; `user@host:path` is SSH."""
    if "://" not in url:
        return url.partition("@")[2].partition(":")[0], _DEFAULT_PORTS["ssh"]
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
