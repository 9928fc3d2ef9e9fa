"""What was at the customer's before the first `up`, read off the customer's file: networks that it names by id."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from xgen_infra import naming
from xgen_infra.rehearsal.control_plane.nodes import Node
from xgen_infra.rehearsal.standins.aws.emulator.networks import ExistingNetwork, ExistingSubnet
from xgen_infra.site import EksCluster, Site

_ZONES = "abc"


def networks(site: Site) -> list[ExistingNetwork]:
    """Return the management VPC, and the site's own where it is an existing one."""
    cluster = site.cluster
    found: list[ExistingNetwork] = []
    if not isinstance(cluster, EksCluster):
        return found
    if site.management:
        management = site.management
        found.append(
            ExistingNetwork(
                account=management.account or cluster.account,
                region=management.region or cluster.region,
                vpc_id=management.vpc_id,
                cidr=str(management.cidr),
                route_table_ids=management.route_table_ids,
                security_group_ids=management.security_group_ids,
            )
        )
    if cluster.vpc:
        found.append(_existing(cluster))
    return found


def _existing(cluster: EksCluster) -> ExistingNetwork:
    vpc = cluster.vpc
    assert vpc is not None  # noqa: S101
    ids = (*vpc.private_subnet_ids, *vpc.public_subnet_ids)
    blocks = IPv4Network(cluster.vpc_cidr).subnets(new_prefix=cluster.vpc_cidr.prefixlen + 4)
    subnets = tuple(
        ExistingSubnet(subnet_id=name, cidr=str(block), zone=_ZONES[index % len(_ZONES)])
        for index, (name, block) in enumerate(zip(ids, blocks, strict=False))
    )
    return ExistingNetwork(
        account=cluster.account,
        region=cluster.region,
        vpc_id=vpc.id,
        cidr=str(cluster.vpc_cidr),
        route_table_ids=vpc.private_route_table_ids,
        subnets=subnets,
    )


def objects(site: Site) -> list[dict[str, Any]]:
    """Return the Kubernetes objects that a cluster which runs already has, as far as the file says so (`adopt`)."""
    if not site.k3s:
        return []
    adopt, found = site.k3s.adopt, []
    if adopt.data_services or adopt.namespace:
        found.append(_object("Namespace", naming.DATA_NAMESPACE))
    if adopt.namespace:
        found.append(_object("Namespace", site.namespace))
    if adopt.data_services:
        from xgen_infra.k3s.data_services import in_cluster  # noqa: PLC0415 - it brings the SDK

        found += [_object("Service", name, naming.DATA_NAMESPACE) for name in in_cluster(site.infra)]
    return found


def _object(kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": {}}


def nodes(site: Site) -> list[Node]:
    """Return the nodes that the scheduler sees: as many as the node group may have, of a comfortable size."""
    count = site.eks.nodes.max if site.eks else 3
    region = site.eks.region if site.eks else "onprem-"
    return [
        Node(
            name=f"node-{number}",
            cpu="8",
            memory="32Gi",
            pods=110,
            labels={"topology.kubernetes.io/zone": f"{region}{_ZONES[number % len(_ZONES)]}"},
        )
        for number in range(count)
    ]
