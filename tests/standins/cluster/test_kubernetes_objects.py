"""Objects of the kubernetes stand-in on a real API server."""

from __future__ import annotations

import base64
import threading
import time

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from standins.provider_client import initialization_failure, plain
from xgen_infra.rehearsal.standins.contract import UNKNOWN
from xgen_infra.rehearsal.standins.kubernetes import marks

from .bench import SECRET

pytestmark = pytest.mark.e2e
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def config_map(data=None, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "1"}}


def deployment(replicas=1, image="nginx:1", cpu="1000m", **metadata):
    container = {"name": "c", "image": image, "resources": {"requests": {"cpu": cpu, "memory": "0.5Gi"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", **metadata},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def urn(token, name="it"):
    return f"urn:pulumi:stack::project::{token}::{name}"


def changes(answer):
    return {path: provider_pb2.PropertyDiff.Kind.Name(one.kind) for path, one in answer.detailedDiff.items()}


def test_an_object_without_a_name_gets_one_and_keeps_it(bench, api):
    made = bench.make(CONFIG_MAP, config_map(), name="settings")
    name = made.outputs["metadata"]["name"]
    assert made.id == f"{bench.namespace}/{name}"
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert made.check(config_map())["metadata"]["name"] == name
    assert api.get(f"/api/v1/namespaces/{bench.namespace}/configmaps/{name}")["data"] == {"a": "1"}


def test_two_objects_of_one_name_in_the_program_do_not_collide(bench):
    assert bench.make(CONFIG_MAP, config_map()).id != bench.make(CONFIG_MAP, config_map()).id


def test_an_object_that_is_there_already_is_refused_and_may_be_imported(bench):
    first = bench.make(CONFIG_MAP, config_map(name="taken"))
    with pytest.raises(grpc.RpcError) as refused:
        bench.make(CONFIG_MAP, config_map(name="taken"))
    assert "already exists" in refused.value.details()
    assert "import" in refused.value.details()
    read = bench.client().read(first.id, {}, {}, urn=urn(CONFIG_MAP))
    inputs = plain(read.inputs)
    assert inputs["data"] == {"a": "1"}
    assert set(inputs["metadata"]) == {"name", "namespace"}


def test_a_provider_that_may_takes_an_object_over(bench, api):
    bench.make(CONFIG_MAP, config_map({"a": "1", "b": "2"}, name="taken"))
    taken = bench.make(
        CONFIG_MAP,
        config_map({"a": "9"}, name="taken"),
        upsertExistingObjects="true",
        enablePatchForce="true",
    )
    assert taken.outputs["data"] == {"a": "9", "b": "2"}


def test_a_preview_asks_the_api_server_and_makes_nothing(bench, api):
    client = bench.client()
    shown = plain(
        client.create(deployment(namespace=bench.namespace), urn=urn(DEPLOYMENT), preview=True).properties
    )
    assert shown["spec"]["strategy"]["type"] == "RollingUpdate"
    assert api.get(f"/apis/apps/v1/namespaces/{bench.namespace}/deployments")["items"] == []
    wrong = deployment(namespace=bench.namespace, replicas=-1)
    with pytest.raises(grpc.RpcError, match="must be greater than or equal to 0"):
        client.create(wrong, urn=urn(DEPLOYMENT), preview=True)


def test_a_preview_of_what_is_not_known_yet_or_not_there_yet_shows_the_inputs(bench):
    client = bench.client()
    for inputs in (
        config_map({"a": UNKNOWN}, name="x", namespace=bench.namespace),
        config_map(name="x", namespace="not-there-yet"),
        {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "x"}},
    ):
        token = (
            f"kubernetes:{'core/v1' if inputs['kind'] == 'ConfigMap' else 'example.org/v1'}:{inputs['kind']}"
        )
        shown = client.create(inputs, urn=urn(token), preview=True)
        assert plain(shown.properties)["metadata"]["name"] == "x"


def test_a_deployment_is_awaited_and_changed_in_place(bench, api):
    made = bench.make(DEPLOYMENT, deployment())
    assert made.outputs["status"]["availableReplicas"] == 1
    answer = made.diff(deployment(replicas=2, image="nginx:2"))
    assert changes(answer) == {"spec.replicas": "UPDATE", "spec.template.spec.containers[0].image": "UPDATE"}
    assert made.update(deployment(replicas=2, image="nginx:2"))["status"]["availableReplicas"] == 2
    assert made.diff(deployment(replicas=2, image="nginx:2")).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_what_the_program_no_longer_states_goes(bench, api):
    with_labels = deployment(labels={"a": "1", "b": "2"})
    made = bench.make(DEPLOYMENT, with_labels)
    made.update(deployment(labels={"a": "1"}))
    assert made.outputs["metadata"]["labels"] == {"a": "1"}
    managers = {
        one["manager"]
        for one in api.get(f"/apis/apps/v1/namespaces/{bench.namespace}/deployments/web")["metadata"][
            "managedFields"
        ]
        if one["operation"] == "Apply"
    }
    assert managers == {made.outputs["__fieldManager"]}


def test_an_immutable_selector_replaces_the_old_one_first_as_the_name_is_the_same(bench):
    made = bench.make(DEPLOYMENT, deployment())
    other = deployment()
    other["spec"]["selector"]["matchLabels"] = {"app": "other"}
    answer = made.diff(other)
    assert list(answer.replaces) == ["spec.selector.matchLabels.app"]
    assert answer.deleteBeforeReplace


def test_another_name_replaces_and_the_new_one_is_made_first(bench):
    made = bench.make(DEPLOYMENT, deployment())
    answer = made.diff(deployment(name="other"))
    assert list(answer.replaces) == ["metadata.name"]
    assert not answer.deleteBeforeReplace


def test_the_data_of_a_config_map_replaces_it_unless_the_provider_lets_it_change(bench):
    made = bench.make(CONFIG_MAP, config_map())
    answer = made.diff(config_map({"a": "2"}))
    assert list(answer.replaces) == ["data.a"]
    assert not answer.deleteBeforeReplace
    mutable = bench.make(CONFIG_MAP, config_map(), enableConfigMapMutable="true")
    assert not mutable.diff(config_map({"a": "2"})).replaces


def test_a_secrets_data_is_marked_secret(bench):
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "stringData": {"k": "s3cret"}}
    client, where = bench.client(), urn("kubernetes:core/v1:Secret")
    checked = plain(client.check(inputs, urn=where).inputs)
    outputs = plain(client.create(checked, urn=where).properties)
    for key in ("data", "stringData"):
        assert SECRET.items() <= outputs[key].items()
    assert outputs["data"]["value"] == {"k": base64.b64encode(b"s3cret").decode()}


def test_drift_is_seen_by_a_refresh_and_mended(bench, api):
    made = bench.make(DEPLOYMENT, deployment(labels={"a": "1"}))
    made.refresh()
    assert made.diff(deployment(labels={"a": "1"})).changes == provider_pb2.DiffResponse.DIFF_NONE
    where = f"/apis/apps/v1/namespaces/{bench.namespace}/deployments/web"
    api.merge(where, {"spec": {"replicas": 3}, "metadata": {"labels": {"mine": "x"}}})
    wait(lambda: api.get(where)["status"].get("availableReplicas") == 3)
    made.refresh()
    assert changes(made.diff(deployment(labels={"a": "1"}))) == {"spec.replicas": "UPDATE"}


def test_a_field_that_another_manager_set_is_a_conflict_unless_it_may_be_taken(bench, api):
    made = bench.make(DEPLOYMENT, deployment())
    made.update(deployment(replicas=2))
    api.merge(f"/apis/apps/v1/namespaces/{bench.namespace}/deployments/web", {"spec": {"replicas": 3}})
    with pytest.raises(grpc.RpcError) as refused:
        made.update(deployment(replicas=1))
    assert "owned by others" in refused.value.details()
    assert ".spec.replicas" in refused.value.details()
    taken = deployment(replicas=1, annotations={marks.PATCH_FORCE: "true"})
    assert made.update(taken)["spec"]["replicas"] == 1


def test_an_ignored_field_stays_with_who_set_it(bench, api):
    made = bench.make(DEPLOYMENT, deployment())
    made.update(deployment(image="nginx:2"))
    api.merge(f"/apis/apps/v1/namespaces/{bench.namespace}/deployments/web", {"spec": {"replicas": 3}})
    assert made.diff(deployment(replicas=5), ignore=("spec.replicas",)).changes == (
        provider_pb2.DiffResponse.DIFF_SOME
    )
    assert made.update(deployment(image="nginx:3"), ignoreChanges=["spec.replicas"])["spec"]["replicas"] == 3


def test_an_object_that_is_gone_reads_as_gone_and_deletes_without_a_word(bench, api):
    made = bench.make(CONFIG_MAP, config_map(name="here"))
    api.delete(f"/api/v1/namespaces/{bench.namespace}/configmaps/here")
    made.delete()
    made.refresh()
    assert made.id == ""


def test_a_deployment_that_does_not_become_ready_is_kept_and_says_why(bench):
    # The controller may have said nothing yet when the first is over.
    for seconds in ("2", "30"):
        greedy = deployment(cpu="100", name=f"web-{seconds}", annotations={marks.TIMEOUT: seconds})
        with pytest.raises(grpc.RpcError) as partial:
            bench.make(DEPLOYMENT, greedy)
        detail = initialization_failure(partial.value)
        if "has not seen the last change" not in detail.reasons[0]:
            break
    assert detail.id == f"{bench.namespace}/{greedy['metadata']['name']}"
    assert "0 of 1 replicas available" in detail.reasons[0]
    assert "timed out" in detail.reasons[0]
    with pytest.raises(grpc.RpcError) as unready:
        bench.client().read(detail.id, greedy, plain(detail.properties), urn=urn(DEPLOYMENT))
    assert initialization_failure(unready.value).id == detail.id


def test_a_run_that_is_cancelled_stops_waiting(bench):
    client = bench.client()
    greedy = deployment(cpu="100", namespace=bench.namespace)
    threading.Timer(1, lambda: client.stub.Cancel(empty_pb2.Empty())).start()
    started = time.monotonic()
    with pytest.raises(grpc.RpcError, match="cancelled"):
        client.create(greedy, urn=urn(DEPLOYMENT))
    assert time.monotonic() - started < 60, "not cancelled, it waits for 600 s"


def test_a_service_waits_for_a_ready_pod_and_a_load_balancer_for_its_address(bench):
    bench.make(DEPLOYMENT, deployment())
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], "type": "LoadBalancer"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    made = bench.make("kubernetes:core/v1:Service", service)
    assert made.outputs["status"]["loadBalancer"]["ingress"]
    assert list(made.diff({**service, "spec": {**spec, "clusterIP": "None"}}).replaces) == ["spec.clusterIP"]


