from __future__ import annotations

import base64
import email
import subprocess
import tomllib
from pathlib import Path

import pytest

from xgen_infra.aws.nodes import ami_type
from xgen_infra.aws.userdata import CERTS, PrivateRegistry, user_data

from .recording import Recording
from .sites import built, site

GROUP = "eks:index:ManagedNodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ADDON = "aws:eks/addon:Addon"
PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----\n"


def test_no_pod_reaches_the_nodes_credentials(aww: Recording) -> None:
    options = aww.one(TEMPLATE).inputs["metadataOptions"]
    assert options["httpTokens"] == "required"
    assert options["httpPutResponseHopLimit"] == 1


def test_root_volumes_are_encrypted_gp3_of_the_size_asked_for() -> None:
    (device,) = built({"cluster": {"nodes": {"diskGib": 250}}}).one(TEMPLATE).inputs["blockDeviceMappings"]
    assert device["ebs"]["encrypted"] == "true"
    assert (device["ebs"]["volumeType"], device["ebs"]["volumeSize"]) == ("gp3", 250)


def test_instances_volumes_and_interfaces_carry_the_sites_tags(aww: Recording) -> None:
    specifications = aww.one(TEMPLATE).inputs["tagSpecifications"]
    assert {one["resourceType"] for one in specifications} == {"instance", "volume", "network-interface"}
    for one in specifications:
        assert one["tags"]["site"] == "aww"
        assert one["tags"]["owner"] == "platform@aww.example"


def test_nodes_live_in_the_private_subnets_with_the_clusters_version(aww: Recording) -> None:
    group = aww.one(GROUP).inputs
    assert group["subnetIds"] == [f"network-private-{n}-id" for n in (1, 2, 3)]
    assert group["version"] == "1.34"
    assert group["amiType"] == "AL2023_x86_64_STANDARD"
    assert group["instanceTypes"] == ["m7i.2xlarge"]


def test_the_autoscalers_work_is_not_undone_by_an_up(aww: Recording) -> None:
    group = aww.one(GROUP).inputs
    assert group["ignoreScalingChanges"] is True
    assert group["scalingConfig"] == {"minSize": 1, "desiredSize": 1, "maxSize": 4}


def test_a_change_of_the_template_reaches_the_nodes_by_its_version(aww: Recording) -> None:
    assert aww.one(GROUP).inputs["launchTemplate"] == {"id": "nodes-template-id", "version": "3"}


def test_what_pulumi_eks_refuses_beside_a_launch_template_is_not_asked(aww: Recording) -> None:
    group = aww.one(GROUP).inputs
    for refused in (
        "nodeRole",
        "enableIMDSv2",
        "userData",
        "kubeletExtraArgs",
        "amiId",
        "bootstrapExtraArgs",
    ):
        assert refused not in group


def test_nodes_pull_by_their_role_and_have_no_right_of_the_network_plugin(aww: Recording) -> None:
    attached = {
        found.inputs["policyArn"].rpartition("/")[2]
        for found in aww.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if found.inputs["role"] == "xgen-aww-nodes"
    }
    assert "AmazonEC2ContainerRegistryPullOnly" in attached
    assert "AmazonEKS_CNI_Policy" not in attached


@pytest.mark.parametrize(
    ("types", "image"),
    [
        (["m7i.2xlarge"], "AL2023_x86_64_STANDARD"),
        (["g4dn.xlarge"], "AL2023_x86_64_STANDARD"),
        (["m7i-flex.large", "m6a.large"], "AL2023_x86_64_STANDARD"),
        (["m7g.2xlarge", "c7gn.2xlarge"], "AL2023_ARM_64_STANDARD"),
        (["t4g.large"], "AL2023_ARM_64_STANDARD"),
    ],
)
def test_the_image_family_follows_the_architecture(types: list[str], image: str) -> None:
    assert ami_type(types) == image


def test_two_architectures_in_one_group_are_refused() -> None:
    with pytest.raises(ValueError, match=r"m7g\.large is Arm"):
        site({"cluster": {"nodes": {"instanceTypes": ["m7i.large", "m7g.large"]}}})


