"""What goes before what when a site is removed: the reverse of what each resource waits for."""

from __future__ import annotations

import pulumi
import pytest

from xgen_infra.aws.assemble import build
from xgen_infra.removal import STAGES, Resource

from .recording import Recording, record
from .sites import ANSWERS, built, site

CLUSTER = "eks:index:Cluster"
GROUP = "eks:index:ManagedNodeGroup"
NAT = "aws:ec2/natGateway:NatGateway"
CONNECTION = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"


@pytest.fixture(scope="module")
def exposed() -> Recording:
    return built({"exposure": {"kind": "internal"}})


def test_controllers_go_before_nodes(exposed: Recording) -> None:
    group = exposed.one(GROUP)
    for release in exposed.of("kubernetes:helm.sh/v3:Release"):
        assert group.urn in exposed.before(release)


def test_volumes_driver_and_storage_class_go_before_nodes(exposed: Recording) -> None:
    storage = exposed.one("kubernetes:storage.k8s.io/v1:StorageClass")
    driver = exposed.one("aws:eks/addon:Addon", "cluster-addons-aws-ebs-csi-driver")
    assert driver.urn in exposed.before(storage)
    assert exposed.one(GROUP).urn in exposed.before(driver)


def test_nodes_go_before_the_cluster_and_the_cluster_before_its_logs(exposed: Recording) -> None:
    cluster = exposed.one(CLUSTER)
    assert cluster.urn in exposed.before(exposed.one(GROUP))
    assert exposed.one("aws:cloudwatch/logGroup:LogGroup").urn in exposed.before(cluster)


def test_the_cluster_goes_before_peering_nat_and_vpc(exposed: Recording) -> None:
    before = exposed.before(exposed.one(CLUSTER))
    routes = exposed.of("aws:ec2/route:Route")
    for under in (exposed.one(CONNECTION), exposed.one(NAT), exposed.one("aws:ec2/vpc:Vpc"), *routes):
        assert under.urn in before


def test_peering_goes_before_the_network(exposed: Recording) -> None:
    assert exposed.one("aws:ec2/vpc:Vpc").urn in exposed.before(exposed.one(CONNECTION))


def test_workloads_go_before_everything_that_serves_them() -> None:
    subject = site({"exposure": {"kind": "internal"}})

    class Workload(pulumi.CustomResource):
        def __init__(self, opts: pulumi.ResourceOptions) -> None:
            super().__init__("test:index:Workload", "workload", {}, opts)

    def program() -> None:
        cluster = build(subject)
        Workload(pulumi.ResourceOptions(depends_on=list(cluster.ready)))

    found = record(program, ANSWERS)
    before = found.before(found.one("test:index:Workload"))
    for kind in (CLUSTER, GROUP, NAT, CONNECTION, "kubernetes:helm.sh/v3:Release", "aws:eks/addon:Addon"):
        assert {one.urn for one in found.of(kind)} <= before


def test_roles_go_after_what_uses_them(exposed: Recording) -> None:
    cluster = exposed.before(exposed.one(CLUSTER))
    attachments = exposed.named("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert attachments["cluster-role"].urn in cluster
    nodes = exposed.before(exposed.one(GROUP))
    assert {found.urn for name, found in attachments.items() if name.startswith("nodes-")} <= nodes


def test_a_stage_leaves_a_protected_namespace_and_the_component_it_is_part_of() -> None:
    prefix = "urn:pulumi:mart::xgen-infra::"
    workspace = Resource(
        f"{prefix}xgen:delivery:Workspace::workspace", ("xgen:delivery:Workspace",), "", False
    )
    child = "xgen:delivery:Workspace$kubernetes:core/v1:"
    needs = frozenset({workspace.urn})
    namespace = Resource(
        f"{prefix}{child}Namespace::ns", tuple(f"{child}Namespace".split("$")), "", True, needs
    )
    secret = Resource(f"{prefix}{child}Secret::s", tuple(f"{child}Secret".split("$")), "", False, needs)
    stage = next(stage for stage in STAGES if stage.name == "workloads")
    assert stage.members([workspace, namespace, secret]) == [secret]