def test_a_job_is_awaited_and_its_template_replaces_it(bench):
    def job(image):
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once"},
            "spec": {"template": {"spec": pod}},
        }

    made = bench.make("kubernetes:batch/v1:Job", job("a"))
    assert made.outputs["status"]["succeeded"] == 1
    assert list(made.diff(job("b")).replaces) == ["spec.template.spec.containers[0].image"]


def test_a_custom_resource_waits_for_its_definition(bench):
    group = "rehearsal.example.org"
    schema = {"openAPIV3Schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    token = f"kubernetes:{group}/v1:Widget"
    client = bench.client()
    checked = plain(client.check(widget, urn=urn(token)).inputs)
    made = []
    waiting = threading.Thread(target=lambda: made.append(client.create(checked, urn=urn(token))))
    waiting.start()
    defined = bench.make("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", definition)
    waiting.join(30)
    assert plain(made[0].properties)["spec"] == {"size": 1}
    assert defined.id == f"widgets.{group}"
    version = defined.outputs["spec"]["versions"][0]
    assert version["schema"]["openAPIV3Schema"]["x_kubernetes_preserve_unknown_fields"] is True
    more = {**definition, "metadata": {"name": f"widgets.{group}", "labels": {"a": "b"}}}
    assert defined.update(more)["metadata"]["labels"] == {"a": "b"}
    defined.delete()
    client.delete(made[0].id, urn(token), plain(made[0].properties))


def test_a_namespace_is_awaited_until_it_is_gone(bench, api):
    made = bench.make(
        "kubernetes:core/v1:Namespace",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {}},
        name="space",
    )
    assert "namespace" not in made.inputs["metadata"]
    made.delete()
    assert made.id not in {one["metadata"]["name"] for one in api.get("/api/v1/namespaces")["items"]}


