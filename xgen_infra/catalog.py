"""The six services of XGEN 2.0: facts about the product, the same at every customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServiceName = Literal[
    "xgen-frontend",
    "xgen-backend-gateway",
    "xgen-core",
    "xgen-workflow",
    "xgen-documents",
    "xgen-mcp-station",
]


@dataclass(frozen=True)
class Size:
    """CPU and memory as Kubernetes quantities."""

    cpu: str
    memory: str


@dataclass(frozen=True)
class Service:
    """One service: `port` is where its container listens, `health` the HTTP path of its probes (None: TCP)."""

    name: ServiceName
    port: int
    health: str | None
    requests: Size
    limits: Size
    has_domain: bool = False
    path: str = "/"
    calls: tuple[ServiceName, ...] = ()
    dotenv: str | None = None


SERVICES: tuple[Service, ...] = (
    Service(
        "xgen-frontend",
        port=3000,
        health="/",
        requests=Size("100m", "256Mi"),
        limits=Size("500m", "1Gi"),
        has_domain=True,
        path="/",
        calls=("xgen-backend-gateway",),
    ),
    Service(
        "xgen-backend-gateway",
        port=8000,
        health="/health",
        requests=Size("200m", "512Mi"),
        limits=Size("1000m", "2Gi"),
        has_domain=True,
        path="/api",
        calls=("xgen-core", "xgen-workflow", "xgen-documents", "xgen-mcp-station"),
    ),
    Service(
        "xgen-core",
        port=8000,
        health="/health",
        requests=Size("200m", "512Mi"),
        limits=Size("1000m", "4Gi"),
        calls=("xgen-workflow", "xgen-documents", "xgen-mcp-station"),
    ),
    Service(
        "xgen-workflow",
        port=8000,
        health="/health",
        requests=Size("200m", "512Mi"),
        limits=Size("1000m", "4Gi"),
        calls=("xgen-core", "xgen-documents", "xgen-mcp-station"),
    ),
    Service(
        "xgen-documents",
        port=8000,
        health="/health",
        requests=Size("500m", "1Gi"),
        limits=Size("4000m", "16Gi"),
        calls=("xgen-core",),
        dotenv="/app/.env",
    ),
    Service(
        "xgen-mcp-station",
        port=8000,
        health="/health",
        requests=Size("100m", "256Mi"),
        limits=Size("1000m", "2Gi"),
        calls=("xgen-core",),
    ),
)
"""In the order in which people list them. The seed gives the sizes of frontend, core and documents; the other
three are sized as their nearest relative (docs/adr records the choice)."""

NAMES: tuple[ServiceName, ...] = tuple(service.name for service in SERVICES)
BY_NAME: dict[str, Service] = {service.name: service for service in SERVICES}
