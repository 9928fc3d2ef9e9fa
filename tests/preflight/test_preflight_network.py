"""Both ends of the peering, the bucket and the key before the first `up`, on an emulated AWS."""

from __future__ import annotations

from collections.abc import Callable

from checking import sample

from .conftest import GROUP, MANAGEMENT, TABLE, THEIRS, Aws, Customers

Move = Callable[[str], Customers]


def test_a_management_network_as_the_file_says_passes(on_aws: Customers) -> None:
    seen = on_aws.look("aww", "management-network")
    assert seen.level == "ok", seen.results
    for what in (f"{MANAGEMENT} is there and holds 10.20.0.0/16", TABLE, GROUP, "no peering of"):
        assert what in seen.found


def test_another_network_than_the_files_is_an_error(on_aws: Customers) -> None:
    on_aws.edit("aww", "      cidr: 10.20.0.0/16", "      cidr: 10.21.0.0/16")
    problem = on_aws.look("aww", "management-network").problem
    assert problem["found"] == f"{MANAGEMENT} has 10.20.0.0/16, and the file says 10.21.0.0/16"
    assert problem["mend"] == f"write the network of {MANAGEMENT} in the file"


def test_ids_that_are_not_there_are_named(on_aws: Customers) -> None:
    on_aws.edit("aww", f"[{GROUP}]", "[sg-0ffffffffffffffff]")
    problem = on_aws.look("aww", "management-network").problem
    assert "sg-0ffffffffffffffff" in problem["found"]
    assert "correct the ids in the file" in problem["mend"]
    on_aws.edit("aww", f"vpcId: {MANAGEMENT}", "vpcId: vpc-0ffffffffffffffff")
    problem = on_aws.look("aww", "management-network").problem
    assert "vpc-0ffffffffffffffff is not there" in problem["found"]
    assert "its id, account and region" in problem["mend"]


