"""The whole of the `eks` stand-in: its components.

What a component registers and refuses is the real one's. `command.install` puts an `aws` command on a PATH, which
both the components and the kubeconfig that they make need.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from xgen_infra.rehearsal.standins.contract import Construct
from xgen_infra.rehearsal.standins.eks.addons import construct_addon, construct_vpc_cni
from xgen_infra.rehearsal.standins.eks.cluster import construct_cluster
from xgen_infra.rehearsal.standins.eks.node_group import construct_node_group
from xgen_infra.rehearsal.standins.stand import Stand

COMPONENTS: Mapping[str, Construct] = {
    "eks:index:Cluster": construct_cluster,
    "eks:index:ManagedNodeGroup": construct_node_group,
    "eks:index:VpcCniAddon": construct_vpc_cni,
    "eks:index:Addon": construct_addon,
}


def stand() -> Stand:
    """Return the provider."""
    return Stand(name="eks", version=version("pulumi-eks"), types={}, construct=COMPONENTS)
