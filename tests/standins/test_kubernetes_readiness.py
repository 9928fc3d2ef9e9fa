"""When the kubernetes stand-in calls an object ready."""

from __future__ import annotations

import pytest

from xgen_infra.rehearsal.standins.kubernetes import awaits, marks


def live(kind, spec, status, version="apps/v1", **more):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "n", "generation": 2, **more},
        "spec": spec,
        "status": {"observedGeneration": 2, **status},
    }


def held(name, value="True", **more):
    return {"conditions": [{"type": name, "status": value, **more}]}


READY = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}


@pytest.mark.parametrize(
    ("manifest", "ready"),
    [
        (live("Deployment", {"replicas": 1}, READY), True),
        (live("Deployment", {"replicas": 1}, {**READY, "observedGeneration": 1}), False),
        (live("Deployment", {"replicas": 1}, {**READY, "replicas": 2}), False),
        (live("Deployment", {"replicas": 2}, READY), False),
        (live("Deployment", {"replicas": 2, "paused": True}, {}), True),
        (
            live("StatefulSet", {"replicas": 1}, {**READY, "currentRevision": "a", "updateRevision": "a"}),
            True,
        ),
        (
            live("StatefulSet", {"replicas": 1}, {**READY, "currentRevision": "a", "updateRevision": "b"}),
            False,
        ),
        (live("StatefulSet", {"replicas": 0}, {}), True),
        (live("DaemonSet", {}, {"desiredNumberScheduled": 2, "numberReady": 1}), False),
        (
            live(
                "DaemonSet", {}, {"desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 2}
            ),
            True,
        ),
        (live("Job", {}, held("Complete"), "batch/v1"), True),
        (live("Job", {}, {}, "batch/v1"), False),
        (live("Job", {}, held("Failed", message="BackoffLimitExceeded"), "batch/v1"), False),
        (live("Pod", {}, held("Ready"), "v1"), True),
        (live("Pod", {}, {"phase": "Succeeded"}, "v1"), True),
        (live("Pod", {}, {"phase": "Pending"}, "v1"), False),
        (live("CustomResourceDefinition", {}, held("Established"), "apiextensions.k8s.io/v1"), True),
        (live("CustomResourceDefinition", {}, {}, "apiextensions.k8s.io/v1"), False),
        (live("Ingress", {}, {"loadBalancer": {"ingress": [{"ip": "1"}]}}, "networking.k8s.io/v1"), True),
        (live("Ingress", {}, {}, "networking.k8s.io/v1"), False),
        (live("Service", {"type": "LoadBalancer"}, {}, "v1"), False),
        (live("Service", {"clusterIP": "None", "selector": {"a": "b"}}, {}, "v1"), True),
        (live("Service", {"type": "ClusterIP"}, {}, "v1"), True),
        (live("PersistentVolume", {}, {"phase": "Available"}, "v1"), True),
        (live("PersistentVolume", {}, {"phase": "Failed"}, "v1"), False),
        (live("Widget", {}, {}, "example.org/v1"), True),
    ],
)
def test_readiness_by_kind(manifest, ready):
    assert (awaits.unready(None, manifest) is None) is ready


@pytest.mark.parametrize(
    ("expression", "ready"),
    [
        ("condition=Synced", True),
        ("condition=Synced=False", False),
        ("condition=Other", False),
        ("jsonpath={.status.phase}=Bound", True),
        ("jsonpath={.status.list[0].name}=a", True),
        ("jsonpath={.status.phase}=Lost", False),
        ("jsonpath={.status.nothing}", False),
        ('["condition=Synced", "jsonpath={.status.phase}"]', True),
        ('["condition=Synced", "condition=Other"]', False),
    ],
)
def test_a_program_may_say_what_readiness_is(expression, ready):
    status = {**held("Synced"), "phase": "Bound", "list": [{"name": "a"}]}
    manifest = live("Deployment", {}, status, annotations={marks.WAIT_FOR: expression})
    assert (awaits.unready(None, manifest) is None) is ready


def test_an_expression_that_is_not_understood_is_refused_by_name():
    manifest = live("Deployment", {}, {}, annotations={marks.WAIT_FOR: "jsonpath={.a[?(@.b)]}"})
    with pytest.raises(ValueError, match="waitFor: expected condition="):
        awaits.unready(None, manifest)


def test_nothing_is_waited_for_where_the_program_says_so():
    manifest = live("Deployment", {"replicas": 3}, {}, annotations={marks.SKIP_AWAIT: "true"})
    assert awaits.unready(None, manifest) is None


def test_timeouts_and_propagation_come_from_annotations():
    manifest = {"metadata": {"annotations": {marks.TIMEOUT: "7", marks.PROPAGATION: "orphan"}}}
    assert marks.timeout(manifest, 0) == 7
    assert marks.timeout(manifest, 3) == 3
    assert marks.timeout({}, 0) == 600
    assert marks.propagation(manifest) == "Orphan"
    assert marks.propagation({}) == "Foreground"
