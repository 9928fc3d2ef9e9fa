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
