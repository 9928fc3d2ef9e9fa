"""Every pin of what is installed at a customer's: charts, add-ons, images. Tools are pinned in tools/*/go.mod.

A marker comment above a pin names its source for Renovate (renovate.json).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chart:
    """A third-party Helm chart."""

    name: str
    repository: str
    version: str


# renovate: datasource=helm registryUrl=https://argoproj.github.io/argo-helm depName=argo-cd
ARGO_CD = Chart("argo-cd", "https://argoproj.github.io/argo-helm", "9.1.3")
# renovate: datasource=helm registryUrl=https://aws.github.io/eks-charts depName=aws-load-balancer-controller
LOAD_BALANCER_CONTROLLER = Chart(
    "aws-load-balancer-controller", "https://aws.github.io/eks-charts", "1.14.1"
)
# renovate: datasource=helm registryUrl=https://kubernetes.github.io/autoscaler depName=cluster-autoscaler
CLUSTER_AUTOSCALER = Chart("cluster-autoscaler", "https://kubernetes.github.io/autoscaler", "9.52.1")


@dataclass(frozen=True)
class Image:
    """A third-party container image. `registry/repository:tag`, `@digest` in place of the tag where one is known."""

    registry: str
    repository: str
    tag: str

    @property
    def reference(self) -> str:
        """The image's full name."""
        return f"{self.registry}/{self.repository}:{self.tag}"

    def mirrored(self, registry: str | None) -> str:
        """Return the image's name in a registry that mirrors it under the same path; without one, its own."""
        return f"{registry}/{self.repository}:{self.tag}" if registry else self.reference


# renovate: datasource=docker depName=postgres
POSTGRES = Image("docker.io", "library/postgres", "17.11-bookworm")
# renovate: datasource=docker depName=valkey/valkey
VALKEY = Image("docker.io", "valkey/valkey", "9.1.2")
# renovate: datasource=docker depName=qdrant/qdrant
QDRANT = Image("docker.io", "qdrant/qdrant", "v1.18.2-unprivileged")
# renovate: datasource=docker depName=versity/versitygw
OBJECT_STORE = Image("docker.io", "versity/versitygw", "v1.8.0")
# renovate: datasource=docker depName=rclone/rclone
S3_CLIENT = Image("docker.io", "rclone/rclone", "1.75.1")
