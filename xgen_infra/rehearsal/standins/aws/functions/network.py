"""Functions that look networks up."""

from __future__ import annotations

from typing import Any

from xgen_infra.rehearsal.standins.aws.ec2.common import tags_of
from xgen_infra.rehearsal.standins.aws.ec2.vpc import Subnet, Vpc
from xgen_infra.rehearsal.standins.aws.kind import Ref
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Props


def get_vpc(aws: Aws, arguments: Props) -> Props:
    """Find one VPC by id, CIDR, state, tags, filters, or as the default one. Raises AwsError."""
    keys = {"cidrBlock": "cidr", "dhcpOptionsId": "dhcp-options-id", "state": "state", "id": "vpc-id"}
    extra = [{"Name": "is-default", "Values": ["true"]}] if arguments.get("default") else []
    vpc = _only(aws, "describe_vpcs", "Vpcs", "VPC", _filters(arguments, keys) + extra)
    live = Vpc().read(Ref(aws, vpc["VpcId"], {})) or {}
    return {
        **{key: value for key, value in live.items() if key != "tagsAll"},
        "id": vpc["VpcId"],
        "default": bool(vpc.get("IsDefault", False)),
        "state": vpc["State"],
        "tags": tags_of(vpc),
        "cidrBlockAssociations": [
            {
                "associationId": a["AssociationId"],
                "cidrBlock": a["CidrBlock"],
                "state": a["CidrBlockState"]["State"],
            }
            for a in vpc.get("CidrBlockAssociationSet") or []
        ],
    }


def get_subnet(aws: Aws, arguments: Props) -> Props:
    """Find one subnet. Raises AwsError."""
    keys = {
        "id": "subnet-id",
        "vpcId": "vpc-id",
        "cidrBlock": "cidr-block",
        "availabilityZone": "availability-zone",
        "state": "state",
    }
    subnet = _only(aws, "describe_subnets", "Subnets", "subnet", _filters(arguments, keys))
    live = Subnet().read(Ref(aws, subnet["SubnetId"], {})) or {}
    return {
        **{key: value for key, value in live.items() if key != "tagsAll"},
        "id": subnet["SubnetId"],
        "state": subnet["State"],
        "availableIpAddressCount": subnet["AvailableIpAddressCount"],
        "tags": tags_of(subnet),
    }


def get_subnets(aws: Aws, arguments: Props) -> Props:
    """List subnet ids by filters and tags."""
    got = aws.client("ec2").describe_subnets(Filters=_filters(arguments, {}))["Subnets"]
    return {"id": aws.region, "ids": sorted(s["SubnetId"] for s in got)}


def get_route_table(aws: Aws, arguments: Props) -> Props:
    """Find one route table. Raises AwsError."""
    keys = {
        "routeTableId": "route-table-id",
        "vpcId": "vpc-id",
        "subnetId": "association.subnet-id",
        "gatewayId": "association.gateway-id",
    }
    table = _only(aws, "describe_route_tables", "RouteTables", "route table", _filters(arguments, keys))
    ident = table["RouteTableId"]
    return {
        "id": ident,
        "routeTableId": ident,
        "arn": aws.arn("ec2", f"route-table/{ident}"),
        "vpcId": table["VpcId"],
        "ownerId": table.get("OwnerId", aws.account),
        "tags": tags_of(table),
        "routes": [_route(route) for route in table["Routes"] if route.get("GatewayId") != "local"],
        "associations": [
            {
                "routeTableAssociationId": a["RouteTableAssociationId"],
                "routeTableId": ident,
                "subnetId": a.get("SubnetId", ""),
                "gatewayId": a.get("GatewayId", ""),
                "main": bool(a.get("Main", False)),
            }
            for a in table["Associations"]
        ],
    }


def get_route_tables(aws: Aws, arguments: Props) -> Props:
    """List route table ids by VPC, filters and tags."""
    got = aws.client("ec2").describe_route_tables(Filters=_filters(arguments, {"vpcId": "vpc-id"}))
    return {"id": aws.region, "ids": sorted(t["RouteTableId"] for t in got["RouteTables"])}


def get_security_group(aws: Aws, arguments: Props) -> Props:
    """Find one security group. Raises AwsError."""
    keys = {"id": "group-id", "name": "group-name", "vpcId": "vpc-id"}
    group = _only(
        aws, "describe_security_groups", "SecurityGroups", "security group", _filters(arguments, keys)
    )
    return {
        "id": group["GroupId"],
        "arn": aws.arn("ec2", f"security-group/{group['GroupId']}"),
        "name": group["GroupName"],
        "description": group["Description"],
        "vpcId": group.get("VpcId", ""),
        "tags": tags_of(group),
    }


def _filters(arguments: Props, keys: dict[str, str]) -> list[dict[str, Any]]:
    made = [{"Name": n, "Values": [arguments[k]]} for k, n in keys.items() if arguments.get(k)]
    made += [{"Name": f["name"], "Values": f["values"]} for f in arguments.get("filters") or []]
    return made + [{"Name": f"tag:{k}", "Values": [v]} for k, v in (arguments.get("tags") or {}).items()]


def _only(aws: Aws, operation: str, answer: str, noun: str, filters: list[dict[str, Any]]) -> Props:
    got = getattr(aws.client("ec2"), operation)(Filters=filters)[answer]
    if len(got) != 1:
        many = "no matching" if not got else f"{len(got)} matching"
        asked = ", ".join(f"{f['Name']}={'|'.join(f['Values'])}" for f in filters) or "nothing"
        raise AwsError("NotFound", f"{many} EC2 {noun} found (asked by {asked}): exactly one is needed")
    return dict(got[0])


def _route(route: Props) -> Props:
    return {
        "cidrBlock": route.get("DestinationCidrBlock", ""),
        "gatewayId": route.get("GatewayId", ""),
        "natGatewayId": route.get("NatGatewayId", ""),
        "vpcPeeringConnectionId": route.get("VpcPeeringConnectionId", ""),
    }
