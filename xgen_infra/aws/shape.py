"""What a site on AWS costs by the hour, as counts without prices. Imports no Pulumi."""

from __future__ import annotations

from typing import Any

from xgen_infra.aws.cidr import ZONES
from xgen_infra.site import EcrRegistry, EksCluster, Site
from xgen_infra.site.cluster import Nodes

HOURS = 730
"""Hours of a month, as AWS counts them (AWS Pricing Calculator)."""


def monthly_shape(site: Site, cluster: EksCluster) -> dict[str, Any]:
    """Return what runs all month: counts, and where the size varies its bounds as {"min", "max"}."""
    made, ours = cluster.vpc is None, cluster.existing_cluster is None
    gateways = (ZONES if cluster.nat == "perZone" else 1) if made else 0
    return {
        "hours": HOURS,
        "eksClusters": 1 if ours else 0,
        "instances": _instances(cluster.nodes) if ours else None,
        "nodeVolumesGiB": _volumes(cluster.nodes) if ours else None,
        "natGateways": gateways,
        "publicIpv4Addresses": gateways,
        "loadBalancers": 0 if site.exposure.kind == "none" else 1,
        "interfaceEndpoints": 0,
        "peeringConnections": 1 if site.management else 0,
        "kmsKeys": 1 if ours else 0,
        "buckets": 1,
        "ecrRepositories": len(site.specs) if isinstance(site.registry, EcrRegistry) else 0,
        "logRetentionDays": cluster.log_retention_days,
        "flowLogs": cluster.flow_logs and made,
    }


def _instances(nodes: Nodes) -> dict[str, Any]:
    bounds = {"min": nodes.min, "max": nodes.max}
    return {"types": list(nodes.instance_types), "capacity": nodes.capacity_type, **bounds}


def _volumes(nodes: Nodes) -> dict[str, Any]:
    return {"type": "gp3", "min": nodes.min * nodes.disk_gib, "max": nodes.max * nodes.disk_gib}
