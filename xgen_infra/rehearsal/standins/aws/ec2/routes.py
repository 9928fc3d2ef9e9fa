"""Route tables, routes, and which subnet follows which table."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.ec2.common import described, filtered, retag, tagged, tags_of
from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

_TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
    "transitGatewayId": "TransitGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "vpcEndpointId": "VpcEndpointId",
}
_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
_LIVE_PEERING = {"active", "pending-acceptance", "provisioning", "initiating-request"}
_INLINE = {"cidrBlock": "DestinationCidrBlock", "ipv6CidrBlock": "DestinationIpv6CidrBlock"}


class RouteTable(Kind):
    type_name = "aws:ec2/routeTable:RouteTable"
    required = frozenset({"vpcId"})
    optional = frozenset({"routes"})
    replace_on = frozenset({"vpcId"})

    def check(self, inputs: Props) -> Iterator[Failure]:
        for index, route in enumerate(inputs.get("routes") or []):
            for failure in (*checks.network(route, "cidrBlock"), *checks.exclusive(route, *_TARGETS)):
                yield Failure(f"routes[{index}].{failure.property}", failure.reason)

    def create(self, job: Job) -> str:
        made = job.aws.client("ec2").create_route_table(VpcId=job.text("vpcId"), **tagged(job, "route-table"))
        ident = str(made["RouteTable"]["RouteTableId"])
        for route in job.inputs.get("routes") or []:
            job.aws.client("ec2").create_route(RouteTableId=ident, **_inline(route))
        return ident

    def read(self, ref: Ref) -> Props | None:
        table = described(ref.aws, "describe_route_tables", "RouteTables", RouteTableIds=[ref.id])
        if table is None:
            return None
        live = {
            "arn": ref.aws.arn("ec2", f"route-table/{ref.id}"),
            "vpcId": table["VpcId"],
            "ownerId": table.get("OwnerId", ref.aws.account),
            "routes": [_as_inline(route) for route in _movable(table)],
            "tagsAll": tags_of(table),
        }
        asked = ref.known.get("routes")
        if asked and {_key(r) for r in asked} == {_key(r) for r in live["routes"]}:
            live["routes"] = asked
        return live

    def update(self, job: Job, ref: Ref) -> None:
        if job.inputs.get("routes") is not None:
            ec2 = job.aws.client("ec2")
            had = {_destination(_inline(r)): _inline(r) for r in ref.known.get("routes") or []}
            wanted = {_destination(_inline(r)): _inline(r) for r in job.inputs["routes"]}
            for gone in set(had) - set(wanted):
                found(ec2.delete_route, RouteTableId=ref.id, **dict([gone]))
            for destination, route in wanted.items():
                if had.get(destination) != route:
                    change = ec2.replace_route if destination in had else ec2.create_route
                    change(RouteTableId=ref.id, **route)
        retag(job, ref)

    def delete(self, ref: Ref) -> None:
        table = described(ref.aws, "describe_route_tables", "RouteTables", RouteTableIds=[ref.id])
        if table is None:
            return
        for association in table["Associations"]:
            if not association.get("Main"):
                ref.client("ec2").disassociate_route_table(
                    AssociationId=association["RouteTableAssociationId"]
                )
        ref.client("ec2").delete_route_table(RouteTableId=ref.id)


class Route(Kind):
    type_name = "aws:ec2/route:Route"
    required = frozenset({"routeTableId"})
    optional = frozenset({*_DESTINATIONS, *_TARGETS})
    replace_on = frozenset({"routeTableId", *_DESTINATIONS})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.network(inputs, "destinationCidrBlock")
        yield from checks.exclusive(inputs, *_DESTINATIONS)
        yield from checks.exclusive(inputs, *_TARGETS)

    def create(self, job: Job) -> str:
        ec2, table = job.aws.client("ec2"), job.text("routeTableId")
        self._refuse_dead_target(job)
        if self._find(job.aws, table, _asked(job.inputs)) is not None:
            raise AwsError("RouteAlreadyExists", f"{table} has a route to {_destination_text(job.inputs)}")
        ec2.create_route(RouteTableId=table, **_asked(job.inputs), **_target(job.inputs))
        return f"r-{table}{zlib.crc32(_destination_text(job.inputs).encode())}"

    def read(self, ref: Ref) -> Props | None:
        known = ref.known
        if "routeTableId" not in known:
            table, _, destination = ref.id.rpartition("_")
            known = {"routeTableId": table, "destinationCidrBlock": destination}
        route = self._find(ref.aws, str(known["routeTableId"]), _asked(known))
        if route is None:
            return None
        live = {name: route.get(field, "") for name, field in _TARGETS.items()}
        named = {key: known[key] for key in _DESTINATIONS if known.get(key)}
        return {
            **live,
            **named,
            "routeTableId": known["routeTableId"],
            "origin": route.get("Origin", "CreateRoute"),
            "state": route.get("State", "active"),
        }

    def update(self, job: Job, ref: Ref) -> None:
        self._refuse_dead_target(job)
        job.aws.client("ec2").replace_route(
            RouteTableId=ref.known["routeTableId"], **_asked(ref.known), **_target(job.inputs)
        )

    def delete(self, ref: Ref) -> None:
        live = self.read(ref)
        if live is not None:
            ref.client("ec2").delete_route(RouteTableId=live["routeTableId"], **_asked(live))

    def _find(self, aws: Aws, table_id: str, destination: dict[str, str]) -> Props | None:
        table = described(aws, "describe_route_tables", "RouteTables", RouteTableIds=[table_id])
        for route in (table or {}).get("Routes") or []:
            if destination and all(route.get(k) == v for k, v in destination.items()):
                return dict(route)
        return None

    def _refuse_dead_target(self, job: Job) -> None:
        peering = job.text("vpcPeeringConnectionId")
        if not peering:
            return
        found_one = described(
            job.aws,
            "describe_vpc_peering_connections",
            "VpcPeeringConnections",
            VpcPeeringConnectionIds=[peering],
        )
        if found_one is None or found_one["Status"]["Code"] not in _LIVE_PEERING:
            raise AwsError("InvalidVpcPeeringConnectionID.NotFound", f"{peering} is not there or not alive")


class RouteTableAssociation(Kind):
    type_name = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    required = frozenset({"routeTableId"})
    optional = frozenset({"subnetId", "gatewayId"})
    replace_on = frozenset({"subnetId", "gatewayId"})
    taggable = False

    def check(self, inputs: Props) -> Iterator[Failure]:
        yield from checks.exclusive(inputs, "subnetId", "gatewayId")

    def create(self, job: Job) -> str:
        subnet = job.text("subnetId")
        for table in filtered(
            job.aws, "describe_route_tables", "RouteTables", {"association.subnet-id": subnet or "none"}
        ):
            raise AwsError(
                "Resource.AlreadyAssociated", f"{subnet} is associated with {table['RouteTableId']} already"
            )
        end = {"SubnetId": subnet} if subnet else {"GatewayId": job.text("gatewayId")}
        made = job.aws.client("ec2").associate_route_table(RouteTableId=job.text("routeTableId"), **end)
        return str(made["AssociationId"])

    def read(self, ref: Ref) -> Props | None:
        association = self._find(ref)
        if association is None:
            return None
        return {"routeTableId": association["RouteTableId"], "subnetId": association.get("SubnetId")}

    def update(self, job: Job, ref: Ref) -> None:
        association = self._find(ref)
        if association is None:
            raise AwsError("InvalidAssociationID.NotFound", f"the association {ref.id} does not exist")
        job.aws.client("ec2").replace_route_table_association(
            AssociationId=association["RouteTableAssociationId"], RouteTableId=job.text("routeTableId")
        )

    def delete(self, ref: Ref) -> None:
        association = self._find(ref)
        if association is not None:
            ref.client("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])

    def _find(self, ref: Ref) -> Props | None:
        """Give the association by its subnet: EC2 gives it a new id each time that its table is replaced."""
        subnet = ref.known.get("subnetId")
        for table in filtered(ref.aws, "describe_route_tables", "RouteTables"):
            for association in table["Associations"]:
                same_end = subnet is not None and association.get("SubnetId") == subnet
                if association["RouteTableAssociationId"] == ref.id or same_end:
                    return {**association, "RouteTableId": table["RouteTableId"]}
        return None


def _asked(known: Props) -> dict[str, str]:
    return {field: str(known[key]) for key, field in _DESTINATIONS.items() if known.get(key)}


def _destination_text(known: Props) -> str:
    return next(iter(_asked(known).values()), "")


def _target(known: Props) -> dict[str, str]:
    return {field: str(known[key]) for key, field in _TARGETS.items() if known.get(key)}


def _inline(route: Props) -> dict[str, str]:
    return {f: str(route[k]) for k, f in {**_INLINE, **_TARGETS}.items() if route.get(k)}


def _destination(route: dict[str, str]) -> tuple[str, str]:
    return next((f, route[f]) for f in _INLINE.values() if f in route)


def _movable(table: Props) -> Iterator[Props]:
    for route in table["Routes"]:
        if route.get("GatewayId") != "local" and "DestinationPrefixListId" not in route:
            yield route


def _as_inline(route: Props) -> dict[str, str]:
    return {k: str(route[f]) for k, f in {**_INLINE, **_TARGETS}.items() if route.get(f)}


def _key(route: Props) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, str(v)) for k, v in route.items() if v not in {None, ""}))
