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
ARGO_CD = Chart("argo-cd", "https://argoproj.github.io/argo-helm", "10.1.1")
# renovate: datasource=helm registryUrl=https://aws.github.io/eks-charts depName=aws-load-balancer-controller
LOAD_BALANCER_CONTROLLER = Chart("aws-load-balancer-controller", "https://aws.github.io/eks-charts", "3.5.0")
# renovate: datasource=helm registryUrl=https://kubernetes.github.io/autoscaler depName=cluster-autoscaler
CLUSTER_AUTOSCALER = Chart("cluster-autoscaler", "https://kubernetes.github.io/autoscaler", "9.59.0")


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


# Argo CD's are those of its chart's version.
# renovate: datasource=docker depName=quay.io/argoproj/argocd
ARGO_CD_IMAGE = Image("quay.io", "argoproj/argocd", "v3.4.4")
# renovate: datasource=docker depName=ecr-public.aws.com/docker/library/redis
ARGO_CD_REDIS = Image("ecr-public.aws.com", "docker/library/redis", "8.2.3-alpine")
# renovate: datasource=docker depName=ecr-public.aws.com/docker/library/haproxy
ARGO_CD_HAPROXY = Image("ecr-public.aws.com", "docker/library/haproxy", "3.0.27-alpine")
# renovate: datasource=docker depName=ghcr.io/dexidp/dex
DEX = Image("ghcr.io", "dexidp/dex", "v2.45.1")
# renovate: datasource=docker depName=public.ecr.aws/eks/aws-load-balancer-controller
LOAD_BALANCER_IMAGE = Image("public.ecr.aws", "eks/aws-load-balancer-controller", "v3.5.0")


@dataclass(frozen=True)
class EksPins:
    """What goes with one Kubernetes minor on EKS: versions of its add-ons, and the Cluster Autoscaler.

    The Cluster Autoscaler's minor is the cluster's (Cluster Autoscaler documentation, "Releases").
    """

    kube_proxy: str
    coredns: str
    autoscaler_tag: str
    # renovate: datasource=aws-eks-addon depName=vpc-cni
    vpc_cni: str = "v1.22.4-eksbuild.3"
    # renovate: datasource=aws-eks-addon depName=eks-pod-identity-agent
    pod_identity_agent: str = "v1.3.10-eksbuild.3"
    # renovate: datasource=aws-eks-addon depName=aws-ebs-csi-driver
    ebs_csi_driver: str = "v1.66.0-eksbuild.1"
    # renovate: datasource=aws-eks-addon depName=metrics-server
    metrics_server: str = "v0.9.0-eksbuild.11"

    @property
    def cluster_autoscaler(self) -> Image:
        """The Cluster Autoscaler's image."""
        return Image("registry.k8s.io", "autoscaling/cluster-autoscaler", self.autoscaler_tag)


EKS: dict[str, EksPins] = {
    "1.33": EksPins("v1.33.10-eksbuild.29", "v1.12.4-eksbuild.38", "v1.33.5"),
    "1.34": EksPins("v1.34.6-eksbuild.29", "v1.12.4-eksbuild.38", "v1.34.4"),
    "1.35": EksPins("v1.35.3-eksbuild.29", "v1.13.2-eksbuild.31", "v1.35.1"),
    "1.36": EksPins("v1.36.0-eksbuild.25", "v1.14.3-eksbuild.23", "v1.36.1"),
}
"""By Kubernetes minor: the only ones this program installs. `aws eks describe-addon-versions
--kubernetes-version MINOR` lists what EKS offers."""


def eks_pins(minor: str) -> EksPins:
    """Return what goes with a Kubernetes minor on EKS.

    Raises ValueError for a minor without pins.
    """
    if minor not in EKS:
        raise ValueError(
            f"Kubernetes {minor} on EKS has no pinned add-ons: this program knows {', '.join(EKS)}"
        )
    return EKS[minor]
