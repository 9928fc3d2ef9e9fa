"""Both ends of the peering, and a VPC that the site is put into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra import naming
from xgen_infra.preflight.check import Result, StopError, fine, refuse, warn
from xgen_infra.preflight.scene import Scene, said
from xgen_infra.site import EksCluster, ExistingVpc, Management

_ALIVE = frozenset({"initiating-request", "pending-acceptance", "provisioning", "active"})


@dataclass(frozen=True)
class _Far:
    """The management network as AWS has it: a client of its region, and what the file says of it."""

    ec2: Any
    management: Management
    eks: EksCluster
    own: frozenset[str]
    """Peering connections of this very stack."""


def management(scene: Scene) -> Iterator[Result]:
    """Look at the management network from its own side, or say who has to."""
    spec = scene.site.management
    assert spec  # noqa: S101
    foreign = spec.account not in {None, scene.eks.account}
    if foreign and spec.role_arn is None:
        yield warn(
            f"{spec.vpc_id} is in account {spec.account}, which this principal does not enter",
            f"let its owner compare {spec.vpc_id} with {spec.cidr}, and see that none of its route tables leads "
            f"to {scene.eks.vpc_cidr}; or write management.roleArn",
        )
        return
    account = scene.management_account(spec)
    ec2 = account.client("ec2")
    try:
        connections = _connections(ec2)
        far = _Far(ec2, spec, scene.eks, _named(connections, naming.aws(scene.site)))
        yield from _vpc(ec2, spec.vpc_id, spec.cidr, "management")
        yield from _tables(far)
        yield from _groups(far)
        yield from _peerings(far, connections)
    except BotoCoreError as error:
        raise StopError(warn(f"{account.region} did not answer ({said(error)})")) from None


def _connections(ec2: Any) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_vpc_peering_connections").paginate()
    return [one for page in pages for one in page["VpcPeeringConnections"]]


def _named(connections: Sequence[dict[str, Any]], name: str) -> frozenset[str]:
    """Return the peering connections that bear the name which this stack gives."""
    return frozenset(
        one["VpcPeeringConnectionId"]
        for one in connections
        if {"Key": "Name", "Value": name} in (one.get("Tags") or [])
    )


def _vpc(ec2: Any, vpc: str, cidr: IPv4Network, where: str) -> Iterator[Result]:
    try:
        found = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    except ClientError as error:
        raise StopError(
            refuse(f"{vpc} is not there ({said(error)})", f"correct {where}, its id, account and region")
        ) from None
    blocks = [IPv4Network(one["CidrBlock"]) for one in _associated(found)]
    if any(cidr.subnet_of(block) for block in blocks):
        yield fine(f"{vpc} is there and holds {cidr}")
    else:
        listed = ", ".join(map(str, blocks))
        yield refuse(
            f"{vpc} has {listed}, and the file says {cidr}", f"write the network of {vpc} in the file"
        )


def _associated(vpc: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks that a VPC holds, first and further ones."""
    further = vpc.get("CidrBlockAssociationSet") or [vpc]
    return [
        one for one in further if one.get("CidrBlockState", {}).get("State", "associated") == "associated"
    ]


def _tables(far: _Far) -> Iterator[Result]:
    spec = far.management
    for table in _told(
        far.ec2, "RouteTables", "describe_route_tables", "RouteTableIds", spec.route_table_ids
    ):
        if table["VpcId"] == spec.vpc_id:
            yield from _leads(table, far.eks.vpc_cidr, far.own, "cluster.vpcCidr")
        else:
            yield refuse(
                f"the route table {table['RouteTableId']} belongs to {table['VpcId']}, not to {spec.vpc_id}",
                "correct management.routeTableIds",
            )


def _leads(table: dict[str, Any], cidr: IPv4Network, own: frozenset[str], field: str) -> Iterator[Result]:
    """Say whether a table leads traffic for a network, which `field` of the file names, elsewhere."""
    name = table["RouteTableId"]
    taken = [route for route in table["Routes"] if _in_the_way(route, cidr, own)]
    for route in taken:
        yield refuse(
            f"the route table {name} leads {route['DestinationCidrBlock']} to {_target(route)}, where {cidr} has to "
            "lead over the peering",
            f"remove that route if it is a leftover, or write another network than {cidr} as {field}",
        )
    if not taken:
        yield fine(f"the route table {name} is {table['VpcId']}'s, and leads nothing of {cidr} elsewhere")


def _in_the_way(route: dict[str, Any], cidr: IPv4Network, own: frozenset[str]) -> bool:
    """Whether a route takes traffic for the site's network away: the same block, or a part of it.

    A wider one, such as the default route, gives way to the more specific (Amazon VPC User Guide, "Route priority").
    """
    block = route.get("DestinationCidrBlock")
    return (
        block is not None
        and IPv4Network(block).subnet_of(cidr)
        and route.get("VpcPeeringConnectionId") not in own
    )


