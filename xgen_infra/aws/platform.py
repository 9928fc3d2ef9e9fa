"""The Kubernetes cluster of a site: made with its nodes, add-ons and controllers, or reached where it exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from xgen_infra import naming
from xgen_infra.aws import wiring
from xgen_infra.aws.addons import ClusterAddons, NodeAddons
from xgen_infra.aws.controllers import Controllers
from xgen_infra.aws.eks import ControlPlane
from xgen_infra.aws.existing import ExistingCluster
from xgen_infra.aws.network import Landing
from xgen_infra.aws.nodes import Nodes
from xgen_infra.aws.wiring import Plan


@dataclass(frozen=True)
class Platform:
    """A cluster, and what a workload on it has to wait for; `nodes` is None where they are not ours."""

    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    nodes: Nodes | None
    provider: kubernetes.Provider
    ready: tuple[pulumi.Resource, ...]


def make(
    plan: Plan, landing: Landing, key_arn: pulumi.Input[str], under: Sequence[pulumi.Resource]
) -> Platform:
    """Make the cluster, its nodes, and what runs on it for the platform; `under` is what it stands on.

    Each step waits for the one before, so a removal goes the other way: controllers (after the load
    balancers that they made), add-ons, nodes, control plane, then `under`.
    """
    components = [plan.provider, eks.Provider("eks")]
    control = ControlPlane(
        "cluster",
        wiring.control_plane(plan, landing, key_arn),
        opts=pulumi.ResourceOptions(providers=components, depends_on=list(under)),
    )
    addons = wiring.addons(plan)
    early = NodeAddons("node-addons", addons, opts=wiring.options(plan, control))
    nodes = Nodes(
        "nodes",
        control.cluster,
        wiring.nodes(plan, landing),
        opts=pulumi.ResourceOptions(providers=components, depends_on=[early]),
    )
    provider = _provider(plan, control.kubeconfig)
    both = [plan.provider, provider]
    late = ClusterAddons(
        "cluster-addons", addons, opts=pulumi.ResourceOptions(providers=both, depends_on=[nodes])
    )
    steering = Controllers(
        "controllers",
        wiring.controllers(plan, landing),
        opts=pulumi.ResourceOptions(providers=both, depends_on=[nodes, late]),
    )
    return Platform(control.endpoint, control.kubeconfig, nodes, provider, (nodes, late, steering))


def reach(plan: Plan, under: Sequence[pulumi.Resource]) -> Platform:
    """Reach a cluster that exists and is not changed."""
    name = naming.cluster(plan.site)
    found = ExistingCluster("cluster", name, plan.eks.region, opts=wiring.options(plan))
    provider = _provider(plan, found.kubeconfig)
    return Platform(found.endpoint, found.kubeconfig, None, provider, tuple(under))


def _provider(plan: Plan, kubeconfig: pulumi.Output[str]) -> kubernetes.Provider:
    """Make the provider; a new kubeconfig (another endpoint or authority) replaces nothing on the cluster.

    A Secret or ConfigMap is changed where it is, not replaced: pods that start meanwhile must find it.
    """
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=kubeconfig,
        cluster_identifier=plan.cluster_arn,
        enable_server_side_apply=True,
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
        delete_unreachable=False,
    )
