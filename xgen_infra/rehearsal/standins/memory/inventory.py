"""What is in AWS, in a form that two runs can be compared by: names and tags in place of ids that AWS gives out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from xgen_infra.rehearsal.standins.aws.session import Aws
from xgen_infra.rehearsal.standins.aws.world import World
from xgen_infra.rehearsal.standins.contract import Props


class Listing(NamedTuple):
    """A call that lists things: the key of its answer, and of each the keys of its id and its name."""

    type: str
    service: str
    operation: str
    answer: str
    ident: str
    name: str = ""


LISTINGS = (
    Listing("vpc", "ec2", "describe_vpcs", "Vpcs", "VpcId"),
    Listing("subnet", "ec2", "describe_subnets", "Subnets", "SubnetId"),
    Listing("route table", "ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    Listing("internet gateway", "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    Listing("NAT gateway", "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    Listing("elastic IP", "ec2", "describe_addresses", "Addresses", "AllocationId"),
    Listing("security group", "ec2", "describe_security_groups", "SecurityGroups", "GroupId", "GroupName"),
    Listing(
        "security group rule",
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        "Description",
    ),
    Listing(
        "peering connection",
        "ec2",
        "describe_vpc_peering_connections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
    ),
    Listing("VPC endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "ServiceName"),
    Listing("flow log", "ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    Listing(
        "launch template",
        "ec2",
        "describe_launch_templates",
        "LaunchTemplates",
        "LaunchTemplateId",
        "LaunchTemplateName",
    ),
    Listing("log group", "logs", "describe_log_groups", "logGroups", "logGroupName", "logGroupName"),
    Listing("KMS alias", "kms", "list_aliases", "Aliases", "AliasName", "AliasName"),
    Listing("bucket", "s3", "list_buckets", "Buckets", "Name", "Name"),
    Listing("role", "iam", "list_roles", "Roles", "RoleName", "RoleName"),
    Listing("user", "iam", "list_users", "Users", "UserName", "UserName"),
    Listing(
        "instance profile",
        "iam",
        "list_instance_profiles",
        "InstanceProfiles",
        "InstanceProfileName",
        "InstanceProfileName",
    ),
    Listing("repository", "ecr", "describe_repositories", "repositories", "repositoryName", "repositoryName"),
)
"""What is listed, beside IAM policies, EKS clusters, keys, what the store keeps, and what is joined to these."""
BUCKET_SETTINGS = (
    "accelerate_configuration",
    "cors",
    "encryption",
    "lifecycle_configuration",
    "logging",
    "ownership_controls",
    "policy",
    "replication",
    "tagging",
    "versioning",
    "website",
)
NOT_FOUND = 404
_GONE = {"deleted", "deleting", "terminated"}


def contents(world: World, places: Sequence[tuple[str, str]]) -> list[Props]:
    """Return what exists in each (account, region): [{"type", "account", "region", "name", "id"}].

    Global things (IAM, buckets) appear in each region asked about. `name` is a Name tag or the name that it was
    given, or "" where it has none.
    """
    found = []
    for account, region in places:
        aws = Aws(world, region, account)
        for kind, ident, name in (
            *_listed(aws),
            *_policies(aws),
            *_clusters(aws),
            *_users_keys(aws),
            *_master_keys(aws),
            *_routes(aws),
            *_permissions(aws),
            *_bucket_settings(aws),
        ):
            found.append({"type": kind, "account": account, "region": region, "name": name, "id": ident})
    for file in sorted((world.root / "aws-store").glob("*.json")):
        account, _, region = file.stem.partition("-")
        for kind, items in sorted(json.loads(file.read_text(encoding="utf-8")).items()):
            found += [
                {"type": kind, "account": account, "region": region, "name": key, "id": key} for key in items
            ]
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def _listed(aws: Aws) -> Iterator[tuple[str, str, str]]:
    for listing in LISTINGS:
        for item in _all(aws.client(listing.service), listing.operation, listing.answer):
            if _state(item) in _GONE:
                continue
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []}
            name = tags.get("Name") or (str(item.get(listing.name) or "") if listing.name else "")
            yield listing.type, str(item[listing.ident]), name


def _policies(aws: Aws) -> Iterator[tuple[str, str, str]]:
    for item in _all(aws.client("iam"), "list_policies", "Policies", Scope="Local"):
        yield "policy", item["Arn"], item["PolicyName"]


def _clusters(aws: Aws) -> Iterator[tuple[str, str, str]]:
    eks = aws.client("eks")
    for name in eks.list_clusters()["clusters"]:
        yield "EKS cluster", name, name
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            yield "node group", f"{name}/{group}", group


def _users_keys(aws: Aws) -> Iterator[tuple[str, str, str]]:
    iam = aws.client("iam")
    for user in _all(iam, "list_users", "Users"):
        for key in iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]:
            yield "access key", key["AccessKeyId"], f"{user['UserName']} {key['Status']}"


def _master_keys(aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Give the keys that can be used: one that is to be deleted is listed for weeks more."""
    kms = aws.client("kms")
    for key in _all(kms, "list_keys", "Keys"):
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion":
            yield "KMS key", key["KeyId"], ""


