"""The peering with the management server's VPC: connection, routes on both sides, and the ports the site uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from xgen_infra.aws.ports import Opening

Side = Literal["same", "managed", "owner"]
"""Who works on the other side: `same` the site's own provider (one account, one region), `managed` a provider
of its own (by role, or in another region), `owner` somebody else, by hand."""


@dataclass(frozen=True)
class Requester:
    """The site's side: its VPC, and the private route tables by a stable part of a logical name."""

    vpc_id: pulumi.Input[str]
    cidr: IPv4Network
    route_tables: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Accepter:
    """The management server's side."""

    vpc_id: str
    cidr: IPv4Network
    account: str
    region: str
    route_table_ids: Sequence[str]
    security_group_ids: Sequence[str]
    openings: Sequence[Opening]


def key(physical: str) -> str:
    """Return a part of a logical name for an id that the file names, stable when a list is re-ordered."""
    return hashlib.sha256(physical.encode()).hexdigest()[:8]


class Peering(pulumi.ComponentResource):
    """A VPC peering connection; `remaining` says what the other side's owner must still do."""

    connection_id: pulumi.Output[str]
    remaining: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        tag: str,
        requester: Requester,
        accepter: Accepter,
        side: Side,
        management: aws.Provider | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Connect `requester` with `accepter`; `management` is the other side's provider where it has one."""
        super().__init__("xgen:aws:Peering", name, None, opts)
        self._name, self._tag, self._requester, self._accepter = name, tag, requester, accepter
        self._far = pulumi.ResourceOptions(parent=self, provider=management)
        if side == "managed" and management is None:
            raise ValueError("a peering managed on both sides needs the other side's provider")
        connection = aws.ec2.VpcPeeringConnection(
            f"{name}-connection",
            vpc_id=requester.vpc_id,
            peer_vpc_id=accepter.vpc_id,
            auto_accept=side == "same",
            tags={"Name": tag},
            # AWS takes neither where both are the requester's own.
            **({} if side == "same" else {"peer_owner_id": accepter.account, "peer_region": accepter.region}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.connection_id = connection.id
        active = connection.id if side != "managed" else self._accept(connection)
        self._near_routes(active)
        if side != "owner":
            self._far_side(active)
        self.remaining = self._remaining(side)
        self.register_outputs({"connectionId": self.connection_id})

    def _accept(self, connection: aws.ec2.VpcPeeringConnection) -> pulumi.Output[str]:
        """Accept from the other side; its output is known only once the connection is active."""
        accepted = aws.ec2.VpcPeeringConnectionAccepter(
            f"{self._name}-acceptance",
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags={"Name": self._tag},
            opts=self._far,
        )
        active: pulumi.Output[str] = accepted.id
        return active

    def _near_routes(self, connection_id: pulumi.Input[str]) -> None:
        for part, table in self._requester.route_tables.items():
            aws.ec2.Route(
                f"{self._name}-route-{part}",
                route_table_id=table,
                destination_cidr_block=str(self._accepter.cidr),
                vpc_peering_connection_id=connection_id,
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _far_side(self, connection_id: pulumi.Input[str]) -> None:
        for table in self._accepter.route_table_ids:
            aws.ec2.Route(
                f"{self._name}-management-route-{key(table)}",
                route_table_id=table,
                destination_cidr_block=str(self._requester.cidr),
                vpc_peering_connection_id=connection_id,
                opts=self._far,
            )
        for group in self._accepter.security_group_ids:
            for opening in self._accepter.openings:
                aws.vpc.SecurityGroupIngressRule(
                    f"{self._name}-management-{key(group)}-{opening.port}",
                    security_group_id=group,
                    cidr_ipv4=str(self._requester.cidr),
                    ip_protocol="tcp",
                    from_port=opening.port,
                    to_port=opening.port,
                    description=f"{opening.purpose} from {self._tag}",
                    tags={"Name": self._tag},
                    opts=self._far,
                )

    def _remaining(self, side: Side) -> pulumi.Output[list[str]]:
        far, near = self._accepter, self._requester
        ports = ", ".join(f"{opening.port} ({opening.purpose})" for opening in far.openings)
        steps: list[pulumi.Input[str]] = []
        if side == "owner":
            steps.append(
                pulumi.Output.format(
                    "In account {0}, region {1}: accept the peering connection {2}: aws ec2 "
                    "accept-vpc-peering-connection --region {1} --vpc-peering-connection-id {2}",
                    far.account,
                    far.region,
                    self.connection_id,
                )
            )
        if side == "owner" or not far.route_table_ids:
            tables = (
                ", ".join(far.route_table_ids) or f"each route table of {far.vpc_id} that its servers use"
            )
            steps.append(
                pulumi.Output.format("In {0}: route {1} to {2}", tables, str(near.cidr), self.connection_id)
            )
        if ports and (side == "owner" or not far.security_group_ids):
            groups = ", ".join(far.security_group_ids) or "the security groups of its servers"
            steps.append(f"In {groups}: allow TCP from {near.cidr} to {ports}")
        if not near.route_tables:
            steps.append(
                pulumi.Output.format(
                    "In the route tables of the site's private subnets: route {0} to {1}, or name the tables "
                    "under cluster.vpc.privateRouteTableIds",
                    str(far.cidr),
                    self.connection_id,
                )
            )
        return pulumi.Output.all(*steps).apply(list)
