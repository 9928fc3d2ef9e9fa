"""From the customer's file to each component's slice: plain functions, no resource is made here."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from xgen_infra import naming
from xgen_infra.aws import policies
from xgen_infra.aws.addons import AddonsArgs
from xgen_infra.aws.bucket import BucketArgs
from xgen_infra.aws.controllers import AUTOSCALER, BALANCER, ControllersArgs, Mirror
from xgen_infra.aws.eks import EksArgs, log_group
from xgen_infra.aws.keys import Generations
from xgen_infra.aws.network import FlowLogs, Landing, NetworkArgs
from xgen_infra.aws.nodes import NodesArgs
from xgen_infra.aws.peering import Accepter, Requester, Side
from xgen_infra.aws.ports import openings
from xgen_infra.aws.registry import RegistryArgs
from xgen_infra.aws.userdata import PrivateRegistry, user_data
from xgen_infra.site import EcrRegistry, EksCluster, Management, NexusRegistry, Site
from xgen_infra.versions import EksPins, eks_pins

ROLES = {
    "aws-node": "vpc-cni",
    "ebs-csi-controller-sa": "ebs-csi",
    AUTOSCALER: "cluster-autoscaler",
    BALANCER: "load-balancer-controller",
}
"""Service accounts with a role of their own, and the part of that role's name."""


@dataclass(frozen=True)
class Plan:
    """A site on EKS: where it is, and the provider for its account and region."""

    site: Site
    eks: EksCluster
    place: policies.Place
    provider: aws.Provider

    def name(self, part: str = "") -> str:
        """Return the physical name of a part."""
        return naming.aws(self.site, part)

    @property
    def cluster_arn(self) -> str:
        """The cluster's ARN, known before the cluster is."""
        return self.place.arn("eks", f"cluster/{naming.cluster(self.site)}")

    @property
    def role_names(self) -> dict[str, str]:
        """Names of the roles of service accounts."""
        return {account: self.name(part) for account, part in ROLES.items()}

    @property
    def flow_log_group(self) -> str:
        """The log group of VPC flow logs."""
        return f"/xgen/{self.name()}/flow-logs"

    @property
    def log_groups(self) -> list[str]:
        """The log groups that the site's key encrypts."""
        groups = [log_group(naming.cluster(self.site))]
        return [*groups, self.flow_log_group] if self.eks.flow_logs and not self.eks.vpc else groups


def options(plan: Plan, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
    """Return a component's options: the site's provider, and what it waits for."""
    return pulumi.ResourceOptions(providers=[plan.provider], depends_on=list(depends_on))


def pins(eks: EksCluster) -> EksPins:
    """Return what goes with the cluster's Kubernetes minor. Raises ValueError where nothing does."""
    return eks_pins(eks.version)


def network(plan: Plan, key_arn: pulumi.Input[str]) -> NetworkArgs:
    """Return the VPC's slice."""
    eks = plan.eks
    logs = FlowLogs(plan.flow_log_group, plan.name("flow-logs"), eks.log_retention_days, key_arn)
    return NetworkArgs(
        plan.name(), eks.vpc_cidr, plan.place, eks.nat, eks.zones, logs if eks.flow_logs else None
    )


def bucket(plan: Plan) -> BucketArgs:
    """Return the bucket's slice."""
    spec = plan.eks.bucket
    return BucketArgs(naming.bucket(plan.site), plan.place, spec.adopt, spec.noncurrent_days)


def generations(plan: Plan) -> Generations:
    """Return which access keys exist."""
    eks = plan.eks
    return Generations(eks.access_key_generation, eks.previous_access_keys, eks.retired_access_keys)


def control_plane(plan: Plan, landing: Landing, key_arn: pulumi.Input[str]) -> EksArgs:
    """Return the control plane's slice."""
    site, eks = plan.site, plan.eks
    return EksArgs(
        name=naming.cluster(site),
        role_name=plan.name("cluster"),
        place=plan.place,
        version=eks.version,
        vpc_id=landing.vpc_id,
        subnet_ids=landing.private_subnet_ids,
        service_cidr=eks.service_cidr,
        key_arn=key_arn,
        log_retention_days=eks.log_retention_days,
        deletion_protection=eks.deletion_protection,
        api_access=eks.api_access,
        inside=[site.management.cidr] if site.management else [],
        admins=eks.admins,
        runners=eks.runners,
        workloads=[site.namespace],
    )


def nodes(plan: Plan, landing: Landing) -> NodesArgs:
    """Return the node group's slice."""
    spec = plan.eks.nodes
    return NodesArgs(
        name=plan.name(),
        role_name=plan.name("nodes"),
        place=plan.place,
        version=plan.eks.version,
        subnet_ids=landing.private_subnet_ids,
        instance_types=spec.instance_types,
        min_size=spec.min,
        max_size=spec.max,
        disk_gib=spec.disk_gib,
        capacity_type=spec.capacity_type,
        tags=naming.tags(plan.site),
        user_data=user_data(private_registry(plan.site)),
    )


def private_registry(site: Site) -> PrivateRegistry | None:
    """Return the registry that containerd has to be told of, if any."""
    registry = site.registry
    if not isinstance(registry, NexusRegistry):
        return None
    return PrivateRegistry(registry.host, registry.plain_http, registry.ca_certificate)


def addons(plan: Plan) -> AddonsArgs:
    """Return the add-ons' slice."""
    return AddonsArgs(naming.cluster(plan.site), plan.place, pins(plan.eks), plan.role_names)


def controllers(plan: Plan, landing: Landing) -> ControllersArgs:
    """Return the controllers' slice."""
    site = plan.site
    return ControllersArgs(
        cluster=naming.cluster(site),
        place=plan.place,
        vpc_id=landing.vpc_id,
        role_names=plan.role_names,
        autoscaler=pins(plan.eks).cluster_autoscaler,
        exposed=site.exposure.kind != "none",
        tags=naming.tags(site),
        mirror=Mirror(site.argocd.chart_repository, site.argocd.image_registry),
    )


def requester(plan: Plan, landing: Landing) -> Requester:
    """Return the site's side of the peering."""
    return Requester(landing.vpc_id, plan.eks.vpc_cidr, landing.private_route_tables)


def accepter(plan: Plan, management: Management) -> Accepter:
    """Return the management server's side of the peering."""
    return Accepter(
        vpc_id=management.vpc_id,
        cidr=management.cidr,
        account=management.account or plan.eks.account,
        region=management.region or plan.eks.region,
        route_table_ids=management.route_table_ids,
        security_group_ids=management.security_group_ids,
        openings=openings(plan.site),
    )


def side(plan: Plan, management: Management) -> Side:
    """Say who works on the management server's side of the peering."""
    foreign = management.account not in {None, plan.eks.account}
    if management.role_arn or (not foreign and management.region not in {None, plan.eks.region}):
        return "managed"
    return "owner" if foreign else "same"


def registry(site: Site) -> RegistryArgs | None:
    """Return the slice of the ECR repositories that this stack makes; None where somebody else makes them."""
    spec = site.registry
    if not isinstance(spec, EcrRegistry) or not site.eks:
        return None
    if not spec.create or naming.ecr_home(site)[0] != site.eks.account:
        return None
    names: list[str] = [item.service.name for item in site.specs]
    return RegistryArgs({name: naming.repository(site, name) for name in names}, spec.push_principal)
