"""Reading by id alone: an import states only what a program has to say; drift shows what AWS has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .aws_bench import TRUST_NODES, Bench

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("aws:s3/bucket:Bucket", {"bucket": "made-by-hand"}),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.80.0.0/16", "tags": {"Name": "by hand"}}),
        ("aws:iam/role:Role", {"name": "by-hand", "assumeRolePolicy": TRUST_NODES}),
        ("aws:iam/user:User", {"name": "by-hand"}),
        ("aws:kms/key:Key", {"description": "by hand", "policy": json.dumps(POLICY)}),
        ("aws:ecr/repository:Repository", {"name": "by/hand"}),
        ("aws:cloudwatch/logGroup:LogGroup", {"name": "/by/hand", "retentionInDays": 7}),
    ],
)
def test_what_is_there_already_is_imported_with_the_inputs_that_made_it(
    bench: Bench, token: str, inputs: dict[str, Any]
) -> None:
    made = bench.make(token, **inputs)
    imported = bench.imported(token, made.id)
    assert imported is not None
    assert imported.inputs is not None
    unparsed = {
        k: json.loads(v) if k in {"policy", "assumeRolePolicy"} else v for k, v in imported.inputs.items()
    }
    expected = {k: json.loads(v) if k in {"policy", "assumeRolePolicy"} else v for k, v in inputs.items()}
    unparsed.pop("encryptionConfigurations", None)
    assert unparsed == expected
    assert {k: v for k, v in imported.outputs.items() if k in made.outputs} == imported.outputs


def test_a_cluster_and_a_security_group_are_imported(bench: Bench) -> None:
    cluster = bench.cluster()
    imported = bench.imported("aws:eks/cluster:Cluster", cluster.id)
    assert imported is not None
    assert imported.outputs["vpcConfig"] == cluster["vpcConfig"]
    group = bench.imported(
        "aws:ec2/securityGroup:SecurityGroup", cluster["vpcConfig"]["clusterSecurityGroupId"]
    )
    assert group is not None
    assert group.outputs["ingress"][0]["self"] is True


def test_what_is_not_there_is_not_imported(bench: Bench) -> None:
    for token, ident in (
        ("aws:s3/bucket:Bucket", "nobody-has-this"),
        ("aws:ec2/vpc:Vpc", "vpc-0gone"),
        ("aws:iam/role:Role", "nobody"),
        ("aws:kms/key:Key", "11111111-1111-1111-1111-111111111111"),
        ("aws:eks/cluster:Cluster", "nobody"),
        ("aws:eks/addon:Addon", "nobody:vpc-cni"),
    ):
        assert bench.imported(token, ident) is None


def test_a_tag_taken_away_by_hand_shows_as_drift(bench: Bench) -> None:
    vpc = bench.make("aws:ec2/vpc:Vpc", cidrBlock="10.81.0.0/16", tags={"Name": "a", "site": "aww"})
    bench.boto("ec2").delete_tags(Resources=[vpc.id], Tags=[{"Key": "site"}])
    assert vpc.refreshed_inputs()["tags"] == {"Name": "a"}


def test_a_rule_opened_by_hand_shows_as_drift(bench: Bench) -> None:
    ingress = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]
    group = bench.make("aws:ec2/securityGroup:SecurityGroup", vpcId=bench.vpc().id, ingress=ingress)
    bench.boto("ec2").authorize_security_group_ingress(
        GroupId=group.id, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    ports = {rule["fromPort"] for rule in group.refreshed_inputs()["ingress"]}
    assert ports == {22, 443}


def test_a_policy_widened_by_hand_shows_as_drift_and_the_same_policy_in_other_words_does_not(
    bench: Bench,
) -> None:
    text = json.dumps(POLICY, indent=4)
    policy = bench.make("aws:iam/policy:Policy", policy=text)
    assert policy.refreshed_inputs()["policy"] == text
    bench.boto("iam").create_policy_version(
        PolicyArn=policy.id, PolicyDocument=text.replace("GetObject", "*"), SetAsDefault=True
    )
    assert "s3:*" in policy.refreshed_inputs()["policy"]


def test_a_template_changed_by_hand_shows_as_drift(bench: Bench) -> None:
    made = bench.make("aws:ec2/launchTemplate:LaunchTemplate", metadataOptions={"httpTokens": "required"})
    bench.boto("ec2").create_launch_template_version(
        LaunchTemplateId=made.id, LaunchTemplateData={"MetadataOptions": {"HttpTokens": "optional"}}
    )
    assert made.refreshed_inputs()["metadataOptions"] == {"httpTokens": "optional"}


def test_an_update_of_a_template_is_a_new_version_and_the_default_where_asked(bench: Bench) -> None:
    made = bench.make(
        "aws:ec2/launchTemplate:LaunchTemplate", instanceType="m7i.large", updateDefaultVersion=True
    )
    made.update(instanceType="m7i.xlarge")
    assert (made["latestVersion"], made["defaultVersion"]) == (2, 2)
    made.update(instanceType="m7i.2xlarge", updateDefaultVersion=False)
    assert (made["latestVersion"], made["defaultVersion"]) == (3, 2)


def test_a_name_left_out_is_made_from_the_logical_name(bench: Bench) -> None:
    names = {
        bench.make("aws:s3/bucket:Bucket", logical="Documents").id,
        bench.make("aws:s3/bucket:Bucket", logical="Documents").id,
    }
    assert len(names) == 2
    for name in names:
        stem, _, suffix = name.rpartition("-")
        assert stem == "documents"
        assert len(suffix) == 7
        assert int(suffix, 16) >= 0
    prefixed = bench.make("aws:iam/role:Role", namePrefix="site-", assumeRolePolicy=TRUST_NODES)
    assert prefixed.id.startswith("site-")