def test_tables_and_groups_of_another_network_routes_and_peerings_in_the_way_are_errors(
    moved: Move, aws: Aws
) -> None:
    customers, ec2 = moved("us-west-2"), aws.client("ec2", "us-west-2")
    stranger = ec2.create_vpc(CidrBlock="10.40.128.0/20")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=stranger)["RouteTable"]["RouteTableId"]
    group = ec2.create_security_group(VpcId=stranger, GroupName="g", Description="g")["GroupId"]
    peering = ec2.create_vpc_peering_connection(VpcId=stranger, PeerVpcId=MANAGEMENT)["VpcPeeringConnection"]
    name = peering["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=name)
    ec2.create_route(RouteTableId=TABLE, DestinationCidrBlock="10.40.128.0/20", VpcPeeringConnectionId=name)
    customers.edit("aww", f"[{TABLE}]", f"[{TABLE}, {table}]")
    customers.edit("aww", f"[{GROUP}]", f"[{GROUP}, {group}]")
    seen = customers.look("aww", "management-network")
    problems = {one["found"]: one["mend"] for one in seen.results if one["level"] == "error"}
    told = "\n".join(problems)
    assert len(problems) == 4
    assert f"the route table {table} belongs to {stranger}, not to {MANAGEMENT}" in told
    assert f"the security group {group} belongs to {stranger}" in told
    assert f"the route table {TABLE} leads 10.40.128.0/20 to {name}" in told
    assert (
        f"peered already ({name}) with {stranger}, which holds 10.40.128.0/20: it overlaps 10.40.0.0/16"
        in told
    )
    mends = "\n".join(problems.values())
    for words in (
        "management.routeTableIds",
        "management.securityGroupIds",
        "if it is a leftover",
        "cluster.vpcCidr",
    ):
        assert words in mends
    ec2.create_tags(Resources=[name], Tags=[{"Key": "Name", "Value": "xgen-aww"}])
    told = customers.look("aww", "management-network").found
    assert name not in told, "the stack's own peering and its routes are in nobody's way"


def test_a_network_of_another_account_is_its_owners_to_look_at_unless_a_role_is_named(
    on_aws: Customers, aws: Aws
) -> None:
    on_aws.edit("aww", f"vpcId: {MANAGEMENT}", f'vpcId: {MANAGEMENT}\n      account: "210987654321"')
    problem = on_aws.look("aww", "management-network").problem
    assert problem["level"] == "warning"
    for words in ("let its owner compare", "10.20.0.0/16", "10.40.0.0/16", "management.roleArn"):
        assert words in problem["mend"]
    said = '      account: "210987654321"'
    on_aws.edit("aww", said, f"{said}\n      roleArn: arn:aws:iam::210987654321:role/peering")
    problem = on_aws.look("aww", "management-network", **aws.user("reader", "ReadOnlyAccess")).problem
    assert problem["level"] == "error"
    assert "arn:aws:iam::210987654321:role/peering cannot be assumed" in problem["found"]
    assert "sts:AssumeRole" in problem["mend"]
    iam = aws.client("iam", account=THEIRS)
    iam.create_role(RoleName="peering", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="peering", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")
    seen = on_aws.look("aww", "management-network")
    assert seen.level == "ok", seen.results


def test_a_vpc_that_exists_holds_what_the_file_names(on_aws: Customers) -> None:
    on_aws.file("shared").write_text(sample("shared"))
    seen = on_aws.look("shared", "existing-vpc")
    assert seen.level == "ok", seen.results
    on_aws.edit(
        "shared",
        "subnet-0123456789abcdef0, subnet-0123456789abcdef1",
        "subnet-0123456789abcdef0, subnet-0123456789abcdef2",
    )
    on_aws.edit(
        "shared", "[subnet-0123456789abcdef2, subnet-0123456789abcdef3]", "[subnet-0123456789abcdef3]"
    )
    problem = on_aws.look("shared", "existing-vpc").problem
    assert problem["found"] == "the private subnets are all in eu-central-1a"
    assert "two availability zones" in problem["mend"]


def test_a_route_of_the_existing_vpc_that_leads_the_management_network_elsewhere_is_an_error(
    on_aws: Customers, aws: Aws
) -> None:
    on_aws.file("shared").write_text(sample("shared"))
    said = f"    management: {{vpcId: {MANAGEMENT}, cidr: 10.20.0.0/16}}\n    infra:\n"
    on_aws.edit("shared", "    infra:\n", said)
    ec2 = aws.client("ec2", "eu-central-1")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId="vpc-0123456789abcdef0")
    for block in ("0.0.0.0/0", "10.20.4.0/24"):
        ec2.create_route(RouteTableId="rtb-0123456789abcdef0", DestinationCidrBlock=block, GatewayId=gateway)
    problem = on_aws.look("shared", "existing-vpc").problem
    assert f"rtb-0123456789abcdef0 leads 10.20.4.0/24 to {gateway}" in problem["found"]
    assert "management.cidr" in problem["mend"]


def test_a_bucket_is_free_the_stacks_own_adopted_or_in_the_way(on_aws: Customers, aws: Aws) -> None:
    assert "the bucket name xgen-aww is free" in on_aws.look("aww", "bucket").found
    s3, place = aws.client("s3"), {"LocationConstraint": "ap-northeast-2"}
    s3.create_bucket(Bucket="xgen-aww", CreateBucketConfiguration=place)
    problem = on_aws.look("aww", "bucket").problem
    assert problem["level"] == "error"
    assert "adopt: true" in problem["mend"]
    text = on_aws.file("aww").read_text()
    on_aws.edit("aww", "      nodes:", "      bucket: {adopt: true}\n      nodes:")
    assert on_aws.look("aww", "bucket").level == "ok"
    on_aws.edit("aww", "bucket: {adopt: true}", "bucket: {name: not-there-yet, adopt: true}")
    problem = on_aws.look("aww", "bucket").problem
    assert problem["found"] == "there is no bucket not-there-yet to adopt"
    assert "take out adopt: true" in problem["mend"]
    on_aws.file("aww").write_text(text)
    s3.put_bucket_tagging(Bucket="xgen-aww", Tagging={"TagSet": [{"Key": "stack", "Value": "aww"}]})
    assert "is this stack's own" in on_aws.look("aww", "bucket").found


def test_a_bucket_of_another_account_is_an_error(on_aws: Customers, aws: Aws) -> None:
    theirs = aws.client("s3", account=THEIRS)
    theirs.create_bucket(
        Bucket="theirs-since-long", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    on_aws.edit("aww", "      nodes:", "      bucket: {name: theirs-since-long}\n      nodes:")
    problem = on_aws.look("aww", "bucket").problem
    assert problem["level"] == "error"
    assert "bucket names are global" in problem["mend"]


def test_the_key_of_the_secrets_is_there_and_enabled(on_aws: Customers, aws: Aws) -> None:
    seen = on_aws.look("aww", "secrets-key")
    assert seen.level == "warning"
    assert "xgen bootstrap" in seen.mend
    provider = "secretsprovider: awskms://alias/xgen-aww-state?region=ap-northeast-2\n"
    on_aws.file("aww").write_text(provider + on_aws.file("aww").read_text())
    problem = on_aws.look("aww", "secrets-key").problem
    assert problem["level"] == "error"
    assert "alias/xgen-aww-state" in problem["found"]
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/xgen-aww-state", TargetKeyId=key)
    assert on_aws.look("aww", "secrets-key").level == "ok"
    kms.disable_key(KeyId=key)
    problem = on_aws.look("aww", "secrets-key").problem
    assert "is Disabled" in problem["found"]
    assert "aws kms enable-key" in problem["mend"]