def test_nodes_come_after_the_network_plugin_and_before_dns(aww: Recording) -> None:
    group, addons = aww.one(GROUP), aww.named(ADDON)
    before = aww.before(group)
    for name in ("eks-pod-identity-agent", "kube-proxy", "vpc-cni"):
        assert addons[f"node-addons-{name}"].urn in before
    for name in ("coredns", "metrics-server", "aws-ebs-csi-driver"):
        assert group.urn in aww.before(addons[f"cluster-addons-{name}"])


def test_every_addon_is_pinned(aww: Recording) -> None:
    addons = {found.inputs["addonName"]: found.inputs["addonVersion"] for found in aww.of(ADDON)}
    assert set(addons) == {
        "vpc-cni",
        "kube-proxy",
        "coredns",
        "eks-pod-identity-agent",
        "aws-ebs-csi-driver",
        "metrics-server",
    }
    assert all("-eksbuild." in version for version in addons.values())
    assert addons["kube-proxy"].startswith("v1.34.")


def test_network_policies_are_enforced(aww: Recording) -> None:
    values = aww.one(ADDON, "node-addons-vpc-cni").inputs["configurationValues"]
    assert values == '{"enableNetworkPolicy": "true"}'


def test_the_default_storage_class_is_encrypted_and_waits_for_a_pod(aww: Recording) -> None:
    inputs = aww.one("kubernetes:storage.k8s.io/v1:StorageClass").inputs
    assert inputs["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert inputs["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert inputs["volumeBindingMode"] == "WaitForFirstConsumer"


def script(registry: PrivateRegistry) -> str:
    """Return the shell script that a node runs, as cloud-init would take it from the user data."""
    message = email.message_from_string(user_data(registry) or "")
    (part,) = message.get_payload()
    assert part.get_content_type() == "text/x-shellscript"
    return str(part.get_payload())


def written(registry: PrivateRegistry, folder: Path) -> Path:
    """Run the script below a folder instead of /etc, and return where it wrote."""
    text = script(registry).replace(CERTS, str(folder))
    subprocess.run(["bash"], input=text, text=True, check=True)
    return folder / registry.host


def test_a_plain_http_registry_is_told_to_containerd(tmp_path: Path) -> None:
    found = written(PrivateRegistry("nexus.aww.example:5000", plain_http=True), tmp_path)
    hosts = tomllib.loads((found / "hosts.toml").read_text())
    assert hosts["server"] == "http://nexus.aww.example:5000"
    assert hosts["host"] == {"http://nexus.aww.example:5000": {"capabilities": ["pull", "resolve"]}}


def test_a_private_authority_is_put_beside_it(tmp_path: Path) -> None:
    found = written(PrivateRegistry("nexus.aww.example", plain_http=False, ca_certificate=PEM), tmp_path)
    hosts = tomllib.loads((found / "hosts.toml").read_text())
    assert hosts["host"]["https://nexus.aww.example"]["ca"] == f"{tmp_path}/nexus.aww.example/ca.crt"
    assert (found / "ca.crt").read_text() == PEM


def test_an_ordinary_registry_needs_no_user_data() -> None:
    assert user_data(PrivateRegistry("docker.x2bee.com", plain_http=False)) is None
    assert user_data(None) is None


def test_the_sample_sites_nodes_reach_its_plain_http_nexus(aww: Recording) -> None:
    text = base64.b64decode(aww.one(TEMPLATE).inputs["userData"]).decode()
    assert text.startswith("Content-Type: multipart/mixed")
    assert "MIME-Version: 1.0" in text
    assert 'server = "http://nexus.aww.example:5000"' in text


def test_user_data_is_the_same_every_time() -> None:
    registry = PrivateRegistry("nexus.aww.example:5000", plain_http=True)
    assert user_data(registry) == user_data(registry)


def test_without_a_private_registry_the_template_has_no_user_data() -> None:
    changes = {"registry": {"kind": "ecr", "host": None, "plainHttp": None}}
    assert "userData" not in built(changes).one(TEMPLATE).inputs
