"""Who may talk to whom: each service's NetworkPolicy, from the customer's file alone."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

from xgen_infra import catalog, naming
from xgen_infra.site import ServiceSpec, Site

ANYWHERE = "0.0.0.0/0"
TRAEFIK = {"namespace": "kube-system", "podLabels": {"app.kubernetes.io/name": "traefik"}}
"""K3s documentation, "Networking Services": Traefik runs in kube-system."""


def policy(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    """Return the chart's `networkPolicy` value of one service."""
    return {"enabled": True, "ingress": _ingress(site, spec), "egress": _egress(site, spec)}


def callers(name: str) -> list[str]:
    """Return the services that call one."""
    return [service.name for service in catalog.SERVICES if name in service.calls]


def _ingress(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    rules: dict[str, Any] = {"fromServices": callers(spec.service.name)}
    if spec.has_domain and site.exposure.kind != "none":
        if site.eks:
            rules["fromCidrs"] = [str(site.eks.vpc_cidr)]
        else:
            rules["fromPods"] = [TRAEFIK]
    return rules


def _egress(site: Site, spec: ServiceSpec) -> dict[str, Any]:
    infra = site.infra
    targets: list[tuple[str | None, list[int]]] = [
        (infra.postgres.host, [infra.postgres.port]),
        (infra.redis.host, [infra.redis.port]),
        (infra.qdrant.host, [infra.qdrant.port, infra.qdrant.grpc_port]),
    ]
    if site.k3s:
        endpoint = infra.minio.endpoint
        parts = urlsplit(endpoint or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        targets.append((parts.hostname, [port if endpoint else 9000]))
    inside = sorted({port for host, ports in targets if host is None for port in ports})
    return {
        "dns": True,
        "https": True,
        "cidrs": [{"cidr": _cidr(site, host), "ports": ports} for host, ports in targets if host],
        "namespaces": [{"name": naming.DATA_NAMESPACE, "ports": inside}] if inside else [],
        "services": [{"name": called, "port": catalog.BY_NAME[called].port} for called in spec.service.calls],
    }


def _cidr(site: Site, host: str) -> str:
    """Return the network of a host: an address alone; behind a name, the management network or anywhere."""
    try:
        return f"{IPv4Address(host)}/32"
    except ValueError:
        return str(site.management.cidr) if site.management else ANYWHERE
