from __future__ import annotations

import json

from xgen_infra import environment

from .recording import Recording
from .sites import built, site


def test_the_names_of_the_outputs_are_a_contract(aww: Recording) -> None:
    assert list(aww.result) == [
        "region",
        "account",
        "vpcId",
        "vpcCidr",
        "privateSubnetIds",
        "publicSubnetIds",
        "natPublicIps",
        "clusterName",
        "clusterArn",
        "clusterEndpoint",
        "kubernetesVersion",
        "apiAccess",
        "nodeGroupName",
        "kubeconfigCommand",
        "bucketName",
        "bucketNoncurrentDays",
        "documentsUser",
        "accessKeyGeneration",
        "accessKeyIds",
        "management",
        "peeringConnectionId",
        "peeringRemaining",
        "ecrRepositoryUrls",
        "registryRemaining",
        "dnsHint",
        "monthlyShape",
    ]


def test_every_output_is_plain_data(aww: Recording) -> None:
    assert json.loads(json.dumps(aww.result)) == aww.result


def test_the_monthly_shape_counts_what_is_paid_by_the_hour() -> None:
    changes = {
        "cluster": {
            "nat": "perZone",
            "nodes": {"instanceTypes": ["m7i.xlarge"], "min": 2, "max": 5, "diskGib": 50},
        },
        "exposure": {"kind": "internal"},
    }
    shape = built(changes).result["monthlyShape"]
    assert shape["instances"] == {"types": ["m7i.xlarge"], "capacity": "ON_DEMAND", "min": 2, "max": 5}
    assert shape["nodeVolumesGiB"] == {"type": "gp3", "min": 100, "max": 250}
    assert (shape["natGateways"], shape["publicIpv4Addresses"], shape["loadBalancers"]) == (3, 3, 1)
    assert (shape["kmsKeys"], shape["interfaceEndpoints"], shape["logRetentionDays"]) == (1, 0, 90)


def test_a_person_gets_a_kubeconfig_by_one_command(aww: Recording) -> None:
    assert aww.result["kubeconfigCommand"] == (
        "aws eks update-kubeconfig --region ap-northeast-2 --name xgen-aww --alias xgen-aww"
    )


def test_an_exposed_site_says_where_to_point_dns() -> None:
    assert built().result["dnsHint"] == ""
    public = built({"exposure": {"kind": "public", "domain": "xgen.aww.example"}}).result["dnsHint"]
    assert public.startswith("xgen.aww.example: CNAME")
    assert "kubectl --namespace xgen get ingress" in public


def test_every_taggable_resource_carries_site_stack_and_owner(aww: Recording) -> None:
    provider = aww.one("pulumi:providers:aws").inputs
    assert json.loads(provider["defaultTags"])["tags"] == {
        "site": "aww",
        "stack": "aww",
        "owner": "platform@aww.example",
        "managed-by": "pulumi",
    }
    strays = [
        found.name
        for found in aww.resources
        if found.type.startswith("aws:") and found.provider.split("::")[-2] != "aws-site"
    ]
    assert not strays


def test_the_provider_refuses_another_account(aww: Recording) -> None:
    assert aww.one("pulumi:providers:aws").inputs["allowedAccountIds"] == '["123456789012"]'


def test_what_the_pods_are_told_is_what_was_made(aww: Recording) -> None:
    told = {variable.name: variable.value for variable in environment.wired(site())}
    assert told["S3_BUCKET"] == aww.result["bucketName"]
    assert told["AWS_REGION"] == aww.result["region"]
    assert told["MINIO_ENDPOINT"] == "https://s3.ap-northeast-2.amazonaws.com"
    assert told["MINIO_SECURE"] == "true"
