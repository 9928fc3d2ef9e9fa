"""The stand-in of the `eks` provider: its components, over ordinary pulumi_aws resources."""

from __future__ import annotations

from importlib.metadata import version

from xgen_infra.rehearsal.standins.eks import cluster, node_group
from xgen_infra.rehearsal.standins.stand import Stand


def stand() -> Stand:
    """Return the provider."""
    return Stand(
        name="eks",
        version=version("pulumi-eks"),
        types={},
        construct={cluster.TOKEN: cluster.construct, node_group.TOKEN: node_group.construct},
    )
