"""A site on EKS: the components in order, each with its slice of the customer's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from xgen_infra import naming
from xgen_infra.aws import facts, platform, policies, wiring
from xgen_infra.aws.bucket import Bucket
from xgen_infra.aws.keys import AccessKeys, EncryptionKey
from xgen_infra.aws.network import Landing, Network
from xgen_infra.aws.peering import Peering, key
from xgen_infra.aws.providers import provider
from xgen_infra.aws.registry import Registry
from xgen_infra.aws.wiring import Plan
from xgen_infra.cluster import Cluster, DataService, ObjectStore
from xgen_infra.site import ExistingVpc, Site


def build(site: Site) -> Cluster:
    """Register a site's AWS resources, and return its cluster, ready for the six services.

    Raises ValueError where the site is not on EKS, names no host of a data service, or asks for a
    Kubernetes minor without pins; nothing is registered then.
    """
    if site.eks is None:
        raise ValueError(f"{site.stack}: a cluster of kind {site.cluster.kind} is not on AWS")
    hosts, plan = _hosts(site), _plan(site)
    landing, under, cluster = _ground(plan)
    bucket = Bucket("bucket", wiring.bucket(plan), opts=wiring.options(plan))
    keys = AccessKeys(
        "keys",
        plan.name("documents"),
        plan.place,
        naming.bucket(site),
        wiring.generations(plan),
        opts=wiring.options(plan),
    )
    registry = _registry(plan)
    made = facts.Made(
        landing=landing,
        platform=cluster,
        bucket=bucket.bucket_name,
        keys=keys,
        peering=next((part for part in under if isinstance(part, Peering)), None),
        repositories=registry.urls if registry else {},
    )
    store = ObjectStore(
        bucket=bucket.bucket_name,
        endpoint=naming.s3_endpoint(plan.eks.region),
        region=plan.eks.region,
        access_key=keys.access_key,
        secret_key=keys.secret_key,
    )
    return Cluster(
        name=naming.cluster(site),
        provider=cluster.provider,
        kubeconfig=cluster.kubeconfig,
        object_store=store,
        hosts=hosts,
        ready=cluster.ready,
        outputs=facts.outputs(plan, made),
    )


def _plan(site: Site) -> Plan:
    """Make the site's provider, once the file is known to be whole."""
    assert site.eks  # noqa: S101
    place = policies.Place(
        naming.partition(site.eks.region), site.eks.region, site.eks.account, site.eks.permissions_boundary
    )
    if not site.eks.existing_cluster:
        wiring.pins(site.eks)
    return Plan(site, site.eks, place, provider("aws-site", site, place.account, place.region))


def _ground(plan: Plan) -> tuple[Landing, Sequence[pulumi.Resource], platform.Platform]:
    """Make network, peering and cluster, or use those that exist: (VPC, what the cluster stands on, cluster)."""
    if plan.eks.existing_cluster:
        landing = _existing_landing(plan.eks.vpc)
        under = _peering(plan, landing, [])
        return landing, under, platform.reach(plan, under)
    encryption = EncryptionKey(
        "encryption", plan.name(), plan.place, plan.log_groups, opts=wiring.options(plan)
    )
    if plan.eks.vpc:
        landing = _existing_landing(plan.eks.vpc)
        under = _peering(plan, landing, [])
    else:
        network = Network("network", wiring.network(plan, encryption.arn), opts=wiring.options(plan))
        landing = network.landing
        under = [network, *_peering(plan, landing, [network])]
    return landing, under, platform.make(plan, landing, encryption.arn, under)


def _existing_landing(vpc: ExistingVpc | None) -> Landing:
    assert vpc  # noqa: S101
    return Landing(
        vpc_id=vpc.id,
        private_subnet_ids=vpc.private_subnet_ids,
        public_subnet_ids=vpc.public_subnet_ids,
        private_route_tables={key(table): table for table in vpc.private_route_table_ids},
        nat_public_ips=[],
    )


def _peering(plan: Plan, landing: Landing, depends_on: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
    """Make the peering where the file has a management network."""
    management = plan.site.management
    if management is None:
        return []
    far, side = wiring.accepter(plan, management), wiring.side(plan, management)
    other = None
    if side == "managed":
        other = provider("aws-management", plan.site, far.account, far.region, management.role_arn)
    return [
        Peering(
            "peering",
            plan.name(),
            wiring.requester(plan, landing),
            far,
            side,
            other,
            opts=wiring.options(plan, *depends_on),
        )
    ]


def _registry(plan: Plan) -> Registry | None:
    """Make the ECR repositories that are this stack's, in their own region."""
    args = wiring.registry(plan.site)
    if args is None:
        return None
    account, region = naming.ecr_home(plan.site)
    home = plan.provider
    if region != plan.eks.region:
        home = provider("aws-registry", plan.site, account, region)
    return Registry("registry", args, opts=pulumi.ResourceOptions(providers=[home]))


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
