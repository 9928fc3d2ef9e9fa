"""The site's VPC: three private subnets for nodes and pods, three public ones for NAT and load balancers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from xgen_infra.aws import cidr, policies
from xgen_infra.aws.refusal import told

NOT_FOR_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones in which EKS places no control plane (Amazon EKS User Guide, "VPC and subnet requirements")."""

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class FlowLogs:
    """Where VPC flow logs go: a log group of this name, kept for days, encrypted by this key."""

    log_group: str
    role_name: str
    retention_days: int
    key_arn: pulumi.Input[str]


@dataclass(frozen=True)
class NetworkArgs:
    """What a VPC needs: `name` is its physical name, `zones` pins availability zones by name."""

    name: str
    cidr: IPv4Network
    place: policies.Place
    nat: Literal["single", "perZone"]
    zones: tuple[str, ...] = ()
    flow_logs: FlowLogs | None = None


@dataclass(frozen=True)
class Landing:
    """A VPC as the other components see it, made or existing."""

    vpc_id: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    private_route_tables: dict[str, pulumi.Input[str]]
    """By a stable part of a logical name."""
    nat_public_ips: Sequence[pulumi.Input[str]]


def choose_zones(names: Sequence[str], zone_ids: Sequence[str]) -> list[str]:
    """Return the first three zones, by name, in which EKS works.

    Raises ValueError where a region has fewer.
    """
    fit = sorted(name for name, zone in zip(names, zone_ids, strict=True) if zone not in NOT_FOR_EKS)
    if len(fit) < cidr.ZONES:
        raise ValueError(
            f"the region offers {len(fit)} availability zones that EKS takes ({', '.join(fit) or 'none'}), "
            f"a site needs {cidr.ZONES}: choose another region, or name an existing VPC under cluster.vpc"
        )
    return fit[: cidr.ZONES]


