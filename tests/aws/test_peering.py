from __future__ import annotations

from typing import Any

import pytest

from xgen_infra.aws.ports import git_address, openings

from .recording import Recording
from .sites import built, site

PROVIDER = "pulumi:providers:aws"
CONNECTION = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
ACCEPTER = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
ROUTE = "aws:ec2/route:Route"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ROLE = "arn:aws:iam::999988887777:role/xgen-peering"


def far_routes(recording: Recording) -> list[Any]:
    return [route for route in recording.of(ROUTE) if route.name.startswith("peering-management-route-")]


def near_routes(recording: Recording) -> list[Any]:
    return [route for route in recording.of(ROUTE) if route.name.startswith("peering-route-")]


def far_rules(recording: Recording) -> list[Any]:
    return [rule for rule in recording.of(RULE) if rule.name.startswith("peering-management-")]


def test_in_one_account_and_region_the_connection_accepts_itself(aww: Recording) -> None:
    connection = aww.one(CONNECTION).inputs
    assert connection["autoAccept"] is True
    assert connection["peerVpcId"] == "vpc-0a1b2c3d4e5f60718"
    assert "peerRegion" not in connection
    assert "peerOwnerId" not in connection
    assert not aww.of(ACCEPTER)
    assert [found.name for found in aww.of(PROVIDER)] == ["aws-site"]


def test_both_sides_get_their_routes(aww: Recording) -> None:
    near, far = near_routes(aww), far_routes(aww)
    assert len(near) == 3
    assert {route.inputs["destinationCidrBlock"] for route in near} == {"10.20.0.0/16"}
    assert [route.inputs["destinationCidrBlock"] for route in far] == ["10.40.0.0/16"]
    assert [route.inputs["routeTableId"] for route in far] == ["rtb-0a1b2c3d4e5f60718"]
    ids = {route.inputs["vpcPeeringConnectionId"] for route in (*near, *far)}
    assert ids == {"peering-connection-id"}


def test_exactly_the_ports_of_the_data_services_are_opened(aww: Recording) -> None:
    rules = far_rules(aww)
    assert sorted(rule.inputs["fromPort"] for rule in rules) == [5432, 6333, 6334, 6379]
    for rule in rules:
        assert rule.inputs["toPort"] == rule.inputs["fromPort"]
        assert rule.inputs["ipProtocol"] == "tcp"
        assert rule.inputs["cidrIpv4"] == "10.40.0.0/16"
        assert rule.inputs["securityGroupId"] == "sg-0a1b2c3d4e5f60718"


def test_nothing_remains_to_be_done_where_this_stack_can_do_it(aww: Recording) -> None:
    assert aww.result["peeringRemaining"] == []


@pytest.mark.parametrize(
    ("management", "account", "region", "role"),
    [
        ({"account": "999988887777", "roleArn": ROLE}, "999988887777", "ap-northeast-2", ROLE),
        ({"region": "us-west-2"}, "123456789012", "us-west-2", None),
        (
            {"account": "999988887777", "region": "us-west-2", "roleArn": ROLE},
            "999988887777",
            "us-west-2",
            ROLE,
        ),
    ],
    ids=["another account with a role", "another region", "both"],
)
def test_the_other_side_is_worked_on_by_a_provider_of_its_own(
    management: dict[str, str], account: str, region: str, role: str | None
) -> None:
    found = built({"management": management})
    other = found.one(PROVIDER, "aws-management").inputs
    assert other["region"] == region
    assert other["allowedAccountIds"] == f'["{account}"]'
    assert (role in other["assumeRoles"]) if role else "assumeRoles" not in other
    connection = found.one(CONNECTION).inputs
    assert connection["autoAccept"] is False
    assert (connection["peerOwnerId"], connection["peerRegion"]) == (account, region)
    theirs = [found.one(ACCEPTER), *far_routes(found), *far_rules(found)]
    assert {one.provider.split("::")[-2] for one in theirs} == {"aws-management"}
    assert {one.provider.split("::")[-2] for one in near_routes(found)} == {"aws-site"}
    assert found.result["peeringRemaining"] == []


def test_routes_wait_until_the_other_side_has_accepted() -> None:
    found = built({"management": {"region": "us-west-2"}})
    accepted = found.one(ACCEPTER)
    assert all(accepted.urn in route.depends_on for route in (*near_routes(found), *far_routes(found)))


def test_without_a_role_in_another_account_the_owner_is_told_every_step() -> None:
    found = built({"management": {"account": "999988887777"}})
    assert not found.of(ACCEPTER)
    assert not far_routes(found)
    assert not far_rules(found)
    assert len(near_routes(found)) == 3
    accept, route, allow = found.result["peeringRemaining"]
    assert "999988887777" in accept
    assert "--vpc-peering-connection-id peering-connection-id" in accept
    assert route == "In rtb-0a1b2c3d4e5f60718: route 10.40.0.0/16 to peering-connection-id"
    assert allow.startswith("In sg-0a1b2c3d4e5f60718: allow TCP from 10.40.0.0/16 to 5432 (PostgreSQL)")


def test_what_the_file_does_not_name_over_there_is_left_to_its_owner_in_words() -> None:
    found = built({"management": {"routeTableIds": [], "securityGroupIds": []}})
    route, allow = found.result["peeringRemaining"]
    assert "each route table of vpc-0a1b2c3d4e5f60718" in route
    assert "6333 (Qdrant over HTTP), 6334 (Qdrant over gRPC), 6379 (Redis)" in allow


def test_without_a_management_network_there_is_no_peering() -> None:
    found = built({"management": None})
    assert not found.of(CONNECTION)
    assert found.result["peeringConnectionId"] is None


def ports(changes: dict[str, Any]) -> list[int]:
    return [opening.port for opening in openings(site(changes))]


def test_ports_that_the_file_changes_are_the_ones_that_are_opened() -> None:
    infra = {"postgres": {"port": 6432}, "qdrant": {"port": 7333, "grpcPort": 7334}}
    assert ports({"infra": infra}) == [6379, 6432, 7333, 7334]


def test_a_registry_and_a_git_server_on_the_management_network_are_reached_too() -> None:
    changes = {
        "registry": {"host": "10.20.1.11:5000"},
        "source": {"repoURL": "http://10.20.1.12:8929/xgen/xgen-infra.git"},
    }
    assert ports(changes) == [5000, 5432, 6333, 6334, 6379, 8929]


def test_a_registry_known_by_name_is_opened_where_the_file_says_that_it_lives_there() -> None:
    serves = ["postgres", "redis", "qdrant", "registry", "git"]
    assert ports({"management": {"serves": serves}}) == [80, 5000, 5432, 6333, 6334, 6379]


def test_a_database_that_lives_elsewhere_opens_nothing() -> None:
    assert ports({"infra": {"postgres": {"host": "10.99.0.5"}}}) == [6333, 6334, 6379]
    assert ports({"management": {"serves": ["redis"]}}) == [6379]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://git.example/x/y.git", ("git.example", 80)),
        ("https://git.example/x/y.git", ("git.example", 443)),
        ("https://git.example:8443/x/y.git", ("git.example", 8443)),
        ("ssh://git@git.example/x/y.git", ("git.example", 22)),
        ("git@git.example:x/y.git", ("git.example", 22)),
    ],
)
def test_a_git_url_tells_host_and_port(url: str, address: tuple[str, int]) -> None:
    assert git_address(url) == address
