"""The other parts of the customer's file: Git source, registry, infrastructure services, exposure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from xgen_infra.site.base import (
    AwsAccount,
    AwsRegion,
    CertificateArn,
    Cidr,
    DnsLabel,
    Endpoint,
    GitRevision,
    GitUrl,
    Hostname,
    HostPort,
    ImageTag,
    Model,
    Port,
    RoleArn,
    Text,
)


class Source(Model):
    """The customer's Git repository: the mirror job writes it, Argo CD polls it."""

    repo_url: Annotated[GitUrl, Field(alias="repoURL")]
    """The repository, as the customer's cluster reaches it."""
    target_revision: GitRevision = "main"
    """The branch that the mirror job writes and Argo CD follows."""
    path: Text = "."
    """Folder of the chart and values in that repository."""
    username: Text = "xgen-mirror"
    """User name that goes with the secure key gitPassword; Argo CD reads with it."""
    ca_certificate: str | None = None
    """PEM of a private certificate authority."""
    known_hosts: str | None = None
    """Where the URL is SSH: the server's public keys, as `ssh-keyscan HOST` prints them, checked by its owner."""
    poll_seconds: Annotated[StrictInt, Field(ge=30, le=3600)] = 180
    """How often Argo CD looks for a new commit."""

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        if {"..", ".git"} & set(value.split("/")):
            raise ValueError("expected a folder of the repository, such as 'sites/aww'")
        return value

    @property
    def folder(self) -> str:
        """The path as Git names it: without slashes around it or dots; empty for the repository's root."""
        return "/".join(part for part in self.path.split("/") if part not in {"", "."})


class NexusRegistry(Model):
    """A Nexus (or any other Docker registry with a user name and password)."""

    kind: Literal["nexus"]
    host: HostPort
    """Host and port of the Docker repository."""
    credential_id: Text = "nexus-credentials"
    """Id of the credential in Jenkins that pushes."""
    username: Text = "xgen-pull"
    """User name that goes with the secure key registryPassword; the cluster pulls with it."""
    plain_http: StrictBool = False
    """The registry speaks HTTP, not HTTPS."""
    ca_certificate: str | None = None
    """PEM of a private certificate authority."""


class EcrRegistry(Model):
    """Amazon ECR: a repository per service, in the site's account unless another is named."""

    kind: Literal["ecr"]
    account: AwsAccount | None = None
    """Whose repositories; by default the cluster's account."""
    region: AwsRegion | None = None
    """Where they are; by default the cluster's region."""
    push_principal: RoleArn | None = None
    """The vendor's role that may push; the only writer."""
    create: StrictBool = True
    """False where another stack of the same site makes the repositories, and this one only pulls."""
    credential_id: Text = "ecr-credentials"
    """Id of the credential in Jenkins that assumes the push principal."""


class LocalRegistry(Model):
    """A registry inside the cluster without authentication, as K3s' at localhost:30500."""

    kind: Literal["local"]
    host: HostPort = "localhost:30500"
    """Host and port as the nodes reach it."""
    plain_http: StrictBool = True
    """The registry speaks HTTP, not HTTPS."""
    credential_id: str = ""
    """No credential: the registry takes anyone's push."""


Registry = Annotated[NexusRegistry | EcrRegistry | LocalRegistry, Field(discriminator="kind")]


class Postgres(Model):
    """PostgreSQL; the password is the secure key postgresPassword."""

    host: Hostname | None = None
    """Without a host, on K3s: one is run in the cluster."""
    port: Port = 5432
    """Port of the server."""
    database: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "xgen"
    """The database of the six services."""
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "xgen"
    """The user that owns it."""


class Redis(Model):
    """Redis; the password is the secure key redisPassword."""

    host: Hostname | None = None
    """Without a host, on K3s: one is run in the cluster."""
    port: Port = 6379
    """Port of the server."""


class Qdrant(Model):
    """Qdrant; the key is the secure key qdrantApiKey."""

    host: Hostname | None = None
    """Without a host, on K3s: one is run in the cluster."""
    port: Port = 6333
    """Port of its HTTP interface."""
    grpc_port: Port = 6334
    """Port of its gRPC interface."""


class Minio(Model):
    """The S3-compatible object store. On EKS this is the bucket this program makes."""

    endpoint: Endpoint | None = None
    """On K3s: an existing store; without it, one is run in the cluster."""


class Infra(Model):
    """The services below the six: where each one is."""

    postgres: Postgres = Postgres()
    redis: Redis = Redis()
    qdrant: Qdrant = Qdrant()
    minio: Minio = Minio()


class Exposure(Model):
    """How people reach the services that have a domain."""

    kind: Literal["none", "internal", "public"] = "none"
    """none: no Ingress; internal: from the customer's network; public: from the internet."""
    domain: Hostname | None = None
    """Host name of the platform; without one, on AWS, the load balancer's own name serves."""
    certificate_arn: CertificateArn | None = None
    """ACM certificate on AWS; without one the load balancer speaks plain HTTP."""
    tls_secret: DnsLabel | None = None
    """On K3s: Secret with the certificate; without one, plain HTTP."""
    allow_from: tuple[Cidr, ...] = ()
    """Client networks that the load balancer admits; empty: everyone who reaches it."""

    @model_validator(mode="after")
    def _complete(self) -> Exposure:
        if self.kind == "none" and (self.domain or self.certificate_arn or self.tls_secret):
            raise ValueError("kind none beside a domain or certificate: write kind: internal or public")
        if self.kind == "public" and not self.domain:
            raise ValueError("kind public without a domain: write the domain, or kind: internal")
        return self


class Argocd(Model):
    """Argo CD's installation."""

    high_availability: StrictBool = False
    """Two replicas of what can have them, and Redis HA."""
    dex: StrictBool = False
    """Single sign-on by Dex."""
    chart_repository: str | None = None
    """Where the platform's charts come from, for customers without internet; a Helm repository URL."""
    image_registry: HostPort | None = None
    """Registry that mirrors the platform's images, for customers without internet."""
    notifications_webhook: StrictBool = False
    """Post to the secure key argocdWebhookUrl when an Application is Degraded or OutOfSync."""


class Images(Model):
    """What all six images have in common."""

    tag: ImageTag = "latest-amd64"
    """The moving tag that Jenkins pushes."""
