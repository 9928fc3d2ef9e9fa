from __future__ import annotations

import pytest

from xgen_infra.aws.network import choose_zones

from .recording import Recording
from .sites import built

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
TABLE = "aws:ec2/routeTable:RouteTable"
NAT = "aws:ec2/natGateway:NatGateway"


def test_three_private_and_three_public_subnets_lie_in_three_zones(aww: Recording) -> None:
    subnets = aww.named(SUBNET)
    assert sorted(subnets) == [f"network-{kind}-{n}" for kind in ("private", "public") for n in (1, 2, 3)]
    for kind in ("private", "public"):
        zones = [subnets[f"network-{kind}-{n}"].inputs["availabilityZone"] for n in (1, 2, 3)]
        assert zones == ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in subnets.values())


def test_load_balancers_find_their_subnets_by_tag(aww: Recording) -> None:
    for name, subnet in aww.named(SUBNET).items():
        tags = subnet.inputs["tags"]
        assert tags.get("kubernetes.io/role/elb") == ("1" if "public" in name else None)
        assert tags.get("kubernetes.io/role/internal-elb") == ("1" if "private" in name else None)


def test_a_zone_that_the_region_gains_later_moves_no_subnet(aww: Recording) -> None:
    assert all("availabilityZone" in subnet.ignore_changes for subnet in aww.of(SUBNET))


def test_one_nat_gateway_serves_every_private_route_table_by_default(aww: Recording) -> None:
    gateway = aww.one(NAT)
    routes = [route for name, route in aww.named(ROUTE).items() if name.endswith("-nat")]
    assert len(routes) == 3
    assert {route.inputs["natGatewayId"] for route in routes} == {f"{gateway.name}-id"}
    assert len({route.inputs["routeTableId"] for route in routes}) == 3


def test_nat_per_zone_changes_only_routes_and_gateways(aww: Recording) -> None:
    zonal = built({"cluster": {"nat": "perZone"}})
    routes = [route for name, route in zonal.named(ROUTE).items() if name.endswith("-nat")]
    assert len({route.inputs["natGatewayId"] for route in routes}) == 3
    assert len(zonal.result["natPublicIps"]) == 3
    assert {found.urn for found in aww.of(TABLE)} == {found.urn for found in zonal.of(TABLE)}
    added = {found.name for found in zonal.resources} - {found.name for found in aww.resources}
    assert added == {"network-nat-2", "network-nat-3"}


def test_s3_is_reached_by_a_gateway_endpoint_from_every_private_table(aww: Recording) -> None:
    endpoint = aww.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs
    assert endpoint["serviceName"] == "com.amazonaws.ap-northeast-2.s3"
    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["routeTableIds"] == [f"network-private-{n}-routes-id" for n in (1, 2, 3)]


def test_the_default_security_group_admits_nothing(aww: Recording) -> None:
    group = aww.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert "ingress" not in group
    assert "egress" not in group


def test_flow_logs_are_off_unless_asked_for(aww: Recording) -> None:
    assert not aww.of("aws:ec2/flowLog:FlowLog")


def test_flow_logs_go_to_an_encrypted_group_that_forgets() -> None:
    found = built({"cluster": {"flowLogs": True, "logRetentionDays": 30}})
    log = found.one("aws:ec2/flowLog:FlowLog").inputs
    group = found.one("aws:cloudwatch/logGroup:LogGroup", "network-flow-logs").inputs
    assert log["trafficType"] == "ALL"
    assert group["name"] == "/xgen/xgen-aww/flow-logs"
    assert group["retentionInDays"] == 30
    assert group["kmsKeyId"].startswith("arn:aws:kms:")
    assert "/xgen/xgen-aww/flow-logs" in found.one("aws:kms/key:Key").inputs["policy"]


def test_zones_that_the_file_names_are_not_asked_of_aws() -> None:
    zones = ["ap-northeast-2b", "ap-northeast-2c", "ap-northeast-2d"]
    found = built({"cluster": {"zones": zones}})
    assert [found.one(SUBNET, f"network-private-{n}").inputs["availabilityZone"] for n in (1, 2, 3)] == zones
    assert not [token for token, _ in found.invokes if "AvailabilityZones" in token]


def test_zones_in_which_eks_does_not_work_are_passed_over() -> None:
    names = ["us-east-1e", "us-east-1a", "us-east-1b", "us-east-1c"]
    assert choose_zones(names, ["use1-az3", "use1-az1", "use1-az2", "use1-az4"]) == names[1:]


def test_a_region_with_two_zones_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="offers 1 availability zones that EKS takes"):
        choose_zones(["us-west-1b", "us-west-1c"], ["usw1-az2", "usw1-az3"])


EXISTING = {
    "id": "vpc-0fedcba9876543210",
    "privateSubnetIds": ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
    "privateRouteTableIds": ["rtb-0cccccccccccccccc"],
}


def test_in_an_existing_vpc_nothing_is_made_but_the_peerings_routes() -> None:
    found = built({"cluster": {"vpc": EXISTING}})
    for kind in (VPC, SUBNET, TABLE, NAT, "xgen:aws:Network", "aws:ec2/vpcEndpoint:VpcEndpoint"):
        assert not found.of(kind)
    tables = {route.inputs["routeTableId"] for route in found.of(ROUTE)}
    assert tables == {"rtb-0cccccccccccccccc", "rtb-0a1b2c3d4e5f60718"}
    cluster = found.one("eks:index:Cluster").inputs
    assert cluster["vpcId"] == EXISTING["id"]
    assert cluster["privateSubnetIds"] == EXISTING["privateSubnetIds"]


def test_without_private_route_tables_the_outputs_say_which_route_is_missing() -> None:
    found = built({"cluster": {"vpc": {**EXISTING, "privateRouteTableIds": []}}})
    (step,) = found.result["peeringRemaining"]
    assert "route 10.20.0.0/16 to peering-connection-id" in step
