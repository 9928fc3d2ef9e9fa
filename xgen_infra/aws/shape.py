"""What a site on AWS costs by the hour, as counts without prices. Imports no Pulumi."""

from __future__ import annotations

from typing import Any

from xgen_infra.aws.cidr import ZONES
from xgen_infra.site import EcrRegistry, EksCluster, Site

HOURS = 730
"""Hours of a month, as AWS counts them (AWS Pricing Calculator)."""


def monthly_shape(site: Site, cluster: EksCluster) -> dict[str, Any]:
    """Return what runs all month: counts, and where the size varies its bounds as {"min", "max"}."""
    nodes, made = cluster.nodes, cluster.vpc is None
    gateways = (ZONES if cluster.nat == "perZone" else 1) if made else 0
    return {
        "hours": HOURS,
        "eksClusters": 1,
        "instances": {
            "types": list(nodes.instance_types),
            "capacity": nodes.capacity_type,
            "min": nodes.min,
            "max": nodes.max,
        },
        "nodeVolumesGiB": {
            "type": "gp3",
            "min": nodes.min * nodes.disk_gib,
            "max": nodes.max * nodes.disk_gib,
        },
        "natGateways": gateways,
        "publicIpv4Addresses": gateways,
        "loadBalancers": 0 if site.exposure.kind == "none" else 1,
        "interfaceEndpoints": 0,
        "peeringConnections": 1 if site.management else 0,
        "kmsKeys": 1,
        "buckets": 1,
        "ecrRepositories": len(site.specs) if isinstance(site.registry, EcrRegistry) else 0,
        "logRetentionDays": cluster.log_retention_days,
        "flowLogs": cluster.flow_logs and made,
    }
