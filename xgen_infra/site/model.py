"""The customer's file as one model."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool

from xgen_infra import catalog
from xgen_infra.site.base import (
    DnsLabel,
    Email,
    EnvName,
    EnvValue,
    GitRevision,
    Model,
    Positive,
    SiteName,
    Text,
)
from xgen_infra.site.cluster import Cluster, EksCluster, K3sCluster, Management
from xgen_infra.site.parts import Argocd, Exposure, Images, Infra, NexusRegistry, Registry, Source
from xgen_infra.site.services import Services, ServiceSpec, resolve


class Generations(Model):
    """Raised by one when a secret's value was replaced, so that the pods which carry it are rolled."""

    secrets: Positive = 1
    """xgen-secrets: database passwords, keys."""
    registry: Positive = 1
    """registry-credentials."""


class Vendor(Model):
    """What all customers share unless their file says otherwise: project configuration in Pulumi.yaml."""

    registry: NexusRegistry


class Site(Model):
    """One customer's installation: the value of `xgen-infra:site` in `Pulumi.<stack>.yaml`."""

    stack: Annotated[str, Field(exclude=True)]
    """The stack's name, from the file's name."""
    site: SiteName
    """Path segment of the images; by default the stack's name. Two stacks may share one."""
    project: DnsLabel = "xgen"
    """First path segment of the images."""
    app_site: Text
    """The environment variable APP_SITE; by default `<project>-<site>`."""
    owner: Email | None = None
    """Whom to ask about this installation: a tag on every resource."""
    namespace: DnsLabel = "xgen"
    """Namespace of the six services."""
    description: str = ""
    """What people call this installation."""
    canary: StrictBool = False
    """Deployed before the other sites."""
    branch: GitRevision | None = None
    """Branch of the service repositories that is built for this site; by default the site's name."""
    delivery: Literal["argocd", "helm"] = "argocd"
    """Who owns the releases. From helm to argocd they are handed over; never back."""
    source: Source
    cluster: Cluster
    management: Management | None = None
    infra: Infra = Infra()
    registry: Registry
    exposure: Exposure = Exposure()
    argocd: Argocd = Argocd()
    images: Images = Images()
    vars: dict[EnvName, EnvValue] = Field(default_factory=dict)
    """Further environment of all six services."""
    services: Services = Services()
    generations: Generations = Generations()

    @property
    def eks(self) -> EksCluster | None:
        """The cluster, where it is EKS."""
        return self.cluster if isinstance(self.cluster, EksCluster) else None

    @property
    def k3s(self) -> K3sCluster | None:
        """The cluster, where it is K3s."""
        return self.cluster if isinstance(self.cluster, K3sCluster) else None

    def service(self, name: catalog.ServiceName) -> ServiceSpec:
        """Return one service with every default filled in."""
        return resolve(name, self.services.of(name), self.cluster.kind, self.images.tag)

    @cached_property
    def specs(self) -> tuple[ServiceSpec, ...]:
        """The six services with every default filled in."""
        return tuple(self.service(name) for name in catalog.NAMES)

    def __copy__(self) -> Self:
        """Copy without what was computed from the fields: `model_copy(update=...)` changes them."""
        copied = super().__copy__()
        copied.__dict__.pop("specs", None)
        return copied


def with_defaults(raw: Any, stack: str, vendor: Any) -> Any:
    """Return the file's `site` value with what depends on the stack's name and the vendor filled in.

    `raw` and `vendor` are plain YAML values; nothing is validated here.
    """
    if not isinstance(raw, dict):
        return raw
    site = raw.get("site", stack)
    project = raw.get("project", "xgen")
    defaults = {"site": site, "appSite": f"{project}-{site}"}
    if isinstance(vendor, dict) and "registry" in vendor:
        defaults["registry"] = vendor["registry"]
    return {**defaults, **raw, "stack": stack}
