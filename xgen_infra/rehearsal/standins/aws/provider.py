"""The whole of the `aws` stand-in: its resource types and functions.

Nested names are the provider's own (pulumi_aws), in camel case; errors are AWS' own, with their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from xgen_infra.rehearsal.standins.aws import ecr, kms, logs
from xgen_infra.rehearsal.standins.aws.adapter import resource_types
from xgen_infra.rehearsal.standins.aws.ec2 import (
    endpoints,
    group_rules,
    groups,
    internet,
    peering,
    routes,
    templates,
    vpc,
)
from xgen_infra.rehearsal.standins.aws.eks import access, addon, cluster, node_group
from xgen_infra.rehearsal.standins.aws.functions import FUNCTIONS, invoked
from xgen_infra.rehearsal.standins.aws.iam import policies, roles, users
from xgen_infra.rehearsal.standins.aws.kind import Kind
from xgen_infra.rehearsal.standins.aws.s3 import bucket, settings
from xgen_infra.rehearsal.standins.aws.session import AwsError, ProviderConfigError, Sessions
from xgen_infra.rehearsal.standins.aws.world import World
from xgen_infra.rehearsal.standins.contract import Failure, Invoke, Props, ResourceType
from xgen_infra.rehearsal.standins.server import Stand
from xgen_infra.rehearsal.standins.wire import has_unknown

KINDS: tuple[Kind, ...] = (
    vpc.Vpc(), vpc.Subnet(),
    internet.InternetGateway(), internet.Eip(), internet.NatGateway(),
    routes.RouteTable(), routes.Route(), routes.RouteTableAssociation(),
    groups.SecurityGroup(), groups.DefaultSecurityGroup(),
    group_rules.SecurityGroupRule(), group_rules.SecurityGroupIngressRule(), group_rules.SecurityGroupEgressRule(),
    peering.VpcPeeringConnection(), peering.VpcPeeringConnectionAccepter(), peering.PeeringConnectionOptions(),
    endpoints.VpcEndpoint(), endpoints.FlowLog(), templates.LaunchTemplate(),
    logs.LogGroup(), kms.Key(), kms.Alias(),
    roles.Role(), roles.InstanceProfile(), roles.OpenIdConnectProvider(),
    policies.Policy(), policies.RolePolicy(), policies.UserPolicy(),
    policies.RolePolicyAttachment(), policies.UserPolicyAttachment(),
    users.User(), users.AccessKey(),
    bucket.Bucket(), bucket.BucketPolicy(),
    settings.BucketVersioning(), settings.BucketServerSideEncryptionConfiguration(),
    settings.BucketPublicAccessBlock(), settings.BucketOwnershipControls(),
    settings.BucketLifecycleConfiguration(), settings.BucketLogging(), settings.BucketCorsConfiguration(),
    ecr.Repository(), ecr.LifecyclePolicy(), ecr.RepositoryPolicy(), ecr.RegistryScanningConfiguration(),
    cluster.Cluster(), node_group.NodeGroup(), addon.Addon(),
    access.AccessEntry(), access.AccessPolicyAssociation(), access.PodIdentityAssociation(),
)  # fmt: skip
"""Every resource type that the rehearsal knows of AWS."""


def types(world: World) -> Mapping[str, ResourceType]:
    """Give the resource types by token."""
    return resource_types(KINDS, Sessions(world))


def invokes(world: World) -> Mapping[str, Invoke]:
    """Give the functions by token."""
    sessions = Sessions(world)
    return {token: invoked(function, sessions) for token, function in FUNCTIONS.items()}


def stand(world: World) -> Stand:
    """Give the whole provider."""
    sessions = Sessions(world)

    def check_config(config: Props) -> list[Failure]:
        if has_unknown(config):
            return []
        try:
            sessions.get(config)
        except (ProviderConfigError, AwsError) as wrong:
            return [Failure("", str(wrong))]
        return []

    return Stand(
        name="aws",
        version=version("pulumi-aws"),
        types=resource_types(KINDS, sessions),
        invokes={token: invoked(function, sessions) for token, function in FUNCTIONS.items()},
        check_config=check_config,
    )