class Network(pulumi.ComponentResource):
    """A VPC with its subnets, routes, NAT gateways and S3 gateway endpoint; `landing` is what it offers."""

    landing: Landing

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:Network", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(args.cidr),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": args.name},
            opts=self._child,
        )
        # With no rule named, AWS closes the group that anything without one would get.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-security-group",
            vpc_id=self.vpc.id,
            tags={"Name": f"{args.name}-closed"},
            opts=self._child,
        )
        layout, zones = cidr.layout(args.cidr), self._zones()
        public = self._subnets("public", layout.public, zones, "kubernetes.io/role/elb")
        private = self._subnets("private", layout.private, zones, "kubernetes.io/role/internal-elb")
        gateways = self._public_side(public)
        tables = self._private_side(private, gateways)
        self._s3_endpoint(tables)
        if args.flow_logs:
            self._flow_logs(args.flow_logs)
        self.landing = Landing(
            vpc_id=self.vpc.id,
            private_subnet_ids=[subnet.id for subnet in private],
            public_subnet_ids=[subnet.id for subnet in public],
            private_route_tables={str(index): table.id for index, table in enumerate(tables, start=1)},
            nat_public_ips=[gateway.public_ip for gateway in gateways],
        )
        self.register_outputs({"vpcId": self.vpc.id})

    def _zones(self) -> Sequence[pulumi.Input[str]]:
        if self._args.zones:
            return self._args.zones
        found = aws.get_availability_zones_output(
            state="available",
            filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
            opts=pulumi.InvokeOptions(parent=self),
        )
        chosen = found.apply(lambda result: told(choose_zones, result.names, result.zone_ids))
        return [chosen[index] for index in range(cidr.ZONES)]

    def _subnets(
        self,
        kind: Literal["private", "public"],
        networks: Sequence[IPv4Network],
        zones: Sequence[pulumi.Input[str]],
        role: str,
    ) -> list[aws.ec2.Subnet]:
        """Make one subnet per zone; `role` is the tag by which load balancers find theirs.

        A region that grows must not move what stands: the zone of an existing subnet is never compared again.
        """
        return [
            aws.ec2.Subnet(
                f"{self._name}-{kind}-{index}",
                vpc_id=self.vpc.id,
                cidr_block=str(network),
                availability_zone=zone,
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._args.name}-{kind}-{index}", role: "1"},
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["availabilityZone"]),
            )
            for index, (network, zone) in enumerate(zip(networks, zones, strict=True), start=1)
        ]

    def _public_side(self, subnets: Sequence[aws.ec2.Subnet]) -> list[aws.ec2.NatGateway]:
        name, tag = self._name, self._args.name
        internet = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=self.vpc.id, tags={"Name": tag}, opts=self._child
        )
        table = aws.ec2.RouteTable(
            f"{name}-public-routes", vpc_id=self.vpc.id, tags={"Name": f"{tag}-public"}, opts=self._child
        )
        way_out = aws.ec2.Route(
            f"{name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=EVERYWHERE,
            gateway_id=internet.id,
            opts=self._child,
        )
        for index, subnet in enumerate(subnets, start=1):
            aws.ec2.RouteTableAssociation(
                f"{name}-public-{index}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
        return [
            self._nat(index, subnet, way_out)
            for index, subnet in enumerate(subnets[: self._gateways], start=1)
        ]

    @property
    def _gateways(self) -> int:
        return cidr.ZONES if self._args.nat == "perZone" else 1

    def _nat(self, index: int, subnet: aws.ec2.Subnet, way_out: aws.ec2.Route) -> aws.ec2.NatGateway:
        tags = {"Name": f"{self._args.name}-nat-{index}"}
        address = aws.ec2.Eip(f"{self._name}-nat-{index}", domain="vpc", tags=tags, opts=self._child)
        return aws.ec2.NatGateway(
            f"{self._name}-nat-{index}",
            allocation_id=address.id,
            subnet_id=subnet.id,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[way_out]),
        )

    def _private_side(
        self, subnets: Sequence[aws.ec2.Subnet], gateways: Sequence[aws.ec2.NatGateway]
    ) -> list[aws.ec2.RouteTable]:
        """Give every zone a route table of its own, so that adding NAT gateways later only changes routes."""
        tables = []
        for index, subnet in enumerate(subnets, start=1):
            part = f"{self._name}-private-{index}"
            table = aws.ec2.RouteTable(
                f"{part}-routes",
                vpc_id=self.vpc.id,
                tags={"Name": f"{self._args.name}-private-{index}"},
                opts=self._child,
            )
            aws.ec2.Route(
                f"{part}-nat",
                route_table_id=table.id,
                destination_cidr_block=EVERYWHERE,
                nat_gateway_id=gateways[min(index, len(gateways)) - 1].id,
                opts=self._child,
            )
            aws.ec2.RouteTableAssociation(
                part, subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
            tables.append(table)
        return tables

    def _s3_endpoint(self, tables: Sequence[aws.ec2.RouteTable]) -> None:
        """Documents and image layers go to S3 without crossing (and paying for) the NAT gateway."""
        aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self._args.place.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": f"{self._args.name}-s3"},
            opts=self._child,
        )

    def _flow_logs(self, logs: FlowLogs) -> None:
        name = self._name
        group = aws.cloudwatch.LogGroup(
            f"{name}-flow-logs",
            name=logs.log_group,
            retention_in_days=logs.retention_days,
            kms_key_id=logs.key_arn,
            opts=self._child,
        )
        role = aws.iam.Role(
            f"{name}-flow-logs",
            name=logs.role_name,
            permissions_boundary=self._args.place.boundary,
            assume_role_policy=policies.text(
                policies.trust_service("vpc-flow-logs.amazonaws.com", account=self._args.place.account)
            ),
            opts=self._child,
        )
        write = aws.iam.RolePolicy(
            f"{name}-flow-logs",
            role=role.id,
            policy=policies.text(policies.flow_logs(self._args.place, logs.log_group)),
            opts=self._child,
        )
        aws.ec2.FlowLog(
            f"{name}-flow-logs",
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": self._args.name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[write]),
        )
