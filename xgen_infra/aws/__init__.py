"""A site on AWS: network, peering, EKS cluster, bucket, keys, registry.

Pulumi's AWS package takes a second to load, so it is loaded when a site is built: a K3s site and the offline
commands, which use only this package's pure modules, do without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xgen_infra.cluster import Cluster
    from xgen_infra.site import Site


def build(site: Site) -> Cluster:
    """Register a site's AWS resources, and return its cluster; see `xgen_infra.aws.assemble`."""
    from xgen_infra.aws import assemble  # noqa: PLC0415

    return assemble.build(site)


__all__ = ["build"]
