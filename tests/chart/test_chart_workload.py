"""The Deployment and what goes with it, as rendered by Helm."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from xgen_infra.delivery.schema import CHART
from xgen_infra.delivery.values import GENERATION_PREFIX

if TYPE_CHECKING:
    from .conftest import Chart

DIGEST = "sha256:" + "a" * 64


def test_the_smallest_file_gives_a_whole_service(chart: Chart) -> None:
    assert chart.render().kinds == [
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]


def test_every_object_is_named_after_the_service_and_lives_in_the_releases_namespace(chart: Chart) -> None:
    for item in chart.render(
        dotenv={"enabled": True, "keys": ["A"]}, env={"A": "1"}, ingress={"enabled": True}
    ).all:
        assert item["metadata"]["name"].startswith("xgen-core")
        assert item["metadata"]["namespace"] == "xgen"
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == labels["app.kubernetes.io/instance"] == "xgen-core"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/part-of"] == "xgen"
        assert labels["xgen/site"] == "acme"


def test_a_tag_is_pulled_always(chart: Chart) -> None:
    container = chart.render(image={"tag": "v2-amd64"}).container
    assert container["image"] == "registry.example:5000/xgen/acme/xgen-core:v2-amd64"
    assert container["imagePullPolicy"] == "Always"


def test_a_digest_wins_over_the_tag_and_is_pulled_if_not_present(chart: Chart) -> None:
    container = chart.render(image={"tag": "v2-amd64", "digest": DIGEST}).container
    assert container["image"] == f"registry.example:5000/xgen/acme/xgen-core@{DIGEST}"
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_a_repository_replaces_the_whole_name(chart: Chart) -> None:
    container = chart.render(image={"repository": "mirror.example/a/b", "tag": "1"}).container
    assert container["image"] == "mirror.example/a/b:1"


def test_pull_secrets_are_named_only_where_there_are_any(chart: Chart) -> None:
    assert "imagePullSecrets" not in chart.render().pod["spec"]
    spec = chart.render(imagePullSecrets=["registry-credentials"]).pod["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry-credentials"}]


def test_the_deployment_states_no_replicas_while_the_autoscaler_is_on(chart: Chart) -> None:
    objects = chart.render(replicas=3, autoscaling={"minReplicas": 2, "maxReplicas": 4})
    assert "replicas" not in objects.one("Deployment")["spec"]
    scaler = objects.one("HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "xgen-core"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert scaler["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}


def test_without_autoscaler_the_deployment_states_its_replicas(chart: Chart) -> None:
    objects = chart.render(replicas=3, autoscaling={"enabled": False})
    assert objects.one("Deployment")["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler" not in objects.kinds


@pytest.mark.parametrize("low", [1, 2])
def test_the_disruption_budget_lets_a_single_replica_go(chart: Chart, low: int) -> None:
    objects = chart.render(autoscaling={"minReplicas": low})
    budget = objects.one("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == objects.one("Deployment")["spec"]["selector"]


def test_the_disruption_budget_can_be_left_out(chart: Chart) -> None:
    assert "PodDisruptionBudget" not in chart.render(podDisruptionBudget={"enabled": False}).kinds


def test_probes_are_http_or_tcp_on_the_services_port(chart: Chart) -> None:
    container = chart.render(
        service={"port": 3000},
        probes={
            "readiness": {"path": "/health", "periodSeconds": 5},
            "liveness": {"tcp": True},
            "startup": {"path": "/started"},
        },
    ).container
    assert container["ports"] == [{"name": "http", "containerPort": 3000, "protocol": "TCP"}]
    assert container["readinessProbe"] == {
        "httpGet": {"path": "/health", "port": "http"},
        "initialDelaySeconds": 0,
        "periodSeconds": 5,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
    }
    assert container["livenessProbe"]["tcpSocket"] == {"port": "http"}
    assert container["startupProbe"]["httpGet"]["path"] == "/started"
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] == 300


def test_a_probe_that_is_not_asked_for_is_not_made(chart: Chart) -> None:
    assert not {"readinessProbe", "livenessProbe", "startupProbe"} & set(chart.render().container)


def test_the_pod_meets_the_restricted_standard_with_a_read_only_root(chart: Chart) -> None:
    objects = chart.render()
    spec, container = objects.pod["spec"], objects.container
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["volumes"] == [{"name": "writable-0", "emptyDir": {}}]
    assert container["volumeMounts"] == [{"name": "writable-0", "mountPath": "/tmp"}]


def test_each_part_of_the_pods_security_can_be_switched(chart: Chart) -> None:
    objects = chart.render(
        podSecurity={
            "runAsNonRoot": False,
            "runAsUser": 0,
            "seccompProfile": "Unconfined",
            "allowPrivilegeEscalation": True,
            "readOnlyRootFilesystem": False,
            "dropCapabilities": [],
            "addCapabilities": ["NET_BIND_SERVICE"],
            "writablePaths": ["/tmp", "/app/cache"],
        }
    )
    assert objects.pod["spec"]["securityContext"] == {
        "runAsNonRoot": False,
        "runAsUser": 0,
        "seccompProfile": {"type": "Unconfined"},
    }
    assert objects.container["securityContext"] == {
        "allowPrivilegeEscalation": True,
        "readOnlyRootFilesystem": False,
        "capabilities": {"drop": [], "add": ["NET_BIND_SERVICE"]},
    }
    assert [m["mountPath"] for m in objects.container["volumeMounts"]] == ["/tmp", "/app/cache"]


def test_without_writable_paths_there_are_no_volumes(chart: Chart) -> None:
    objects = chart.render(podSecurity={"writablePaths": []})
    assert "volumes" not in objects.pod["spec"]
    assert "volumeMounts" not in objects.container


def test_the_environment_comes_from_the_configmap_and_single_keys_of_secrets(chart: Chart) -> None:
    objects = chart.render(
        env={"APP_SITE": "xgen-acme", "QUOTES": "a: \"b\" 'c' # d", "YES": "yes"},
        outputs={"env": {"S3_BUCKET": "xgen-acme-docs"}},
        secretEnv={"MINIO_DATA_SECRET_KEY": {"secret": "xgen-secrets", "key": "minio-secret"}},
    )
    assert objects.one("ConfigMap")["data"] == {
        "APP_SITE": "xgen-acme",
        "QUOTES": "a: \"b\" 'c' # d",
        "S3_BUCKET": "xgen-acme-docs",
        "YES": "yes",
    }
    assert objects.container["envFrom"] == [{"configMapRef": {"name": "xgen-core-env"}}]
    assert objects.container["env"] == [
        {
            "name": "MINIO_DATA_SECRET_KEY",
            "valueFrom": {"secretKeyRef": {"name": "xgen-secrets", "key": "minio-secret"}},
        }
    ]
    assert objects.pod["spec"]["enableServiceLinks"] is False


def test_the_checksum_changes_when_the_environment_does_and_only_then(chart: Chart) -> None:
    def checksum(**changes: object) -> str:
        found: str = chart.render(**changes).pod["metadata"]["annotations"]["checksum/env"]
        return found

    before = checksum(env={"A": "1", "B": "2"})
    assert checksum(env={"B": "2"}, outputs={"env": {"A": "1"}}) == before
    assert (
        checksum(env={"A": "1", "B": "2"}, replicas=5, image={"tag": "other"}, labels={"team": "a"}) == before
    )
    assert checksum(env={"A": "1", "B": "3"}) != before
    assert checksum(env={"A": "1"}) != before
    assert checksum(env={"A": "1", "B": "2"}, outputs={"env": {"C": "3"}}) != before


def test_a_secrets_new_generation_rolls_the_pods(chart: Chart) -> None:
    one = chart.render(generations={"xgen-secrets": 1, "registry-credentials": 4})
    two = chart.render(generations={"xgen-secrets": 2, "registry-credentials": 4})
    assert one.pod["metadata"]["annotations"][f"{GENERATION_PREFIX}xgen-secrets"] == "1"
    assert one.pod["metadata"]["annotations"][f"{GENERATION_PREFIX}registry-credentials"] == "4"
    assert two.pod["metadata"]["annotations"][f"{GENERATION_PREFIX}xgen-secrets"] == "2"


def test_a_new_version_of_the_chart_alone_changes_neither_selector_nor_pods(
    chart: Chart, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(CHART, newer)
    meta = yaml.safe_load((newer / "Chart.yaml").read_text())
    (newer / "Chart.yaml").write_text(yaml.safe_dump(meta | {"version": "9.9.9", "appVersion": "9"}))
    values = {"env": {"A": "1"}, "dotenv": {"enabled": True, "keys": ["A"]}}
    before, after = chart.render(**values), replace(chart, source=newer).render(**values)
    assert after.one("Deployment")["metadata"]["labels"]["helm.sh/chart"] == "xgen-service-9.9.9"
    assert after.one("Deployment")["spec"] == before.one("Deployment")["spec"]


def test_the_selector_is_the_services_name_and_nothing_else(chart: Chart) -> None:
    objects = chart.render(labels={"team": "a"}, image={"tag": "v3"}, replicas=2)
    selector = {"app.kubernetes.io/name": "xgen-core", "app.kubernetes.io/instance": "xgen-core"}
    assert objects.one("Deployment")["spec"]["selector"]["matchLabels"] == selector
    assert objects.one("Service")["spec"]["selector"] == selector
    assert objects.pod["metadata"]["labels"] == selector | {
        "app.kubernetes.io/part-of": "xgen",
        "xgen/service": "xgen-core",
        "xgen/site": "acme",
        "team": "a",
    }


def test_a_deployment_made_with_another_selector_can_be_taken_over(chart: Chart) -> None:
    old = {"app.kubernetes.io/name": "xgen-service", "release": "core"}
    objects = chart.render(selectorLabels=old)
    assert objects.one("Deployment")["spec"]["selector"]["matchLabels"] == old
    assert objects.one("Service")["spec"]["selector"] == old
    assert objects.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == old
    assert objects.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == old
    assert old.items() <= objects.pod["metadata"]["labels"].items()


def test_a_pod_goes_on_serving_while_it_is_taken_out_of_the_balancers(chart: Chart) -> None:
    objects = chart.render(preStopSleepSeconds=20, terminationGracePeriodSeconds=60)
    assert objects.container["lifecycle"] == {"preStop": {"sleep": {"seconds": 20}}}
    assert objects.pod["spec"]["terminationGracePeriodSeconds"] == 60
    assert "lifecycle" not in chart.render(preStopSleepSeconds=0).container


def test_a_rollout_takes_no_pod_away_before_the_new_one_is_ready(chart: Chart) -> None:
    spec = chart.render().one("Deployment")["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    other = chart.render(rollout={"maxUnavailable": "25%", "maxSurge": 0}).one("Deployment")["spec"]
    assert other["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": 0}


def test_pods_are_spread_over_zones_and_nodes_where_that_can_be(chart: Chart) -> None:
    objects = chart.render()
    selector = objects.one("Deployment")["spec"]["selector"]
    assert objects.pod["spec"]["topologySpreadConstraints"] == [
        {
            "topologyKey": key,
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector,
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def test_command_placement_and_annotations_reach_the_pod(chart: Chart) -> None:
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    objects = chart.render(
        command=["/bin/sh", "-c"],
        args=["exec python main.py"],
        nodeSelector={"kubernetes.io/arch": "amd64"},
        tolerations=[toleration],
        podAnnotations={"kwok.x-k8s.io/usage-cpu": "200m"},
    )
    assert objects.container["command"] == ["/bin/sh", "-c"]
    assert objects.container["args"] == ["exec python main.py"]
    assert objects.pod["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert objects.pod["spec"]["tolerations"] == [toleration]
    assert objects.pod["metadata"]["annotations"]["kwok.x-k8s.io/usage-cpu"] == "200m"


def test_the_service_account_is_the_services_own_unless_another_is_named(chart: Chart) -> None:
    own = chart.render(serviceAccount={"annotations": {"a/b": "c"}})
    assert own.one("ServiceAccount")["metadata"]["annotations"] == {"a/b": "c"}
    assert own.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert own.pod["spec"]["serviceAccountName"] == "xgen-core"
    none = chart.render(serviceAccount={"create": False})
    assert "ServiceAccount" not in none.kinds
    assert none.pod["spec"]["serviceAccountName"] == "default"
    other = chart.render(serviceAccount={"create": False, "name": "mine"})
    assert other.pod["spec"]["serviceAccountName"] == "mine"
