from __future__ import annotations

import json
from typing import Any

import pytest

from xgen_infra import versions
from xgen_infra.aws.load_balancer_policy import TAG
from xgen_infra.delivery import services

from .recording import Recording
from .sites import built, site

RELEASE = "kubernetes:helm.sh/v3:Release"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
EXPOSED = {"exposure": {"kind": "internal"}}


@pytest.fixture(scope="module")
def exposed() -> Recording:
    return built(EXPOSED)


def statements(recording: Recording, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(recording.one(POLICY, name).inputs["policy"])["Statement"]
    return found


def test_without_exposure_no_load_balancer_can_be_made(aww: Recording) -> None:
    assert [found.inputs["name"] for found in aww.of(RELEASE)] == ["cluster-autoscaler"]
    assert aww.result["monthlyShape"]["loadBalancers"] == 0


@pytest.mark.parametrize("exposure", [{"kind": "internal"}, {"kind": "public", "domain": "xgen.aww.example"}])
def test_an_exposed_site_has_the_load_balancer_controller(exposure: dict[str, str]) -> None:
    found = built({"exposure": exposure})
    values = found.one(RELEASE, "controllers-aws-load-balancer-controller").inputs["values"]
    # One hop to the metadata service hides both from the controller.
    assert values["vpcId"] == "network-vpc-id"
    assert values["region"] == "ap-northeast-2"
    assert values["clusterName"] == "xgen-aww"
    assert values["defaultTags"]["site"] == "aww"
    assert found.result["monthlyShape"]["loadBalancers"] == 1


@pytest.mark.parametrize(
    ("kind", "subnets"),
    [("public", "subnet-0000000c,subnet-0000000d"), ("internal", "subnet-0000000a,subnet-0000000b")],
)
def test_in_a_vpc_that_is_there_the_load_balancer_is_in_the_subnets_that_the_file_names(
    kind: str, subnets: str
) -> None:
    vpc = {
        "id": "vpc-0a1b2c3d",
        "privateSubnetIds": ["subnet-0000000a", "subnet-0000000b"],
        "publicSubnetIds": ["subnet-0000000c", "subnet-0000000d"],
    }
    exposure = {"kind": kind, "domain": "xgen.aww.example"}
    subject = site({"exposure": exposure, "cluster": {"vpc": vpc}, "management": None})
    annotations = services.whole(subject, "xgen-frontend", {})["ingress"]["annotations"]
    assert annotations["alb.ingress.kubernetes.io/subnets"] == subnets
    alone = services.whole(site({"exposure": exposure}), "xgen-frontend", {})["ingress"]["annotations"]
    assert "alb.ingress.kubernetes.io/subnets" not in alone


def test_charts_and_images_are_pinned(exposed: Recording) -> None:
    charts = {found.inputs["chart"]: found.inputs["version"] for found in exposed.of(RELEASE)}
    assert charts == {
        chart.name: chart.version
        for chart in (versions.CLUSTER_AUTOSCALER, versions.LOAD_BALANCER_CONTROLLER)
    }
    image = exposed.one(RELEASE, "controllers-cluster-autoscaler").inputs["values"]["image"]
    assert image["tag"].startswith("v1.34.")


def test_a_customer_without_internet_gets_charts_and_images_from_its_mirror() -> None:
    argocd = {"chartRepository": "http://nexus.aww.example/charts", "imageRegistry": "nexus.aww.example:5000"}
    found = built({**EXPOSED, "argocd": argocd})
    for release in found.of(RELEASE):
        assert release.inputs["repositoryOpts"]["repo"] == argocd["chartRepository"]
        assert release.inputs["values"]["image"]["repository"].startswith("nexus.aww.example:5000/")


def test_each_controller_has_a_role_that_only_its_service_account_gets(exposed: Recording) -> None:
    for account in ("cluster-autoscaler", "aws-load-balancer-controller"):
        association = exposed.one(ASSOCIATION, f"controllers-{account}-identity").inputs
        assert (association["namespace"], association["serviceAccount"]) == ("kube-system", account)
        trust = json.loads(exposed.one(ROLE, f"controllers-{account}-role").inputs["assumeRolePolicy"])
        (statement,) = trust["Statement"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {
            "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:ap-northeast-2:123456789012:cluster/xgen-aww",
            "aws:RequestTag/kubernetes-namespace": "kube-system",
            "aws:RequestTag/kubernetes-service-account": account,
        }


def test_a_controller_starts_when_its_role_can_work_and_goes_before_it(exposed: Recording) -> None:
    for account in ("cluster-autoscaler", "aws-load-balancer-controller"):
        before = exposed.before(exposed.one(RELEASE, f"controllers-{account}"))
        assert exposed.one(ASSOCIATION, f"controllers-{account}-identity").urn in before
        assert exposed.one(POLICY, f"controllers-{account}-policy").urn in before


def test_the_autoscaler_resizes_groups_of_its_own_cluster_alone(aww: Recording) -> None:
    writes = [
        statement
        for statement in statements(aww, "controllers-cluster-autoscaler-policy")
        if not all(":Describe" in action or ":Get" in action for action in statement["Action"])
    ]
    assert [statement["Condition"] for statement in writes] == [
        {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/xgen-aww": "owned"}}
    ]


def test_the_load_balancer_controller_changes_only_what_its_cluster_owns(exposed: Recording) -> None:
    free = []
    for statement in statements(exposed, "controllers-aws-load-balancer-controller-policy"):
        writes = [
            action
            for action in statement["Action"]
            if not action.split(":")[1].startswith(("Describe", "Get", "List"))
        ]
        conditions = json.dumps(statement.get("Condition", {}))
        if writes and f'{TAG}": "xgen-aww"' not in conditions:
            free.append(statement["Sid"])
    # A security group is made in a VPC, which has no tag of the controller's; EKS' own group carries EKS' tag.
    assert free == ["ServiceLinkedRole", "MakeGroupInVpc", "OpenNodesToLoadBalancers"]


def test_no_statement_of_any_policy_allows_everything(exposed: Recording) -> None:
    for found in exposed.of(POLICY):
        for statement in json.loads(found.inputs["policy"])["Statement"]:
            assert "*" not in statement["Action"]
            writes = [
                a for a in statement["Action"] if not a.split(":")[1].startswith(("Describe", "Get", "List"))
            ]
            assert not writes or statement["Resource"] != ["*"] or "Condition" in statement
