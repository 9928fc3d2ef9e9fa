"""What a customer's file may say of one of the six services, and what holds where it is silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from xgen_infra import catalog
from xgen_infra.site.base import (
    EnvName,
    EnvValue,
    Hostname,
    ImageDigest,
    ImageTag,
    Model,
    Positive,
    Quantity,
    quantity,
)


class Amounts(Model):
    """CPU and memory of a container."""

    cpu: Quantity | None = None
    """Cores: 1, 0.5 or 500m."""
    memory: Quantity | None = None
    """Bytes: 512Mi, 1Gi."""


class Resources(Model):
    """Requests and limits; what is omitted is the service's own default."""

    requests: Amounts = Amounts()
    """What a node must have free for the pod."""
    limits: Amounts = Amounts()
    """What the pod may take at most."""


class Autoscaling(Model):
    """The HorizontalPodAutoscaler."""

    enabled: StrictBool = True
    """False: the service runs `replicas` pods, whatever its load."""
    min_replicas: Positive | None = None
    """Fewest pods; by default 1 on EKS and 2 on K3s."""
    max_replicas: Positive | None = None
    """Most pods; by default 2 on EKS and 4 on K3s."""
    target_cpu: Annotated[StrictInt, Field(ge=10, le=95)] = 70
    """Percent of the CPU request."""


class Image(Model):
    """Which image; a digest wins over a tag and is what `xgen promote` writes."""

    tag: ImageTag | None = None
    """By default images.tag."""
    digest: ImageDigest | None = None
    """Exactly this image, whatever its tags say."""


class PodSecurity(Model):
    """Departures from the restricted Pod Security Standard, for images that need them."""

    run_as_user: Annotated[StrictInt, Field(ge=0, le=65535)] = 1000
    """User id of the container's processes."""
    run_as_root: StrictBool = False
    """True for an image that starts as root."""
    read_only_root_filesystem: StrictBool = True
    """False for an image that writes beside its volumes."""

    @model_validator(mode="after")
    def _root_is_said(self) -> PodSecurity:
        if self.run_as_user == 0 and not self.run_as_root:
            raise ValueError("runAsUser 0, which is root: write runAsRoot: true, or another user")
        return self


class ServiceOverride(Model):
    """One service's departures from its defaults."""

    replicas: Positive | None = None
    """Pods at the start, and without autoscaling for good; by default 1 on EKS and 2 on K3s."""
    autoscaling: Autoscaling = Autoscaling()
    resources: Resources = Resources()
    has_domain: StrictBool | None = None
    """Whether people reach the service from outside; by default the frontend and the gateway."""
    host: Hostname | None = None
    """Host name of this service alone, where it is not the platform's."""
    image: Image = Image()
    vars: dict[EnvName, EnvValue] = Field(default_factory=dict)
    """Environment of this service alone."""
    pod_security: PodSecurity = PodSecurity()


@dataclass(frozen=True)
class Scale:
    """Replicas and the autoscaler's bounds."""

    replicas: int
    autoscaling: bool
    min_replicas: int
    max_replicas: int
    target_cpu: int


DEFAULT_SCALE: dict[Literal["eks", "k3s"], tuple[int, int, int]] = {"eks": (1, 1, 2), "k3s": (2, 2, 4)}
"""replicas, minReplicas, maxReplicas: in the cloud a node is a cost, on-prem it is there anyway."""


@dataclass(frozen=True)
class ServiceSpec:
    """One service of one site with every default filled in."""

    service: catalog.Service
    scale: Scale
    requests: catalog.Size
    limits: catalog.Size
    has_domain: bool
    host: str | None
    tag: str
    digest: str | None
    vars: dict[str, str]
    pod_security: PodSecurity


def resolve(
    name: catalog.ServiceName, override: ServiceOverride, kind: Literal["eks", "k3s"], tag: str
) -> ServiceSpec:
    """Fill in one service's defaults: the product's, and those of the kind of cluster."""
    service = catalog.BY_NAME[name]
    replicas, low, high = DEFAULT_SCALE[kind]
    auto = override.autoscaling
    replicas = override.replicas or auto.min_replicas or replicas
    minimum = auto.min_replicas or min(override.replicas or low, auto.max_replicas or high)
    requests, limits = override.resources.requests, override.resources.limits
    return ServiceSpec(
        service=service,
        scale=Scale(
            replicas=replicas,
            autoscaling=auto.enabled,
            min_replicas=minimum,
            max_replicas=auto.max_replicas or max(high, minimum),
            target_cpu=auto.target_cpu,
        ),
        requests=catalog.Size(
            requests.cpu or service.requests.cpu, requests.memory or service.requests.memory
        ),
        limits=catalog.Size(limits.cpu or service.limits.cpu, limits.memory or service.limits.memory),
        has_domain=service.has_domain if override.has_domain is None else override.has_domain,
        host=override.host,
        tag=override.image.tag or tag,
        digest=override.image.digest,
        vars=dict(override.vars),
        pod_security=override.pod_security,
    )


class Services(Model):
    """The six services. What is omitted runs with its defaults."""

    xgen_frontend: Annotated[ServiceOverride, Field(alias="xgen-frontend")] = ServiceOverride()
    xgen_backend_gateway: Annotated[ServiceOverride, Field(alias="xgen-backend-gateway")] = ServiceOverride()
    xgen_core: Annotated[ServiceOverride, Field(alias="xgen-core")] = ServiceOverride()
    xgen_workflow: Annotated[ServiceOverride, Field(alias="xgen-workflow")] = ServiceOverride()
    xgen_documents: Annotated[ServiceOverride, Field(alias="xgen-documents")] = ServiceOverride()
    xgen_mcp_station: Annotated[ServiceOverride, Field(alias="xgen-mcp-station")] = ServiceOverride()

    def of(self, name: catalog.ServiceName) -> ServiceOverride:
        """Return what the file says of one service."""
        override = getattr(self, name.replace("-", "_"))
        assert isinstance(override, ServiceOverride)  # noqa: S101
        return override


def misfits(spec: ServiceSpec) -> list[tuple[tuple[str, ...], str]]:
    """List what contradicts itself in one service, as (path below the service, message)."""
    found: list[tuple[tuple[str, ...], str]] = []
    scale = spec.scale
    if scale.autoscaling and scale.min_replicas > scale.max_replicas:
        message = f"minReplicas {scale.min_replicas} above maxReplicas {scale.max_replicas}"
        found.append((("autoscaling", "minReplicas"), message))
    elif scale.autoscaling and not scale.min_replicas <= scale.replicas <= scale.max_replicas:
        message = (
            f"replicas {scale.replicas} outside the autoscaler's {scale.min_replicas} to {scale.max_replicas}: "
            "change autoscaling with it, or set autoscaling.enabled: false"
        )
        found.append((("replicas",), message))
    for kind in ("cpu", "memory"):
        request, limit = getattr(spec.requests, kind), getattr(spec.limits, kind)
        if quantity(request) > quantity(limit):
            found.append((("resources", "requests", kind), f"request {request} above the limit {limit}"))
    return found


__all__ = [
    "DEFAULT_SCALE",
    "Scale",
    "ServiceOverride",
    "ServiceSpec",
    "Services",
    "misfits",
    "resolve",
]
