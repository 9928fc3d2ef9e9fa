from __future__ import annotations

import json

import pulumi
import pytest

from xgen_infra.aws.assemble import build

from .recording import Answer, Recording, record
from .sites import ANSWERS, built, site

CLUSTER = "eks:index:Cluster"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def test_the_api_is_reached_from_inside_and_from_the_named_networks(aww: Recording) -> None:
    cluster = aww.one(CLUSTER).inputs
    assert cluster["endpointPrivateAccess"] is True
    assert cluster["publicAccessCidrs"] == ["203.0.113.0/24"]
    # Given explicitly, `up` would poll the endpoint from the machine it runs on.
    assert "endpointPublicAccess" not in cluster


def test_without_named_networks_the_api_is_not_on_the_internet() -> None:
    cluster = built({"cluster": {"apiAccess": []}}).one(CLUSTER).inputs
    assert cluster["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in cluster


def test_the_management_network_reaches_the_private_endpoint(aww: Recording) -> None:
    (rule,) = [found for found in aww.of(RULE) if found.name.startswith("cluster-api-")]
    assert rule.inputs["securityGroupId"] == "sg-0c1d2e3f40516273a"
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"]) == ("10.20.0.0/16", 443)


def test_secrets_are_encrypted_by_a_key_that_rotates(aww: Recording) -> None:
    key = aww.one("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert aww.one("aws:kms/alias:Alias").inputs["name"] == "alias/xgen-aww"
    cluster = aww.one(CLUSTER)
    assert cluster.inputs["encryptionConfigKeyArn"] == "arn:aws:kms:ap-northeast-2:123456789012:key/1"
    assert key.urn in cluster.depends_on


def test_all_five_logs_go_to_a_group_that_exists_before_the_cluster(aww: Recording) -> None:
    cluster = aww.one(CLUSTER)
    assert sorted(cluster.inputs["enabledClusterLogTypes"]) == [
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    ]
    group = aww.one("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["name"] == "/aws/eks/xgen-aww/cluster"
    assert group.inputs["retentionInDays"] == 90
    assert group.urn in cluster.depends_on


def test_the_key_serves_logs_of_this_cluster_alone(aww: Recording) -> None:
    policy = json.loads(aww.one("aws:kms/key:Key").inputs["policy"])
    logs = next(statement for statement in policy["Statement"] if statement["Sid"] == "Logs")
    assert logs["Principal"] == {"Service": "logs.ap-northeast-2.amazonaws.com"}
    assert list(logs["Condition"].values()) == [
        {
            "kms:EncryptionContext:aws:logs:arn": [
                "arn:aws:logs:ap-northeast-2:123456789012:log-group:/aws/eks/xgen-aww/cluster"
            ]
        }
    ]


def test_nothing_is_made_that_the_program_does_not_pin(aww: Recording) -> None:
    """What pulumi_eks would do by itself is off, by plain values: an Output would count as true."""
    cluster = aww.one(CLUSTER).inputs
    assert cluster["skipDefaultNodeGroup"] is True
    assert cluster["skipDefaultSecurityGroups"] is True
    assert cluster["createInstanceRole"] is False
    assert cluster["createOidcProvider"] is False
    assert cluster["bootstrapSelfManagedAddons"] is False
    assert cluster["useDefaultVpcCni"] is True
    assert cluster["corednsAddonOptions"]["enabled"] is False
    assert cluster["kubeProxyAddonOptions"]["enabled"] is False


def test_what_pulumi_eks_refuses_is_not_asked_of_it(aww: Recording) -> None:
    cluster = aww.one(CLUSTER).inputs
    assert cluster["authenticationMode"] == "API"
    for refused in ("subnetIds", "roleMappings", "userMappings", "instanceRoles", "nodeGroupOptions"):
        assert refused not in cluster


def test_admins_and_runners_enter_by_access_entries(aww: Recording) -> None:
    entries = {entry["principalArn"]: entry for entry in aww.one(CLUSTER).inputs["accessEntries"].values()}
    admin = entries["arn:aws:iam::123456789012:role/platform"]
    runner = entries["arn:aws:iam::123456789012:role/xgen-deploy"]
    policies = {
        entry["principalArn"]: {
            policy["policyArn"].rpartition("/")[2]: policy["accessScope"]
            for policy in entry["accessPolicies"].values()
        }
        for entry in (admin, runner)
    }
    assert policies[admin["principalArn"]] == {"AmazonEKSClusterAdminPolicy": {"type": "cluster"}}
    assert policies[runner["principalArn"]] == {
        "AmazonEKSEditPolicy": {"type": "namespace", "namespaces": ["xgen"]},
        "AmazonEKSViewPolicy": {"type": "cluster"},
    }
    assert runner["kubernetesGroups"] == ["xgen:runners"]


def test_re_ordering_admins_renames_no_access_entry() -> None:
    arns = [f"arn:aws:iam::123456789012:role/{name}" for name in ("one", "two")]
    keys = [
        set(built({"cluster": {"admins": order}}).one(CLUSTER).inputs["accessEntries"])
        for order in (arns, arns[::-1])
    ]
    assert keys[0] == keys[1]


def test_runners_see_applications_and_ask_for_a_refresh_but_touch_no_secret(aww: Recording) -> None:
    rules = aww.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
    assert not [rule for rule in rules if "secrets" in rule["resources"] or "*" in rule["resources"]]
    binding = aww.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs
    assert [subject["name"] for subject in binding["subjects"]] == ["xgen:runners"]


def test_an_upgrade_changes_versions_and_no_name(aww: Recording) -> None:
    later = built({"cluster": {"version": "1.35"}})
    assert [
        found.urn for found in later.resources if found.urn not in {one.urn for one in aww.resources}
    ] == []
    assert later.one(CLUSTER).inputs["version"] == "1.35"
    assert later.one("eks:index:ManagedNodeGroup").inputs["version"] == "1.35"
    proxy = later.one("aws:eks/addon:Addon", "node-addons-kube-proxy").inputs["addonVersion"]
    assert proxy.startswith("v1.35.")


def running(version: str) -> dict[str, Answer]:
    """Answers of an account where the site's cluster runs a Kubernetes version."""
    return {
        **ANSWERS,
        "aws:eks/getClusters:getClusters": lambda _args: {"names": ["xgen-aww"]},
        "aws:eks/getCluster:getCluster": lambda args: {"name": args["name"], "version": version},
    }


@pytest.mark.parametrize(("has", "wanted"), [("1.34", "1.36"), ("1.35", "1.34")])
def test_skipping_a_minor_or_going_back_is_refused_before_the_cluster_is_touched(
    has: str, wanted: str
) -> None:
    seen, subject = Recording(), site({"cluster": {"version": wanted}})
    with pytest.raises(pulumi.RunError, match=rf"cluster\.version {wanted}: the cluster runs {has}"):
        record(lambda: build(subject), running(has), into=seen)
    assert not seen.of(CLUSTER)
    assert not seen.of("aws:eks/addon:Addon")


@pytest.mark.parametrize(("has", "wanted"), [("1.34", "1.34"), ("1.34", "1.35")])
def test_one_minor_at_a_time_is_fine(has: str, wanted: str) -> None:
    subject = site({"cluster": {"version": wanted}})
    assert record(lambda: build(subject), running(has)).one(CLUSTER).inputs["version"] == wanted


def test_a_kubernetes_minor_without_pins_is_refused_before_anything_is_registered() -> None:
    seen, subject = Recording(), site({"cluster": {"version": "1.21"}})
    with pytest.raises(ValueError, match=r"Kubernetes 1\.21 on EKS has no pinned add-ons"):
        record(lambda: build(subject), ANSWERS, into=seen)
    assert seen.resources == []


def test_a_site_without_a_database_host_is_refused_before_anything_is_registered() -> None:
    seen, subject = Recording(), site({"infra": {"postgres": {"host": None}}})
    with pytest.raises(ValueError, match=r"set infra\.postgres\.host"):
        record(lambda: build(subject), ANSWERS, into=seen)
    assert seen.resources == []


def test_deletion_protection_is_on_until_the_file_switches_it_off(aww: Recording) -> None:
    assert aww.one(CLUSTER).inputs["deletionProtection"] is True
    off = built({"cluster": {"deletionProtection": False}})
    assert off.one(CLUSTER).inputs["deletionProtection"] is False


def test_a_changed_kubeconfig_replaces_nothing_on_the_cluster(aww: Recording) -> None:
    provider = aww.one("pulumi:providers:kubernetes").inputs
    arn = "arn:aws:eks:ap-northeast-2:123456789012:cluster/xgen-aww"
    assert provider["clusterIdentifier"] == arn
    assert provider["enableServerSideApply"] == "true"
    assert provider["deleteUnreachable"] == "false"


def test_a_secret_is_changed_where_it_is_so_that_no_pod_misses_it(aww: Recording) -> None:
    provider = aww.one("pulumi:providers:kubernetes").inputs
    assert provider["enableSecretMutable"] == "true"
    assert provider["enableConfigMapMutable"] == "true"


EXISTING = {
    "existingCluster": "shared-eks",
    "vpc": {
        "id": "vpc-0fedcba9876543210",
        "privateSubnetIds": ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
        "privateRouteTableIds": ["rtb-0cccccccccccccccc"],
    },
}


def test_an_existing_cluster_is_reached_and_nothing_of_it_is_made() -> None:
    found = built({"cluster": EXISTING})
    for kind in (
        CLUSTER,
        "eks:index:ManagedNodeGroup",
        "aws:eks/addon:Addon",
        "kubernetes:helm.sh/v3:Release",
    ):
        assert not found.of(kind)
    assert not found.of("aws:kms/key:Key")
    assert found.of("aws:s3/bucket:Bucket")
    assert found.of("aws:ec2/vpcPeeringConnection:VpcPeeringConnection")
    provider = found.one("pulumi:providers:kubernetes").inputs
    assert provider["clusterIdentifier"].endswith(":cluster/shared-eks")
    kubeconfig = json.loads(provider["kubeconfig"])
    assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://shared.example"
    assert kubeconfig["users"][0]["user"]["exec"]["command"] == "aws"
    assert found.result["clusterName"] == "shared-eks"
    assert found.result["nodeGroupName"] is None


def test_an_existing_cluster_without_its_vpc_is_refused() -> None:
    with pytest.raises(ValueError, match="describe it under vpc"):
        site({"cluster": {"existingCluster": "shared-eks"}})
