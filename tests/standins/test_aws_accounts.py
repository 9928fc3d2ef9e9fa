"""Provider instances: regions, accounts, roles, default tags; peering between two of them."""

from __future__ import annotations

import pytest

from xgen_infra.rehearsal.standins.aws import provider as aws
from xgen_infra.rehearsal.standins.aws.session import AwsError, ProviderConfigError, open_session
from xgen_infra.rehearsal.standins.contract import Props

from .aws_bench import (
    ACCOUNT,
    CONFIG,
    MANAGEMENT,
    OTHER_ACCOUNT,
    OTHER_CONFIG,
    OTHER_REGION,
    OTHER_ROLE,
    REGION,
    Bench,
    Resource,
)

PEERING = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
ACCEPTER = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
TAGGED: Props = {"region": REGION, "defaultTags": '{"tags": {"site": "aww", "owner": "platform"}}'}


def _peering(bench: Bench) -> Resource:
    return bench.make(
        PEERING,
        vpcId=bench.vpc().id,
        peerVpcId=MANAGEMENT.vpc_id,
        peerOwnerId=OTHER_ACCOUNT,
        peerRegion=OTHER_REGION,
    )


def test_each_provider_sees_its_own_account_and_region(bench: Bench) -> None:
    here, there = open_session(bench.world, CONFIG), open_session(bench.world, OTHER_CONFIG)
    assert (here.account, here.region) == (ACCOUNT, REGION)
    assert (there.account, there.region) == (OTHER_ACCOUNT, OTHER_REGION)
    mine = bench.make("aws:ec2/vpc:Vpc", config=OTHER_CONFIG, cidrBlock="10.70.0.0/16")
    assert mine["ownerId"] == OTHER_ACCOUNT
    assert mine["arn"].startswith(f"arn:aws:ec2:{OTHER_REGION}:{OTHER_ACCOUNT}:")
    assert bench.imported("aws:ec2/vpc:Vpc", mine.id) is None


def test_a_resource_may_name_a_region_of_its_own(bench: Bench) -> None:
    key = bench.make("aws:kms/key:Key", region="us-east-1")
    assert key["region"] == "us-east-1"
    assert key["arn"].startswith("arn:aws:kms:us-east-1:")
    assert "region" in bench.types["aws:kms/key:Key"].replace_on


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "region"),
        ({"region": REGION, "allowedAccountIds": f'["{OTHER_ACCOUNT}"]'}, "not allowed"),
        ({"region": REGION, "forbiddenAccountIds": [ACCOUNT]}, "not allowed"),
        ({"region": REGION, "assumeRoles": '[{"roleArn": "peering"}]'}, "not the ARN of a role"),
        ({**OTHER_CONFIG, "allowedAccountIds": [ACCOUNT]}, "not allowed"),
    ],
)
def test_a_provider_that_could_reach_the_wrong_account_is_refused(
    bench: Bench, config: Props, said: str
) -> None:
    with pytest.raises(ProviderConfigError, match=said):
        open_session(bench.world, config)
    assert said in aws.stand(bench.world).check_config(config)[0].reason


def test_keys_in_the_configuration_are_used_and_may_be_refused(bench: Bench) -> None:
    user = bench.make("aws:iam/user:User")
    key = bench.make("aws:iam/accessKey:AccessKey", user=user.id)
    config = {"region": REGION, "accessKey": key.id, "secretKey": key["secret"]}
    assert open_session(bench.world, config).account == ACCOUNT
    with pytest.raises(AwsError, match="not authorized"):
        bench.make("aws:ec2/vpc:Vpc", config=config, cidrBlock="10.71.0.0/16")
    with pytest.raises(AwsError):
        open_session(bench.world, {**config, "secretKey": "wrong"})


