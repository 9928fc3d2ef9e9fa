"""The provider's functions (invokes), by token."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xgen_infra.rehearsal.standins.aws.functions import account, cluster, network, objects
from xgen_infra.rehearsal.standins.aws.functions.policy_document import get_policy_document
from xgen_infra.rehearsal.standins.aws.session import Aws, Sessions
from xgen_infra.rehearsal.standins.contract import Invoke, Props

Function = Callable[[Aws, Props], Props]

FUNCTIONS: Mapping[str, Function] = {
    "aws:index/getCallerIdentity:getCallerIdentity": account.get_caller_identity,
    "aws:index/getPartition:getPartition": account.get_partition,
    "aws:index/getRegion:getRegion": account.get_region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": account.get_availability_zones,
    "aws:index/getDefaultTags:getDefaultTags": account.get_default_tags,
    "aws:ssm/getParameter:getParameter": account.get_parameter,
    "aws:iam/getPolicyDocument:getPolicyDocument": get_policy_document,
    "aws:iam/getRole:getRole": objects.get_role,
    "aws:kms/getAlias:getAlias": objects.get_alias,
    "aws:s3/getBucket:getBucket": objects.get_bucket,
    "aws:ecr/getRepository:getRepository": objects.get_repository,
    "aws:ec2/getVpc:getVpc": network.get_vpc,
    "aws:ec2/getSubnet:getSubnet": network.get_subnet,
    "aws:ec2/getSubnets:getSubnets": network.get_subnets,
    "aws:ec2/getRouteTable:getRouteTable": network.get_route_table,
    "aws:ec2/getRouteTables:getRouteTables": network.get_route_tables,
    "aws:ec2/getSecurityGroup:getSecurityGroup": network.get_security_group,
    "aws:eks/getCluster:getCluster": cluster.get_cluster,
    "aws:eks/getClusters:getClusters": cluster.get_clusters,
    "aws:eks/getClusterAuth:getClusterAuth": cluster.get_cluster_auth,
    "aws:eks/getAddonVersion:getAddonVersion": cluster.get_addon_version,
}


def invoked(function: Function, sessions: Sessions) -> Invoke:
    """Give a function in the contract's form: the arguments come back with the answer, as the provider does."""

    def call(config: Mapping[str, object], arguments: Props) -> Props:
        aws = sessions.get(config).in_region(arguments.get("region"))
        return {**arguments, "region": aws.region, **function(aws, arguments)}

    return call
