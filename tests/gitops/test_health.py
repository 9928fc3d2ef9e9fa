"""What `xgen wait` reads from the cluster, in the forms in which Kubernetes and Argo CD write it."""

from __future__ import annotations

from typing import Any

import pytest

from xgen_infra.health import pods
from xgen_infra.health.applications import REFRESH, state_of

CONDITION = {"type": "Ready", "status": "False"}


def pod(status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "xgen-core-1", **metadata}, "status": {"conditions": [CONDITION], **status}}


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "xgen-core", "state": state, "ready": False, **more}]}


WAITING = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nexus/xgen-core:1"'}
CRASHING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
TERMINATED = {"terminated": {"exitCode": 1, "reason": "Error", "message": "KeyError: 'POSTGRES_HOST'"}}
UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient cpu.",
}

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no image": (container({"waiting": WAITING}), "ImagePullBackOff: Back-off pulling image"),
    "a crash": (
        container(CRASHING, lastState=TERMINATED),
        "CrashLoopBackOff after Error (status 1) KeyError",
    ),
    "no room": ({"conditions": [CONDITION, UNSCHEDULED]}, "Unschedulable: 0/3 nodes are available"),
    "a probe": (container({"running": {}}), "its readiness probe does not succeed"),
    "an init container": (
        {"initContainerStatuses": [{"name": "merge-dotenv", "state": TERMINATED}]},
        "container merge-dotenv: Error (status 1) KeyError",
    ),
    "nothing said yet": (container({"waiting": {"reason": "ContainerCreating"}}), "Pending, not ready yet"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_pod_that_is_not_ready_says_why(case: str) -> None:
    status, said = CASES[case]
    (found,) = pods.problems([pod(status)])
    assert found.startswith("pod xgen-core-1: ")
    assert said in found


def test_a_ready_pod_and_one_that_goes_have_no_problem() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    going = pod(container({"waiting": WAITING}), deletionTimestamp="2026-11-24T00:00:00Z")
    assert pods.problems([pod(ready), going]) == []


def test_the_same_reason_of_many_pods_is_told_once() -> None:
    assert len(pods.problems([pod(container({"waiting": WAITING})) for _ in range(5)])) == 1


def test_a_long_message_keeps_its_end_where_programs_say_what_failed() -> None:
    assert pods.brief("x" * 900 + " the end").endswith("the end")
    assert len(pods.brief("x" * 900)) < 500


def deployment(generation: int = 1, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": status}


DONE = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}


@pytest.mark.parametrize(
    ("item", "complete"),
    [
        (deployment(**DONE), True),
        (deployment(2, **DONE), False),
        (deployment(**{**DONE, "updatedReplicas": 1}), False),
        (deployment(**{**DONE, "readyReplicas": 1}), False),
        (deployment(**{**DONE, "replicas": 3}), False),
        (deployment(), False),
    ],
    ids=["done", "not seen yet", "old pods", "not ready", "one too many", "no status"],
)
def test_a_rollout_is_complete_when_every_pod_is_new_and_ready(item: dict[str, Any], complete: bool) -> None:
    assert pods.rollout(item).complete is complete


def test_a_rollout_that_is_stuck_says_why() -> None:
    quota = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    assert pods.rollout(deployment(conditions=[quota])).problems == ("FailedCreate: exceeded quota",)


def application(**status: Any) -> dict[str, Any]:
    base = {"sync": {"status": "Synced", "revision": "1" * 40}, "health": {"status": "Healthy"}}
    return {"metadata": {}, "status": {**base, **status}}


def test_an_application_is_good_when_synced_and_healthy_and_nothing_is_wrong() -> None:
    assert state_of(application()).good
    assert not state_of(application(sync={"status": "OutOfSync"})).good
    assert not state_of(application(health={"status": "Degraded"})).good
    assert not state_of({"metadata": {}}).good


def test_an_application_that_is_being_compared_anew_is_not_judged_by_what_it_was() -> None:
    asked = application() | {"metadata": {"annotations": {REFRESH: "normal"}}}
    assert not state_of(asked).good


def test_an_error_counts_even_while_argo_cd_still_shows_the_old_state() -> None:
    broken = {"type": "ComparisonError", "message": "helm template: broken by hand"}
    state = state_of(application(conditions=[broken, {"type": "OrphanedResourceWarning", "message": "x"}]))
    assert not state.good
    assert state.reasons == ("ComparisonError: helm template: broken by hand",)


def test_a_failed_sync_names_the_object_that_was_refused() -> None:
    result = {
        "kind": "Ingress",
        "name": "xgen-frontend",
        "status": "SyncFailed",
        "message": "admission denied",
    }
    operation = {
        "phase": "Failed",
        "message": "one or more objects failed",
        "syncResult": {"resources": [result]},
    }
    reasons = state_of(application(sync={"status": "OutOfSync"}, operationState=operation)).reasons
    assert "Ingress xgen-frontend: admission denied" in reasons
