"""Where a site runs: an EKS cluster that this program makes, or a K3s cluster that exists."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from xgen_infra.site.base import (
    AvailabilityZone,
    AwsAccount,
    AwsRegion,
    BucketName,
    Cidr,
    ClusterName,
    Count,
    CronSchedule,
    DnsSubdomain,
    InstanceType,
    KubernetesVersion,
    Model,
    PolicyArn,
    Positive,
    Quantity,
    RoleArn,
    RouteTableId,
    SecurityGroupId,
    SubnetId,
    VpcId,
)

_GRAVITON = re.compile(r"(a1|[a-z]+[0-9]+g[a-z0-9-]*)\.")


def graviton(instance_type: str) -> bool:
    """Whether an instance type is Arm: a `g` follows the generation in its name.

    Amazon EC2 User Guide, "Instance type naming conventions".
    """
    return _GRAVITON.match(instance_type) is not None


class Nodes(Model):
    """The managed node group."""

    instance_types: Annotated[tuple[InstanceType, ...], Field(min_length=1)] = ("m7i.2xlarge",)
    """EC2 instance types, of one size and architecture, the preferred first."""
    min: Count = 1
    """Fewest nodes."""
    max: Positive = 4
    """Most nodes: the Cluster Autoscaler's upper bound."""
    disk_gib: Annotated[StrictInt, Field(ge=20, le=16384)] = 100
    """Root volume of each node, GiB, gp3, encrypted."""
    capacity_type: Literal["ON_DEMAND", "SPOT"] = "ON_DEMAND"
    """Spot nodes can be taken away with two minutes' notice."""

    @model_validator(mode="after")
    def _order(self) -> Nodes:
        if self.min > self.max:
            raise ValueError(f"nodes.min {self.min} above nodes.max {self.max}")
        return self

    @model_validator(mode="after")
    def _one_architecture(self) -> Nodes:
        if len({graviton(name) for name in self.instance_types}) > 1:
            arm = ", ".join(name for name in self.instance_types if graviton(name))
            raise ValueError(f"nodes.instanceTypes of two architectures: {arm} is Arm, the others are x86")
        return self


class Bucket(Model):
    """The document bucket."""

    name: BucketName | None = None
    """Global name; by default `<project>-<stack>`."""
    adopt: StrictBool = False
    """Take over a bucket that exists instead of making one: its contents, tags and lifecycle rules stay. Take the
    line out again after the first `up`, and the site's tags and lifecycle follow."""
    noncurrent_days: Annotated[StrictInt, Field(ge=1, le=3650)] = 90
    """Days for which a deleted or overwritten document can be restored."""


class ExistingVpc(Model):
    """A VPC that exists and is only used, never changed, but for its peering routes."""

    id: VpcId
    """The VPC."""
    private_subnet_ids: Annotated[tuple[SubnetId, ...], Field(min_length=2)]
    """In at least two availability zones, with a way out (NAT). Where exposure is internal, the load balancer's too."""
    public_subnet_ids: tuple[SubnetId, ...] = ()
    """Where exposure is public: subnets for the load balancer."""
    private_route_table_ids: tuple[RouteTableId, ...] = ()
    """Route tables of the private subnets: the peering's routes go here."""