def test_default_tags_reach_every_taggable_resource_and_yield_to_its_own(bench: Bench) -> None:
    vpc = bench.make("aws:ec2/vpc:Vpc", config=TAGGED, cidrBlock="10.72.0.0/16", tags={"owner": "network"})
    assert vpc["tagsAll"] == vpc["tags"] == {"site": "aww", "owner": "network"}
    assert vpc.refreshed_inputs()["tags"] == vpc["tagsAll"]


def test_a_changed_default_tag_is_a_change_of_the_resource(bench: Bench) -> None:
    kind = bench.types["aws:ec2/vpc:Vpc"]
    asked = bench.request("aws:ec2/vpc:Vpc", {"cidrBlock": "10.73.0.0/16"}, TAGGED)
    assert kind.complete(asked) == {"tags": {"site": "aww", "owner": "platform"}}
    assert kind.complete(bench.request("aws:ec2/vpc:Vpc", {"cidrBlock": "10.73.0.0/16"})) == {}


def test_a_peering_waits_for_the_other_account_and_is_then_active_on_both_sides(bench: Bench) -> None:
    peering = _peering(bench)
    assert peering["acceptStatus"] == "pending-acceptance"
    accepted = bench.make(ACCEPTER, config=OTHER_CONFIG, vpcPeeringConnectionId=peering.id, autoAccept=True)
    assert accepted["acceptStatus"] == "active"
    assert (accepted["vpcId"], accepted["peerVpcId"]) == (MANAGEMENT.vpc_id, peering["vpcId"])
    assert (accepted["peerOwnerId"], accepted["peerRegion"]) == (ACCOUNT, REGION)
    read = peering.read()
    assert read is not None
    assert read.outputs["acceptStatus"] == "active"


def test_routes_and_rules_of_the_management_side_are_made_by_its_provider(bench: Bench) -> None:
    peering = _peering(bench)
    bench.make(ACCEPTER, config=OTHER_CONFIG, vpcPeeringConnectionId=peering.id, autoAccept=True)
    route = bench.make(
        "aws:ec2/route:Route",
        config=OTHER_CONFIG,
        routeTableId=MANAGEMENT.route_table_ids[0],
        destinationCidrBlock="10.99.0.0/16",
        vpcPeeringConnectionId=peering.id,
    )
    rule = bench.make(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        config=OTHER_CONFIG,
        securityGroupId=MANAGEMENT.security_group_ids[0],
        cidrIpv4="10.99.0.0/16",
        ipProtocol="tcp",
        fromPort=5432,
        toPort=5432,
    )
    assert route["vpcPeeringConnectionId"] == peering.id
    assert OTHER_ACCOUNT in rule["arn"]
    for one in (route, rule):
        one.delete()


def test_a_peering_is_refused_with_an_overlapping_or_a_missing_vpc(bench: Bench) -> None:
    far: Props = {"peerVpcId": MANAGEMENT.vpc_id, "peerOwnerId": OTHER_ACCOUNT, "peerRegion": OTHER_REGION}
    with pytest.raises(AwsError, match="overlapping CIDR"):
        bench.make(PEERING, vpcId=bench.vpc(cidr="10.20.0.0/17").id, **far)
    with pytest.raises(AwsError, match="not there in account"):
        bench.make(PEERING, vpcId=bench.vpc().id, peerVpcId="vpc-0gone")


def test_a_route_over_a_deleted_peering_is_refused(bench: Bench) -> None:
    peering = _peering(bench)
    table = bench.make("aws:ec2/routeTable:RouteTable", vpcId=peering["vpcId"])
    peering.delete()
    with pytest.raises(AwsError, match="not alive"):
        bench.make(
            "aws:ec2/route:Route",
            routeTableId=table.id,
            destinationCidrBlock="10.20.0.0/16",
            vpcPeeringConnectionId=peering.id,
        )


def test_the_assumed_role_is_a_session_in_its_own_account(bench: Bench) -> None:
    caller = aws.invokes(bench.world)["aws:index/getCallerIdentity:getCallerIdentity"](OTHER_CONFIG, {})
    assert caller["accountId"] == OTHER_ROLE.split(":")[4]
