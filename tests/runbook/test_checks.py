"""`--check` tells a step that would work from one that would not, and from one that it cannot look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from xgen_infra.runbook.facts import facts_of
from xgen_infra.runbook.page import chapters, html
from xgen_infra.runbook.results import Result, run
from xgen_infra.runbook.scene import scene

from .cluster_stub import APPS, CORE, SPACE, Objects, kubeconfig, serving, well

Outputs = Callable[[str], dict[str, Any]]
NOT_FROM_HERE = {"the-state-is-locked"}


def checked(outputs: dict[str, Any], file: Path) -> dict[str, Result]:
    facts = facts_of(outputs, "test")
    steps = [entry.step for chapter in chapters(facts) for entry in chapter.entries]
    with scene(facts, None, file, None) as made:
        return {result.step: result for result in run(steps, made)}


def test_a_cluster_in_good_order_passes_every_check(outputs: Outputs, tmp_path: Path) -> None:
    given = outputs("lotteimall")
    with serving(well(given), tmp_path) as file:
        results = checked(given, file)
    assert {step: one.saw for step, one in results.items() if one.state == "failed"} == {}
    assert {step for step, one in results.items() if one.state == "not run"} == NOT_FROM_HERE
    assert results["reach-the-cluster"].saw == "1 node, all Ready"
    assert results["roll-back-a-release"].saw.startswith("xgen-frontend :latest-amd64")


def spoil(objects: Objects, path: str, value: Any) -> None:
    assert path in objects
    if value is None:
        del objects[path]
    else:
        objects[path] = value


def change(path: str, *keys: Any) -> Callable[[Objects], None]:
    """Return what sets a value (the last of `keys`) below the others in the object at a path."""

    def apply(objects: Objects) -> None:
        below = objects[path]
        for key in keys[:-2]:
            below = below[key]
        below[keys[-2]] = keys[-1]

    return apply


UNREADY = [{"type": "Ready", "status": "False"}]
UNSCHEDULED = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
WAITING = [
    {
        "name": "x",
        "ready": False,
        "image": "x",
        "imageID": "",
        "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff"}},
    }
]
NO_METRICS = {
    "metadata": {"name": "xgen-core"},
    "spec": {"maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "xgen-core"}},
    "status": {
        "desiredReplicas": 1,
        "conditions": [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}],
    },
}
PODS, NODES = f"{CORE}{SPACE}/pods", f"{CORE}/nodes"
BACKUP = "/apis/batch/v1/namespaces/xgen-system/cronjobs/postgres-backup"

CASES: dict[str, tuple[Callable[[Objects], None], str, str]] = {
    "a node down": (change(NODES, 0, "status", "conditions", UNREADY), "reach-the-cluster", "node-1"),
    "a node cordoned": (change(NODES, 0, "spec", "unschedulable", True), "upgrade-kubernetes", "cordoned"),
    "a kubelet ahead": (
        change(NODES, 0, "status", "nodeInfo", "kubeletVersion", "v1.37.1"),
        "upgrade-kubernetes",
        "1.37",
    ),
    "a service not ready": (
        change(f"{APPS}{SPACE}/deployments", 2, "status", "readyReplicas", 0),
        "see-the-services",
        "xgen-core",
    ),
    "a pod in trouble": (
        change(PODS, 2, "status", "conditions", UNREADY),
        "a-service-is-not-well",
        "xgen-core-1",
    ),
    "Argo CD's server away": (
        lambda objects: spoil(objects, f"{APPS}/namespaces/argocd/deployments/argocd-server", None),
        "log-in-to-argo-cd",
        "argocd-server",
    ),
    "a stranger's image": (
        change(
            f"{APPS}{SPACE}/deployments", 0, "spec", "template", "spec", "containers", 0, "image", "other/x:1"
        ),
        "roll-back-a-release",
        "other/x:1",
    ),
    "no metrics": (
        lambda objects: spoil(objects, f"/apis/autoscaling/v2{SPACE}/horizontalpodautoscalers", [NO_METRICS]),
        "scale",
        "FailedGetResourceMetric",
    ),
    "no room": (change(PODS, 0, "status", "conditions", UNSCHEDULED), "scale", "0/3 nodes"),
    "pods of an older Secret": (
        change(PODS, 1, "metadata", "annotations", "generation/xgen-secrets", "0"),
        "replace-a-password",
        "xgen-backend-gateway-1",
    ),
    "no pull secret": (
        lambda objects: spoil(objects, f"{CORE}{SPACE}/secrets/registry-credentials", None),
        "replace-the-registry-password",
        "registry-credentials",
    ),
    "an image refused": (
        lambda objects: objects[PODS][0].update(status={"conditions": UNREADY, "containerStatuses": WAITING}),
        "replace-the-registry-password",
        "ImagePullBackOff",
    ),
    "another database": (
        change(f"{CORE}{SPACE}/configmaps/xgen-core-env", "data", "POSTGRES_HOST", "elsewhere"),
        "database-moved",
        "xgen-core: POSTGRES_HOST is elsewhere",
    ),
    "no address": (
        change(f"/apis/networking.k8s.io/v1{SPACE}/ingresses", 0, "status", {}),
        "certificate-and-dns",
        "no address",
    ),
    "dumps suspended": (change(BACKUP, "spec", "suspend", True), "restore-a-database", "suspended"),
    "no dump for long": (
        change(BACKUP, "status", {}),
        "restore-a-database",
        "no dump has succeeded since 2020",
    ),
    "no restore": (
        lambda objects: spoil(objects, BACKUP.replace("backup", "restore"), None),
        "restore-a-database",
        "postgres-restore",
    ),
    "the store's volume lost": (
        change(f"{CORE}/namespaces/xgen-system/persistentvolumeclaims", 0, "status", "phase", "Lost"),
        "restore-a-document",
        "Lost",
    ),
    "half removed": (
        change(f"{CORE}/namespaces/xgen", "status", "phase", "Terminating"),
        "remove-the-customer",
        "xgen: Terminating",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_fails_its_step_and_is_named(case: str, outputs: Outputs, tmp_path: Path) -> None:
    spoils, step, told = CASES[case]
    given = outputs("lotteimall")
    objects = well(given)
    spoils(objects)
    with serving(objects, tmp_path) as file:
        result = checked(given, file)[step]
    assert result.state == "failed"
    assert told in result.saw


def test_a_cluster_that_does_not_answer_fails_once_and_leaves_the_rest(
    outputs: Outputs, tmp_path: Path
) -> None:
    results = checked(outputs("lotteimall"), kubeconfig(tmp_path, "http://127.0.0.1:9"))
    assert [step for step, one in results.items() if one.state == "failed"] == ["reach-the-cluster"]
    assert {one.state for step, one in results.items() if step != "reach-the-cluster"} == {"not run"}
    assert "does not answer" in results["scale"].saw


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield lambda service: boto3.client(service, region_name="ap-northeast-2")


def asked(outputs: dict[str, Any], tmp_path: Path) -> dict[str, Result]:
    return checked(outputs, kubeconfig(tmp_path, "http://127.0.0.1:9"))


def test_checks_of_aws_see_what_is_there(aws: Any, outputs: Outputs, tmp_path: Path) -> None:
    given = outputs("aww")
    s3, ec2, iam = aws("s3"), aws("ec2"), aws("iam")
    s3.create_bucket(Bucket="xgen-aww", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    networks = [ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.40.0.0/16", "10.20.0.0/16")]
    peering = ec2.create_vpc_peering_connection(VpcId=networks[0], PeerVpcId=networks[1])[
        "VpcPeeringConnection"
    ]
    given["cluster"]["peeringConnectionId"] = peering["VpcPeeringConnectionId"]
    iam.create_user(UserName="xgen-aww-documents")
    key = iam.create_access_key(UserName="xgen-aww-documents")["AccessKey"]["AccessKeyId"]
    given["cluster"]["accessKeyIds"] = {"1": key}
    before = asked(given, tmp_path)
    assert (before["restore-a-document"].state, before["restore-a-document"].saw) == (
        "failed",
        "versioning of xgen-aww: never enabled",
    )
    assert before["the-other-side-of-the-peering"].state == "failed"
    assert before["rotate-the-documents-key"].state == "ok"
    s3.put_bucket_versioning(Bucket="xgen-aww", VersioningConfiguration={"Status": "Enabled"})
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    stranger = iam.create_access_key(UserName="xgen-aww-documents")["AccessKey"]["AccessKeyId"]
    after = asked(given, tmp_path)
    assert after["restore-a-document"].state == after["the-other-side-of-the-peering"].state == "ok"
    assert after["rotate-the-documents-key"].state == "failed"
    assert stranger in after["rotate-the-documents-key"].saw


def test_another_accounts_credentials_ask_nothing(aws: Any, outputs: Outputs, tmp_path: Path) -> None:
    given = outputs("aww")
    given["cluster"]["account"] = "999999999999"
    result = asked(given, tmp_path)["restore-a-document"]
    assert result.state == "not run"
    assert "not 999999999999" in result.saw


def test_the_page_carries_the_marks(outputs: Outputs) -> None:
    saw = "1 < 2 nodes & <b>more</b>"
    page = html(facts_of(outputs("aww"), "test"), {"scale": Result("scale", "failed", saw)})
    assert (
        '<p class="result failed"><strong>failed</strong> 1 &lt; 2 nodes &amp; &lt;b&gt;more&lt;/b&gt;</p>'
        in page
    )
    assert page.count('class="state failed"') == 1