class EksCluster(Model):
    """An EKS cluster of its own, in a VPC of its own."""

    kind: Literal["eks"]
    account: AwsAccount
    """The customer's AWS account: a stack never touches another by accident."""
    region: AwsRegion
    """Region of the cluster, the bucket and everything else."""
    version: KubernetesVersion = "1.34"
    """Kubernetes minor version. Raise it one minor at a time."""
    vpc_cidr: Cidr
    """/16 to /20; shared with no site on the same management network."""
    vpc: ExistingVpc | None = None
    """An existing VPC, whose CIDR is vpcCidr."""
    existing_cluster: ClusterName | None = None
    """An EKS cluster that exists in `vpc` and is used as it is, with its own nodes and add-ons: metrics-server,
    the EBS CSI driver, and where the site is exposed the AWS Load Balancer Controller."""
    service_cidr: Cidr = IPv4Network("10.100.0.0/16")
    """Cluster-internal addresses of Services; cannot be changed later."""
    zones: Annotated[tuple[AvailabilityZone, ...], Field(max_length=3)] = ()
    """Three availability zones by name, where the region's first three will not do; cannot be changed later."""
    nat: Literal["single", "perZone"] = "single"
    """One NAT gateway, or one per availability zone."""
    flow_logs: StrictBool = False
    """VPC flow logs to CloudWatch."""
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 400, 731] = 90
    """Control-plane logs (and flow logs) in CloudWatch, days."""
    nodes: Nodes = Nodes()
    api_access: tuple[Cidr, ...] = ()
    """Networks from which the Kubernetes API is reached over the internet; none: only from inside."""
    admins: tuple[RoleArn, ...] = ()
    """IAM principals with cluster-admin, beside the one that makes the cluster, which EKS lets in by itself."""
    runners: tuple[RoleArn, ...] = ()
    """IAM principals of CI runners: may read and deploy, may not administer."""
    bucket: Bucket = Bucket()
    access_key_generation: Positive = 1
    """The current generation of the bucket's access key; raised by `xgen rotate-keys`."""
    previous_access_keys: tuple[Positive, ...] = ()
    """Older generations that pods may still carry, so still active; written by `xgen rotate-keys`."""
    retired_access_keys: tuple[Positive, ...] = ()
    """Older generations that still exist but are inactive; written by `xgen rotate-keys`."""
    permissions_boundary: PolicyArn | None = None
    """IAM policy that bounds every role and user of the site: the one that `xgen bootstrap` makes, or your own. The
    deploy role of the bootstrap makes none without it."""
    deletion_protection: StrictBool = True
    """AWS refuses to delete the cluster; `xgen destroy` switches it off as a stage of its own."""

    @model_validator(mode="after")
    def _networks(self) -> EksCluster:
        if not 16 <= self.vpc_cidr.prefixlen <= 20:  # noqa: PLR2004
            raise ValueError(f"vpcCidr {self.vpc_cidr}: expected a prefix length of /16 to /20")
        if not 12 <= self.service_cidr.prefixlen <= 24:  # noqa: PLR2004
            raise ValueError(f"serviceCidr {self.service_cidr}: expected a prefix length of /12 to /24")
        if self.vpc_cidr.overlaps(self.service_cidr):
            raise ValueError(f"vpcCidr {self.vpc_cidr} overlaps serviceCidr {self.service_cidr}")
        if self.existing_cluster and not self.vpc:
            raise ValueError("existingCluster without its VPC: describe it under vpc")
        return self

    @model_validator(mode="after")
    def _three_zones(self) -> EksCluster:
        if self.zones and len(set(self.zones)) != 3:  # noqa: PLR2004
            raise ValueError(
                f"zones {', '.join(self.zones)}: expected three different availability zones, or none"
            )
        return self

    @model_validator(mode="after")
    def _access_keys(self) -> EksCluster:
        older = (*self.previous_access_keys, *self.retired_access_keys)
        if len({self.access_key_generation, *older}) != 1 + len(older):
            raise ValueError(
                "accessKeyGeneration, previousAccessKeys and retiredAccessKeys with one generation twice: "
                "expected each to be current, previous or retired"
            )
        if any(generation > self.access_key_generation for generation in older):
            raise ValueError(
                "previousAccessKeys and retiredAccessKeys with a generation above accessKeyGeneration: "
                "expected older ones"
            )
        if len(older) > 1:
            raise ValueError(
                f"previousAccessKeys and retiredAccessKeys with {len(older)} generations: expected one at most, "
                "for an IAM user has two access keys (IAM User Guide, IAM quotas)"
            )
        return self


class Management(Model):
    """The management server's network, peered with the site's VPC: PostgreSQL, Redis and Qdrant live there."""

    vpc_id: VpcId
    """The VPC in which the management server is."""
    cidr: Cidr
    """Its network: routed to from the site, and part of no other network that the site uses."""
    route_table_ids: tuple[RouteTableId, ...] = ()
    """Its route tables, which get a route back to the site."""
    security_group_ids: tuple[SecurityGroupId, ...] = ()
    """The management server's security groups, opened for exactly the ports the site uses."""
    account: AwsAccount | None = None
    """Where it is another account's."""
    region: AwsRegion | None = None
    """Where it is in another region."""
    role_arn: RoleArn | None = None
    """The role that may accept the peering and set the routes over there; without it, in another account,
    the outputs say what its owner must do."""
    serves: tuple[Literal["postgres", "redis", "qdrant", "registry", "git"], ...] | None = None
    """What the management server runs for this site: its ports are opened. By default PostgreSQL, Redis and
    Qdrant, and the registry and the Git server where their host is an address within cidr."""


class Storage(Model):
    """Volumes of the data services that run in the cluster. A volume that exists keeps its class and size."""

    class_name: DnsSubdomain | None = None
    """An existing StorageClass; without one, `xgen-retain` is made, which keeps volumes whose claim is gone."""
    postgres: Quantity = "20Gi"
    """Size of PostgreSQL's volume."""
    redis: Quantity = "5Gi"
    """Size of Redis' volume."""
    qdrant: Quantity = "20Gi"
    """Size of Qdrant's volume."""
    object_store: Quantity = "100Gi"
    """Size of the object store's volume."""


class Backup(Model):
    """Dumps of the PostgreSQL that runs in the cluster, into the object store."""

    enabled: StrictBool = True
    """False: nothing is dumped."""
    schedule: CronSchedule = "17 2 * * *"
    """When, in the time zone of the cluster (Kubernetes documentation, "CronJob", schedule syntax)."""
    keep_days: Annotated[StrictInt, Field(ge=1, le=3650)] = 14
    """Older dumps are deleted after each dump that succeeded."""


class Adopt(Model):
    """What runs on the cluster already and is taken over rather than made."""

    namespace: StrictBool = False
    """The site's namespace, with what is in it."""
    argocd: StrictBool = False
    """Argo CD: none is installed."""
    data_services: StrictBool = False
    """PostgreSQL, Redis, Qdrant and the object store in xgen-system: their data and passwords stay."""


class K3sCluster(Model):
    """An existing K3s cluster, reached by kubeconfig. No AWS resource is made."""

    kind: Literal["k3s"]
    context: str | None = None
    """Context of the kubeconfig; the current one when omitted."""
    version: KubernetesVersion | None = None
    """The cluster's minor version, checked before the first up; never changed by this program."""
    bucket: Bucket = Bucket()
    provisioner: str = "rancher.io/local-path"
    """Who makes volumes for the data StorageClass; K3s ships local-path."""
    storage: Storage = Storage()
    backup: Backup = Backup()
    adopt: Adopt = Adopt()


Cluster = Annotated[EksCluster | K3sCluster, Field(discriminator="kind")]
