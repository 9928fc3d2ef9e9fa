"""One customer's stack: cluster, then delivery, then what people need to know of it."""

from __future__ import annotations

from typing import assert_never

from xgen_infra import aws, k3s
from xgen_infra.cluster import Cluster
from xgen_infra.delivery.install import install
from xgen_infra.load import Credentials
from xgen_infra.outputs import Outputs
from xgen_infra.site import EksCluster, K3sCluster, Site


def build(site: Site, credentials: Credentials) -> Outputs:
    """Register every resource of the stack and return its outputs."""
    cluster = cluster_of(site, credentials)
    delivery = install(site, credentials, cluster)
    return Outputs.of(site, cluster, delivery)


def cluster_of(site: Site, credentials: Credentials) -> Cluster:
    """Register the cluster: the one place that tells the kinds apart."""
    match site.cluster:
        case EksCluster():
            return aws.build(site)
        case K3sCluster():
            return k3s.build(site, credentials)
        case _:
            assert_never(site.cluster)
