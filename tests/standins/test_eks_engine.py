"""Programs with pulumi_aws and pulumi_eks, run by the engine against the stand-ins."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.engine import EngineError
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.tools import Tool, ensure

from .aws_bench import MANAGEMENT, OTHER_ACCOUNT, OTHER_REGION, OTHER_ROLE
from .engine_bench import NETWORK, EngineBench, engine_bench

pytestmark = pytest.mark.e2e

CLUSTER = (
    NETWORK
    + """
cluster = eks.Cluster("cluster", name="xgen-aww", version=VERSION, vpc_id=vpc.id,
    private_subnet_ids=[s.id for s in subnets], authentication_mode=MODE, skip_default_node_group=True,
    create_instance_role=False, endpoint_private_access=True, public_access_cidrs=CIDRS,
    access_entries={"admin": eks.AccessEntryArgs(
        principal_arn="arn:aws:iam::123456789012:role/platform",
        access_policies={"admin": eks.AccessPolicyAssociationArgs(
            policy_arn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"))})},
    opts=both)
"""
)
NODES = """
role = aws.iam.Role("role", assume_role_policy=trust, opts=here)
template = aws.ec2.LaunchTemplate("template", metadata_options={"http_tokens": "required"}, opts=here)
nodes = eks.ManagedNodeGroup("nodes", cluster=cluster, node_role_arn=role.arn, instance_types=TYPES,
    subnet_ids=[s.id for s in subnets], ignore_scaling_changes=True, version=VERSION,
    scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=1, desired_size=1, max_size=3),
    launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
        id=template.id, version=template.latest_version.apply(str)), opts=both)
pulumi.export("kubeconfig", cluster.kubeconfig_json)
pulumi.export("name", cluster.eks_cluster.name)
pulumi.export("issuer", cluster.oidc_issuer)
pulumi.export("vpc", cluster.core.vpc_id)
pulumi.export("group", nodes.node_group.node_group_name)
"""
SETTINGS = (
    'VERSION, MODE, CIDRS, TYPES = "1.35", eks.AuthenticationMode.API, ["203.0.113.0/24"], ["m7i.large"]\n'
)


CHILDREN = {
    "eks:index:Cluster": 1,
    "eks:index:ServiceRole": 1,
    "eks:index:VpcCniAddon": 1,
    "eks:index:ManagedNodeGroup": 1,
    "aws:eks/cluster:Cluster": 1,
    "aws:eks/nodeGroup:NodeGroup": 1,
    "aws:eks/addon:Addon": 2,
    "aws:eks/accessEntry:AccessEntry": 1,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": 1,
    "aws:ec2/securityGroup:SecurityGroup": 2,
    "aws:ec2/securityGroupRule:SecurityGroupRule": 6,
    "aws:iam/role:Role": 1,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 1,
    "pulumi:providers:kubernetes": 1,
}
"""What pulumi_eks' own code registers of this program (its nodejs/eks/cluster/cluster.ts, createCore).

Add-ons: vpc-cni and kube-proxy; coredns needs a default node group, Fargate or auto mode, or to be asked for.
Access entries: the program's; one more, EC2_LINUX, is for an instance role, and create_instance_role is False.
Role: the control plane's. The nodes' role and the launch template are the program's own.
"""


@pytest.fixture(scope="module")
def binary() -> Path:
    return ensure([Tool.PULUMI], print)[Tool.PULUMI]


@pytest.fixture
def engine(binary: Path, hosts: LanguageHosts, tmp_path: Path) -> Iterator[EngineBench]:
    with engine_bench(binary, tmp_path, hosts) as bench:
        yield bench


def test_a_cluster_and_its_nodes_have_the_real_component_s_children(engine: EngineBench) -> None:
    engine.program(SETTINGS + CLUSTER + NODES)
    engine.engine.up("dev")
    made = Counter(one["type"] for one in engine.state() if "eks:index:" in one["urn"])
    assert made == CHILDREN
    by_name = {one["urn"].rsplit("::", 1)[1]: one for one in engine.state()}
    assert by_name["cluster-eksCluster"]["parent"].endswith("eks:index:Cluster::cluster")
    assert by_name["cluster-eksCluster"]["outputs"]["tagsAll"] == {
        "Name": "cluster-eksCluster",
        "site": "aww",
    }
    outputs = engine.engine.outputs("dev")
    assert (outputs["name"], outputs["vpc"]) == ("xgen-aww", by_name["vpc"]["id"])
    assert outputs["issuer"].startswith("oidc.eks.ap-northeast-2.amazonaws.com/id/")
    assert outputs["group"].startswith("nodes-")
    assert json.loads(outputs["kubeconfig"])["users"][0]["user"]["exec"]["command"] == "aws"


def test_an_unchanged_program_changes_nothing_before_and_after_a_refresh_and_all_of_it_goes(
    engine: EngineBench,
) -> None:
    engine.program(SETTINGS + CLUSTER + NODES)
    engine.engine.preview("dev")
    engine.engine.up("dev")
    assert engine.engine.up("dev").changed == ()
    engine.engine.refresh("dev")
    assert engine.engine.preview("dev").changed == ()
    engine.engine.destroy("dev")
    assert engine.state() == []
    assert engine.bench.boto("eks").list_clusters()["clusters"] == []


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ('"1.35"', '"1.36"', {"cluster-eksCluster", "cluster-kube-proxy", "cluster-vpc-cni", "nodes"}),
        ('"203.0.113.0/24"', '"198.51.100.0/24"', {"cluster-eksCluster"}),
    ],
)
def test_an_upgrade_and_another_allow_list_replace_nothing(
    engine: EngineBench, before: str, after: str, changed: set[str]
) -> None:
    engine.program(SETTINGS + CLUSTER + NODES)
    engine.engine.up("dev")
    engine.program(SETTINGS.replace(before, after) + CLUSTER + NODES)
    result = engine.engine.up("dev")
    assert result.replaced == ()
    assert "cluster-eksCluster" in {step.name for step in result.changed} <= changed


def test_another_node_type_replaces_the_node_group_and_nothing_else(engine: EngineBench) -> None:
    engine.program(SETTINGS + CLUSTER + NODES)
    engine.engine.up("dev")
    engine.program(SETTINGS.replace("m7i.large", "m7i.xlarge") + CLUSTER + NODES)
    assert {step.name for step in engine.engine.up("dev").replaced} == {"nodes"}


def test_what_a_component_refuses_is_said_in_one_sentence(engine: EngineBench) -> None:
    engine.program(SETTINGS.replace("AuthenticationMode.API", "AuthenticationMode.CONFIG_MAP") + CLUSTER)
    with pytest.raises(EngineError) as refused:
        engine.engine.preview("dev")
    assert "accessEntries are not supported with authenticationMode set to CONFIG_MAP" in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_refusal_of_aws_is_said_with_its_code_and_the_rest_stays(engine: EngineBench) -> None:
    engine.program(
        NETWORK + 'aws.ec2.Subnet("outside", vpc_id=vpc.id, cidr_block="10.99.0.0/24", opts=here)\n'
    )
    with pytest.raises(EngineError) as refused:
        engine.engine.up("dev")
    assert "InvalidSubnet.Range" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    engine.program(NETWORK)
    assert engine.engine.up("dev").replaced == ()
    assert engine.engine.up("dev").changed == ()


def test_a_wrong_input_is_refused_at_preview_where_it_stands(engine: EngineBench) -> None:
    engine.program('aws.s3.Bucket("b", bucket="Documents", opts=here)\n')
    with pytest.raises(EngineError, match="lowercase"):
        engine.engine.preview("dev")


def test_a_secret_of_aws_is_sealed_in_the_state(engine: EngineBench) -> None:
    engine.program(
        'user = aws.iam.User("user", opts=here)\nkey = aws.iam.AccessKey("key", user=user.name, opts=here)\n'
        'pulumi.export("id", key.id)\npulumi.export("secret", key.secret)\n'
    )
    engine.engine.up("dev")
    shown = engine.engine.outputs("dev", show_secrets=True)
    assert engine.engine.outputs("dev")["secret"] == "[secret]"
    state = "".join(file.read_text() for file in (engine.folder / "state").rglob("*.json"))
    assert shown["id"] in state
    assert shown["secret"] not in state


def test_a_bucket_made_by_hand_is_imported_without_a_change(engine: EngineBench) -> None:
    region = {"LocationConstraint": "ap-northeast-2"}
    engine.bench.boto("s3").create_bucket(Bucket="by-hand", CreateBucketConfiguration=region)
    engine.bench.boto("s3").put_object(Bucket="by-hand", Key="document", Body=b"kept")
    engine.program(
        'opts = pulumi.ResourceOptions.merge(here, pulumi.ResourceOptions(import_="by-hand", protect=True,\n'
        '    ignore_changes=["tags", "tagsAll", "forceDestroy"]))\n'
        'aws.s3.Bucket("b", bucket="by-hand", opts=opts)\n'
    )
    assert [step.op for step in engine.engine.up("dev").changed if step.name == "b"] == ["import"]
    assert engine.engine.up("dev").changed == ()
    assert engine.bench.boto("s3").get_object(Bucket="by-hand", Key="document")["Body"].read() == b"kept"


def test_another_default_tag_updates_what_carries_it_and_replaces_nothing(engine: EngineBench) -> None:
    engine.program(NETWORK)
    engine.engine.up("dev")
    program = engine.folder / "__main__.py"
    program.write_text(program.read_text().replace('"site": "aww"', '"site": "other"'))
    result = engine.engine.up("dev")
    assert result.replaced == ()
    assert {step.name for step in result.changed} >= {"vpc", "subnet-0", "subnet-1", "subnet-2"}
    tags = engine.bench.boto("ec2").describe_vpcs(Filters=[{"Name": "tag:site", "Values": ["other"]}])
    assert len(tags["Vpcs"]) == 1


def test_a_change_made_by_hand_is_found_by_a_refresh_and_undone(engine: EngineBench) -> None:
    engine.program(NETWORK)
    engine.engine.up("dev")
    ec2 = engine.bench.boto("ec2")
    vpc = next(one["id"] for one in engine.state() if one["type"] == "aws:ec2/vpc:Vpc")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    engine.engine.refresh("dev")
    assert {(step.name, step.diffs) for step in engine.engine.up("dev").changed} == {
        ("vpc", ("enableDnsHostnames",))
    }
    assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"][
        "Value"
    ]


def test_a_peering_with_another_account_is_accepted_by_its_own_provider(engine: EngineBench) -> None:
    engine.program(
        NETWORK
        + f"""
far = aws.Provider("far", region="{OTHER_REGION}", assume_roles=[aws.ProviderAssumeRoleArgs(role_arn="{OTHER_ROLE}")])
there = pulumi.ResourceOptions(provider=far)
peering = aws.ec2.VpcPeeringConnection("peering", vpc_id=vpc.id, peer_vpc_id="{MANAGEMENT.vpc_id}",
    peer_owner_id="{OTHER_ACCOUNT}", peer_region="{OTHER_REGION}", opts=here)
accepted = aws.ec2.VpcPeeringConnectionAccepter("accepted", vpc_peering_connection_id=peering.id,
    auto_accept=True, opts=there)
aws.ec2.Route("out", route_table_id=vpc.main_route_table_id, destination_cidr_block="{MANAGEMENT.cidr}",
    vpc_peering_connection_id=accepted.id, opts=here)
aws.ec2.Route("back", route_table_id="{MANAGEMENT.route_table_ids[0]}", destination_cidr_block="10.40.0.0/16",
    vpc_peering_connection_id=accepted.id, opts=there)
pulumi.export("status", accepted.accept_status)
"""
    )
    engine.engine.up("dev")
    assert engine.engine.outputs("dev")["status"] == "active"
    assert engine.engine.up("dev").changed == ()
    engine.engine.destroy("dev")


def test_an_add_on_without_nodes_is_kept_and_becomes_active_with_them(engine: EngineBench) -> None:
    early = 'aws.eks.Addon("dns", cluster_name=cluster.eks_cluster.name, addon_name="coredns", opts=here)\n'
    engine.program(SETTINGS + CLUSTER + early)
    with pytest.raises(EngineError, match="DEGRADED"):
        engine.engine.up("dev")
    late = early.replace("opts=here", "opts=pulumi.ResourceOptions(provider=site, depends_on=[nodes])")
    engine.program(SETTINGS + CLUSTER + NODES + late)
    assert ("dns", "update") in {(step.name, step.op) for step in engine.engine.up("dev").changed}
    assert engine.engine.up("dev").changed == ()