def test_a_patch_owns_its_fields_only_and_lets_go_of_them(bench, api):
    patch = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": bench.namespace, "labels": {"by": "patch"}},
    }
    made = bench.make("kubernetes:core/v1:NamespacePatch", patch)
    where = f"/api/v1/namespaces/{bench.namespace}"
    assert api.get(where)["metadata"]["labels"]["by"] == "patch"
    made.delete()
    assert "by" not in api.get(where)["metadata"]["labels"]


def test_an_object_waits_a_little_for_its_namespace(bench, api):
    later = f"{bench.namespace}-later"
    space = {"metadata": {"name": later}}
    threading.Timer(1, lambda: api.create("/api/v1/namespaces", space)).start()
    made = bench.make(CONFIG_MAP, config_map(name="x", namespace=later))
    assert made.id == f"{later}/x"
    api.delete(f"/api/v1/namespaces/{later}")


def test_what_is_all_unknown_is_an_update_and_no_replacement(bench):
    made = bench.make(DEPLOYMENT, deployment())
    unknown = {**made.inputs, "spec": UNKNOWN}
    answer = made.client.diff(made.inputs, unknown, urn=made.urn, outputs=made.outputs)
    assert changes(answer) == {"spec": "UPDATE"}
    assert not answer.replaces
    answer = made.client.diff(
        made.inputs, {**made.inputs, "metadata": UNKNOWN}, urn=made.urn, outputs=made.outputs
    )
    assert changes(answer) == {"metadata": "UPDATE"}


def wait(ready):
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)