def _target(route: dict[str, Any]) -> str:
    keys = ("VpcPeeringConnectionId", "TransitGatewayId", "GatewayId", "NatGatewayId", "NetworkInterfaceId")
    return next((str(route[key]) for key in keys if route.get(key)), "another place")


def _groups(far: _Far) -> Iterator[Result]:
    wanted = far.management.security_group_ids
    for group in _told(far.ec2, "SecurityGroups", "describe_security_groups", "GroupIds", wanted):
        name = group["GroupId"]
        if group["VpcId"] == far.management.vpc_id:
            yield fine(f"the security group {name} is {group['VpcId']}'s")
        else:
            yield refuse(
                f"the security group {name} belongs to {group['VpcId']}, not to {far.management.vpc_id}",
                "correct management.securityGroupIds",
            )


def _told(ec2: Any, key: str, operation: str, parameter: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return what AWS tells of these ids; StopError where it does not know one."""
    if not ids:
        return []
    try:
        found: list[dict[str, Any]] = getattr(ec2, operation)(**{parameter: list(ids)})[key]
    except ClientError as error:
        raise StopError(
            refuse(said(error), "correct the ids in the file, and see that account and region are right")
        ) from None
    return found


def _peerings(far: _Far, connections: Sequence[dict[str, Any]]) -> Iterator[Result]:
    """Look for a peering that would stand beside this site's: two with overlapping ends cannot both be routed to."""
    others = [
        (one["VpcPeeringConnectionId"], other)
        for one in connections
        if one["Status"]["Code"] in _ALIVE and one["VpcPeeringConnectionId"] not in far.own
        for other in _other_end(one, far.management.vpc_id)
    ]
    conflicts = [
        (name, other)
        for name, other in others
        if any(block.overlaps(far.eks.vpc_cidr) for block in _blocks(other))
    ]
    for name, other in conflicts:
        yield refuse(
            f"{far.management.vpc_id} is peered already ({name}) with {other['VpcId']}, which holds "
            f"{', '.join(map(str, _blocks(other)))}: it overlaps {far.eks.vpc_cidr}",
            "choose another cluster.vpcCidr, or let the owner delete that peering if it is a leftover",
        )
    if not conflicts:
        yield fine(
            f"no peering of {far.management.vpc_id} leads to anything that overlaps {far.eks.vpc_cidr}"
        )


def _other_end(peering: dict[str, Any], vpc: str) -> Iterator[dict[str, Any]]:
    ends = [peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]]
    if any(end.get("VpcId") == vpc for end in ends):
        yield from (end for end in ends if end.get("VpcId") != vpc)


def _blocks(end: dict[str, Any]) -> list[IPv4Network]:
    listed = [one["CidrBlock"] for one in end.get("CidrBlockSet") or [] if "CidrBlock" in one]
    return (
        [IPv4Network(block) for block in listed or [end["CidrBlock"]] if block] if "CidrBlock" in end else []
    )


def existing_vpc(scene: Scene) -> Iterator[Result]:
    """Look at the VPC into which the site is put: its network, subnets, and what its route tables lead elsewhere."""
    vpc, management = scene.eks.vpc, scene.site.management
    assert vpc  # noqa: S101
    ec2 = scene.account.client("ec2")
    yield from _vpc(ec2, vpc.id, scene.eks.vpc_cidr, "cluster.vpc")
    yield from _subnets(ec2, vpc)
    tables = _told(ec2, "RouteTables", "describe_route_tables", "RouteTableIds", vpc.private_route_table_ids)
    own = _named(_connections(ec2), naming.aws(scene.site)) if management else frozenset()
    for table in tables:
        if table["VpcId"] != vpc.id:
            yield refuse(
                f"{table['RouteTableId']} belongs to {table['VpcId']}, not to {vpc.id}", "correct cluster.vpc"
            )
        elif management:
            yield from _leads(table, management.cidr, own, "management.cidr")
        else:
            yield fine(f"{table['RouteTableId']} is {vpc.id}'s")


def _subnets(ec2: Any, vpc: ExistingVpc) -> Iterator[Result]:
    wanted = (*vpc.private_subnet_ids, *vpc.public_subnet_ids)
    zones: set[str] = set()
    for one in _told(ec2, "Subnets", "describe_subnets", "SubnetIds", wanted):
        name = one["SubnetId"]
        if one["VpcId"] == vpc.id:
            yield fine(f"{name} is {vpc.id}'s")
        else:
            yield refuse(f"{name} belongs to {one['VpcId']}, not to {vpc.id}", "correct cluster.vpc")
        if name in vpc.private_subnet_ids:
            zones.add(one["AvailabilityZone"])
    if len(zones) == 1:
        yield refuse(
            f"the private subnets are all in {zones.pop()}", "name subnets of two availability zones at least"
        )