def _routes(aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Give what is joined to route tables: where each leads, and the subnets that use it.

    AWS gives its own prefix lists ids, too.
    """
    ec2 = aws.client("ec2")
    lists = {
        one["PrefixListId"]: one["PrefixListName"]
        for one in _all(ec2, "describe_managed_prefix_lists", "PrefixLists")
    }
    for table in _all(ec2, "describe_route_tables", "RouteTables"):
        ident = table["RouteTableId"]
        name = next((tag["Value"] for tag in table.get("Tags") or [] if tag["Key"] == "Name"), "")
        for route in table["Routes"]:
            where = next(value for key, value in route.items() if key.startswith("Destination"))
            by = next((key for key in route if key.endswith(("GatewayId", "ConnectionId"))), "")
            yield "route", f"{ident}/{where}", f"{lists.get(where, where)} by {by} of {name}"
        for one in table["Associations"]:
            of = "main" if one.get("Main") else "subnet"
            yield "route table association", one["RouteTableAssociationId"], f"{of} of {name}"


def _permissions(aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Give the policies that hang on roles and users, and those that are written into them."""
    iam = aws.client("iam")
    for kind in ("role", "user"):
        key = f"{kind.title()}Name"
        for one in _all(iam, f"list_{kind}s", f"{kind.title()}s"):
            name = one[key]
            asked = {key: name}
            for policy in _all(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **asked):
                yield "attached policy", f"{name}/{policy['PolicyArn']}", f"{policy['PolicyName']} of {name}"
            for inline in _all(iam, f"list_{kind}_policies", "PolicyNames", **asked):
                yield "inline policy", f"{name}/{inline}", f"{inline} of {name}"


def _bucket_settings(aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Give the settings that a bucket has, by name: what they say is for a refresh to compare."""
    s3 = aws.client("s3")
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        calls = {name: getattr(s3, f"get_bucket_{name}") for name in BUCKET_SETTINGS}
        calls["public_access_block"] = s3.get_public_access_block
        for name, call in calls.items():
            try:
                told = call(Bucket=bucket)
            except ClientError as refused:
                if refused.response["ResponseMetadata"]["HTTPStatusCode"] != NOT_FOUND:
                    raise
                continue
            if told.keys() - {"ResponseMetadata"}:
                yield "bucket setting", f"{bucket}/{name}", f"{name} of {bucket}"


def _all(client: Any, operation: str, answer: str, **asked: Any) -> Iterator[Props]:
    if not client.can_paginate(operation):
        yield from getattr(client, operation)(**asked)[answer]
        return
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page[answer]


def _state(item: Props) -> str:
    state = item.get("State") or item.get("Status") or ""
    return str(state.get("Code", "") if isinstance(state, dict) else state).lower()
