"""A site on EKS: the components in order, each with its slice of the customer's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from xgen_infra import naming
from xgen_infra.aws import facts, policies, wiring
from xgen_infra.aws.addons import ClusterAddons, NodeAddons
from xgen_infra.aws.bucket import Bucket
from xgen_infra.aws.controllers import Controllers
from xgen_infra.aws.eks import ControlPlane
from xgen_infra.aws.keys import AccessKeys, EncryptionKey
from xgen_infra.aws.network import Landing, Network
from xgen_infra.aws.nodes import Nodes
from xgen_infra.aws.peering import Peering
from xgen_infra.aws.registry import Registry
from xgen_infra.aws.wiring import Plan
from xgen_infra.cluster import Cluster, DataService, ObjectStore
from xgen_infra.site import Site


@dataclass(frozen=True)
class _Kubernetes:
    """The cluster as it was made, and what a workload on it has to wait for."""

    control: ControlPlane
    nodes: Nodes
    provider: kubernetes.Provider
    ready: tuple[pulumi.Resource, ...]


def build(site: Site) -> Cluster:
    """Register a site's AWS resources, and return its cluster, ready for the six services.

    Each step depends on the one before, so that a removal goes the other way: workloads, controllers,
    add-ons, nodes, cluster, peering, network. Raises ValueError where the site is not on EKS or its
    Kubernetes minor has no pins.
    """
    if site.eks is None:
        raise ValueError(f"{site.stack}: a cluster of kind {site.cluster.kind} is not on AWS")
    spec = site.eks
    place = policies.Place(naming.partition(spec.region), spec.region, spec.account)
    plan = Plan(site, spec, place, _provider("aws-site", site, spec.account, spec.region))
    key = EncryptionKey("encryption", plan.name(), place, plan.log_groups, opts=_options(plan))
    network, landing = _landing(plan, key)
    peering = _peering(plan, landing, network)
    bucket = Bucket("bucket", wiring.bucket(plan), opts=_options(plan))
    keys = AccessKeys(
        "keys", plan.name("documents"), place, naming.bucket(site), wiring.generations(plan), _options(plan)
    )
    registry = _registry(plan)
    made = _kubernetes(plan, landing, key, tuple(part for part in (network, peering) if part))
    return Cluster(
        name=naming.cluster(site),
        provider=made.provider,
        kubeconfig=made.control.kubeconfig,
        object_store=ObjectStore(
            bucket=bucket.bucket_name,
            endpoint=naming.s3_endpoint(spec.region),
            region=spec.region,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
        ),
        hosts=_hosts(site),
        ready=made.ready,
        outputs=facts.outputs(
            plan,
            facts.Made(
                landing=landing,
                control=made.control,
                nodes=made.nodes,
                bucket=bucket.bucket_name,
                keys=keys,
                peering=peering,
                repositories=registry.urls if registry else {},
            ),
        ),
    )


def _provider(name: str, site: Site, account: str, region: str, role_arn: str | None = None) -> aws.Provider:
    """Make a provider that refuses any other account, and tags what it makes."""
    roles = [aws.ProviderAssumeRoleArgs(role_arn=role_arn, session_name=naming.aws(site))]
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[account],
        assume_roles=roles if role_arn else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=naming.tags(site)),
    )


def _options(plan: Plan, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(providers=[plan.provider], depends_on=list(depends_on))


def _landing(plan: Plan, key: EncryptionKey) -> tuple[Network | None, Landing]:
    """Make the VPC, or describe the one that exists."""
    existing = plan.eks.vpc
    if existing is None:
        network = Network("network", wiring.network(plan, key.arn), opts=_options(plan))
        return network, network.landing
    return None, Landing(
        vpc_id=existing.id,
        private_subnet_ids=existing.private_subnet_ids,
        public_subnet_ids=existing.public_subnet_ids,
        private_route_tables={table: table for table in existing.private_route_table_ids},
        nat_public_ips=[],
    )


def _peering(plan: Plan, landing: Landing, network: Network | None) -> Peering | None:
    management = plan.site.management
    if management is None:
        return None
    far, side = wiring.accepter(plan, management), wiring.side(plan, management)
    other = None
    if side == "managed":
        other = _provider("aws-management", plan.site, far.account, far.region, management.role_arn)
    return Peering(
        "peering",
        plan.name(),
        wiring.requester(plan, landing),
        far,
        side,
        other,
        opts=_options(plan, *([network] if network else [])),
    )


def _registry(plan: Plan) -> Registry | None:
    args = wiring.registry(plan.site)
    if args is None:
        return None
    region = naming.ecr_home(plan.site)[1]
    if region == plan.eks.region:
        return Registry("registry", args, opts=_options(plan))
    elsewhere = _provider("aws-registry", plan.site, plan.eks.account, region)
    return Registry("registry", args, opts=pulumi.ResourceOptions(providers=[elsewhere]))


def _kubernetes(
    plan: Plan, landing: Landing, key: EncryptionKey, under: tuple[pulumi.Resource, ...]
) -> _Kubernetes:
    """Make the cluster, its nodes and what runs on it for the platform; `under` is what it stands on."""
    components = [plan.provider, eks.Provider("eks")]
    control = ControlPlane(
        "cluster",
        wiring.control_plane(plan, landing, key.arn),
        opts=pulumi.ResourceOptions(providers=components, depends_on=list(under)),
    )
    addons = wiring.addons(plan)
    early = NodeAddons("node-addons", addons, opts=_options(plan, control))
    nodes = Nodes(
        "nodes",
        control.cluster,
        wiring.nodes(plan, landing),
        opts=pulumi.ResourceOptions(providers=components, depends_on=[early]),
    )
    # A new kubeconfig (another endpoint, another CA) must replace nothing that is on the cluster.
    provider = kubernetes.Provider(
        "kubernetes",
        kubeconfig=control.kubeconfig,
        cluster_identifier=control.arn,
        enable_server_side_apply=True,
        delete_unreachable=False,
    )
    both = pulumi.ResourceOptions(providers=[plan.provider, provider], depends_on=[nodes])
    late = ClusterAddons("cluster-addons", addons, opts=both)
    steering = Controllers(
        "controllers",
        wiring.controllers(plan, landing),
        opts=pulumi.ResourceOptions.merge(both, pulumi.ResourceOptions(depends_on=[late])),
    )
    return _Kubernetes(control, nodes, provider, (nodes, late, steering))


def _hosts(site: Site) -> Mapping[DataService, str]:
    """Return where the data services are. Raises ValueError where the file does not say."""
    infra = site.infra
    hosts: dict[DataService, str | None] = {
        "postgres": infra.postgres.host,
        "redis": infra.redis.host,
        "qdrant": infra.qdrant.host,
    }
    missing = [f"infra.{name}.host" for name, host in hosts.items() if not host]
    if missing:
        raise ValueError(f"a site on EKS runs no database of its own: set {', '.join(missing)}")
    return {name: host for name, host in hosts.items() if host}
