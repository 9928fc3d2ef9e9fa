"""The parts of the kubernetes stand-in that need no cluster."""

from __future__ import annotations

import base64
import json
import os
import stat
import tarfile

import pytest
import yaml

from xgen_infra.rehearsal.standins.contract import UNKNOWN
from xgen_infra.rehearsal.standins.kubernetes import awaits, charts, kinds, managers, manifests, marks, words
from xgen_infra.rehearsal.standins.kubernetes.charts import ChartError, Charts, Source
from xgen_infra.rehearsal.standins.kubernetes.cluster import Clusters, Options
from xgen_infra.rehearsal.standins.kubernetes.facts import facts
from xgen_infra.rehearsal.standins.kubernetes.helm import Helm, HelmError
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import KubeconfigError, of, replaced_by
from xgen_infra.rehearsal.standins.kubernetes.values import ASSET, ValuesError, values_of
from xgen_infra.rehearsal.standins.wire import SIGNATURE


def kubeconfig(server="https://one.invalid", name="c", user="t"):
    return yaml.safe_dump(
        {
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "u", "namespace": "team"}}],
            "users": [{"name": "u", "user": {"token": user}}],
        }
    )


def test_a_new_token_replaces_nothing_and_a_new_server_everything():
    old = {"kubeconfig": kubeconfig()}
    assert replaced_by(old, {"kubeconfig": kubeconfig(user="other")}) == []
    assert replaced_by(old, {"kubeconfig": kubeconfig("https://two.invalid")}) == ["kubeconfig"]
    assert replaced_by(old, {"kubeconfig": UNKNOWN}) == ["kubeconfig"]


def test_with_a_cluster_identifier_only_that_replaces():
    old = {"kubeconfig": kubeconfig(), "clusterIdentifier": "a"}
    for config in (kubeconfig("https://two.invalid"), UNKNOWN):
        assert replaced_by(old, {"kubeconfig": config, "clusterIdentifier": "a"}) == []
    assert replaced_by(old, {"kubeconfig": kubeconfig(), "clusterIdentifier": "b"}) == ["clusterIdentifier"]


def test_a_cluster_identifier_that_is_new_replaces_nothing():
    assert (
        replaced_by({"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig(), "clusterIdentifier": "a"})
        == []
    )


def test_ambient_kubeconfigs_merge_as_kubectl_merges_them(tmp_path, monkeypatch):
    (tmp_path / "choice").write_text(json.dumps({"current-context": "second"}))
    (tmp_path / "one").write_text(kubeconfig(name="first"))
    (tmp_path / "ca.crt").write_text("")
    two = yaml.safe_load(kubeconfig(name="second"))
    two["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    (tmp_path / "two").write_text(yaml.safe_dump(two))
    files = os.pathsep.join(str(tmp_path / name) for name in ("choice", "one", "two", "missing"))
    monkeypatch.setenv("KUBECONFIG", files)
    content = of({"kubeconfig": ""}).content()
    assert content["current-context"] == "second"
    assert [one["name"] for one in content["clusters"]] == ["first", "second"]
    assert content["clusters"][1]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")
    assert of({"context": "first"}).content()["current-context"] == "first"


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KubeconfigError, match="nowhere"):
        of({"kubeconfig": str(tmp_path / "nowhere")}).content()


def test_a_kubeconfig_is_kept_only_for_its_owner(tmp_path):
    file = Clusters(tmp_path).file({"kubeconfig": kubeconfig()})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_context_names_the_default_namespace(tmp_path):
    cluster = Clusters(tmp_path).of({"kubeconfig": kubeconfig("http://127.0.0.1:9")})
    assert cluster.namespace == "team"
    assert "cannot be reached" in cluster.unreachable


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("kubernetes:core/v1:Secret", kinds.Kind("", "v1", "Secret")),
        ("kubernetes:apps/v1:Deployment", kinds.Kind("apps", "apps/v1", "Deployment")),
        (
            "kubernetes:argoproj.io/v1alpha1:Application",
            kinds.Kind("argoproj.io", "argoproj.io/v1alpha1", "Application"),
        ),
        ("kubernetes:core/v1:NamespacePatch", kinds.Kind("", "v1", "Namespace", patch=True)),
        (
            "kubernetes:example.org/v1:DispatchPatch",
            kinds.Kind("example.org", "example.org/v1", "DispatchPatch"),
        ),
        ("kubernetes:helm.sh/v4:Chart", None),
        ("kubernetes:yaml/v2:ConfigFile", None),
        ("kubernetes:core/v1:SecretList", None),
        ("aws:s3/bucket:Bucket", None),
    ],
)
def test_a_token_names_a_kind(token, kind):
    assert kinds.of_token(token) == kind


def test_secrets_and_config_maps_are_immutable_unless_the_provider_says_otherwise():
    secret, config = (
        kinds.of_token("kubernetes:core/v1:Secret"),
        kinds.of_token("kubernetes:core/v1:ConfigMap"),
    )
    mutable = Options.of({"enableSecretMutable": "true", "enableConfigMapMutable": "true"})
    for kind in (secret, config):
        assert "data" in kind.replacing(Options(), {})
        assert "data" not in kind.replacing(mutable, {})
        assert "data" in kind.replacing(mutable, {"immutable": True})


def test_an_option_that_is_not_set_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert Options.of({}).delete_unreachable
    assert not Options.of({"deleteUnreachable": "false"}).delete_unreachable
    assert Options.of({}).server_side_apply


INPUTS = {
    "metadata": {"name": "d", "labels": {"a": "1"}},
    "spec": {
        "replicas": 2,
        "template": {"containers": [{"name": "c", "cpu": "1000m"}, {"name": "d"}]},
    },
}
LIVE = {
    "metadata": {"name": "d", "labels": {"a": "1"}, "uid": "u"},
    "spec": {
        "replicas": 2,
        "strategy": "RollingUpdate",
        "template": {"containers": [{"name": "c", "cpu": "1", "policy": "Always"}, {"name": "d"}]},
    },
    "status": {"ready": 2},
}


def test_what_the_server_spells_otherwise_is_no_drift():
    later = {**LIVE, "status": {"ready": 1}}
    assert manifests.drifted(INPUTS, LIVE, later) == INPUTS


def test_what_somebody_else_changed_is_drift_and_what_they_added_is_not():
    later = json.loads(json.dumps(LIVE))
    later["spec"]["replicas"] = 5
    later["spec"]["template"]["containers"][0]["cpu"] = "2"
    later["metadata"]["labels"] = {"b": "2"}
    found = manifests.drifted(INPUTS, LIVE, later)
    assert found["spec"]["replicas"] == 5
    assert found["spec"]["template"]["containers"] == [{"name": "c", "cpu": "2"}, {"name": "d"}]
    assert found["metadata"]["labels"] == {}


def test_an_entry_that_somebody_added_to_a_list_is_drift():
    later = json.loads(json.dumps(LIVE))
    later["spec"]["template"]["containers"].append({"name": "sidecar", "policy": "Always"})
    found = manifests.drifted(INPUTS, LIVE, later)["spec"]["template"]["containers"]
    assert found == [
        {"name": "c", "cpu": "1"},
        {"name": "d"},
        {"name": "sidecar", "policy": "Always"},
    ]


def test_a_secret_that_somebody_changed_is_drift_of_its_string_data():
    def data(text):
        return {"data": {"k": base64.b64encode(text.encode()).decode()}, "stringData": {"k": "old"}}

    inputs = {"stringData": {"k": "old"}}
    assert manifests.drifted(inputs, data("old"), data("old")) == inputs
    assert manifests.drifted(inputs, data("old"), data("new")) == {"stringData": {"k": "new"}}


def test_an_import_states_nothing_that_only_a_server_sets():
    live = {
        **LIVE,
        "metadata": {
            **LIVE["metadata"],
            "managedFields": [],
            "annotations": {"deployment.kubernetes.io/revision": "1", "mine": "x"},
        },
    }
    assert manifests.imported(live) == {
        "metadata": {"name": "d", "labels": {"a": "1"}, "annotations": {"mine": "x"}},
        "spec": LIVE["spec"],
    }


def test_extension_fields_are_dashed_for_the_server_and_underscored_for_the_program():
    manifest = manifests.manifest_of({"metadata": {"name": "x"}, "spec": {"x_kubernetes_list_type": "map"}})
    assert manifest["spec"] == {"x-kubernetes-list-type": "map"}
    assert manifests.outputs_of(manifest, {}, "m")["spec"] == {"x_kubernetes_list_type": "map"}


class Patched:
    """An API server that keeps the JSON patch it was sent."""

    def patch(self, live, operations):
        self.operations = {one["path"]: one["value"] for one in operations}
        return live


def test_a_manager_takes_over_what_was_set_client_side():
    def entry(name, how, fields, **more):
        return {"manager": name, "operation": how, "fieldsV1": fields, **more}

    status = entry("kubectl", "Update", {"f:status": {}}, subresource="status")
    live = {
        "metadata": {
            "resourceVersion": "7",
            "managedFields": [
                entry("mine", "Apply", {"f:spec": {"f:a": {}}}),
                entry("pulumi-kubernetes", "Update", {"f:spec": {"f:b": {}}}),
                entry("kubectl-edit", "Update", {"f:spec": {"f:c": {".": {}}}}),
                entry("controller", "Update", {"f:spec": {"f:d": {}}}),
                status,
            ],
        }
    }
    api = Patched()
    managers.take_over(api, live, "mine")
    owners = api.operations["/metadata/managedFields"]
    assert [one["manager"] for one in owners] == ["controller", "kubectl", "mine"]
    assert owners[1] == status
    assert owners[2]["operation"] == "Apply"
    assert owners[2]["fieldsV1"] == {"f:spec": {"f:a": {}, "f:b": {}, "f:c": {".": {}}}}
    assert api.operations["/metadata/resourceVersion"] == "7"


def test_a_manager_is_kept_from_run_to_run():
    assert managers.manager({}, {manifests.MANAGER_KEY: "kept"}) == "kept"
    assert managers.manager({}, {}) != managers.manager({}, {})
    said = {"metadata": {"annotations": {marks.PATCH_MANAGER: "said"}}}
    assert managers.manager(said, {manifests.MANAGER_KEY: "kept"}) == "said"


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


def chart(folder, version="1.0.0"):
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"name: tiny\nversion: {version}\n")
    return folder


def test_a_chart_is_found_in_the_program_among_the_substitutes_or_in_a_repository(tmp_path, monkeypatch):
    place = chart(tmp_path / "charts" / "tiny")
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"https://charts.invalid|big|2.0": str(place)}))
    monkeypatch.setenv(charts.SUBSTITUTES, str(table))
    found = Charts(tmp_path)
    assert found.source({"chart": "./charts/tiny"}) == Source("./charts/tiny", place)
    repository = {"repo": "https://charts.invalid"}
    substitute = found.source({"chart": "big", "version": "2.0", "repositoryOpts": repository})
    assert (substitute.local, substitute.simulated) == (place, True)
    assert found.source({"chart": "big", "version": "2.1", "repositoryOpts": repository}).local is None
    with pytest.raises(ChartError, match=r"\./charts/none"):
        found.source({"chart": "./charts/none"})


def test_a_chart_says_its_version_packed_or_not(tmp_path):
    place = chart(tmp_path / "tiny", "3.2.1")
    assert charts.metadata(place)["version"] == "3.2.1"
    with tarfile.open(tmp_path / "tiny.tgz", "w:gz") as archive:
        archive.add(place, "tiny")
    assert charts.metadata(tmp_path / "tiny.tgz")["version"] == "3.2.1"
    (place / "Chart.yaml").unlink()
    with pytest.raises(ChartError):
        charts.metadata(place)


def test_a_charts_digest_follows_its_files(tmp_path):
    place = chart(tmp_path / "tiny")
    before = charts.digest(place)
    assert charts.digest(place) == before
    (place / "templates" / "a.yaml").write_text("kind: X\n")
    assert charts.digest(place) != before


def test_values_lie_over_those_of_files_and_nulls_are_kept(tmp_path):
    (tmp_path / "values.yaml").write_text("a: {b: 1, c: 2}\nd: [1, 2]\n")
    file = {SIGNATURE: ASSET, "path": str(tmp_path / "values.yaml")}
    text = {SIGNATURE: ASSET, "text": "a: {c: 3}"}
    inputs = {"valueYamlFiles": [file, text], "values": {"a": {"b": None}, "d": [3]}}
    assert values_of(inputs) == {"a": {"b": None, "c": 3}, "d": [3]}
    with pytest.raises(ValuesError, match="missing"):
        values_of({"valueYamlFiles": [{SIGNATURE: ASSET, "path": str(tmp_path / "missing")}]})


def test_no_argument_of_helm_is_a_secret():
    inputs = {
        "chart": "big",
        "namespace": "n",
        "timeout": 60,
        "atomic": True,
        "waitForJobs": True,
        "createNamespace": True,
        "values": {"password": "s3cret"},
        "version": "1",
        "repositoryOpts": {"repo": "https://charts.invalid", "username": "me", "password": "s3cret"},
    }
    said = [*words.chart_words(inputs, Source("big")), *words.flag_words(inputs, words.INSTALL)]
    assert "s3cret" not in " ".join(said)
    assert said[:3] == ["chart-repository/big", "--version", "1"]
    assert {"--atomic", "--wait", "--wait-for-jobs", "--create-namespace", "60s"} <= set(said)


def test_skipping_the_wait_asks_helm_for_none():
    said = words.flag_words({"namespace": "n", "skipAwait": True, "waitForJobs": True}, words.UPGRADE)
    assert not {"--wait", "--wait-for-jobs"} & set(said)


def helm_that(tmp_path, script):
    program = tmp_path / "helm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    private = tmp_path / "private"
    private.mkdir()
    return Helm(program, tmp_path / "kubeconfig", private)


def test_values_are_in_a_file_for_its_owner_alone_and_gone_afterwards(tmp_path):
    script = (
        'while [ "$1" ]; do [ "$1" = --values ] && stat -c %a "$2" "$(dirname $2)" && cat "$2"; shift; done'
    )
    helm = helm_that(tmp_path, script)
    assert helm.run(["install"], values={"p": "s3cret"}) == "600\n700\np: s3cret\n"
    assert list(helm.private.iterdir()) == []


def test_a_repositorys_password_goes_by_standard_input(tmp_path):
    log = tmp_path / "log"
    helm = helm_that(tmp_path, f'echo "$@ in:$(cat)" >> {log}')
    options = {"repo": "https://charts.invalid", "username": "me", "password": "s3cret"}
    helm.run(["install", "x"], repository=options)
    first, second = log.read_text().splitlines()
    assert first.startswith("repo add chart-repository https://charts.invalid")
    assert first.endswith("--password-stdin in:s3cret")
    assert "s3cret" not in second
    assert list(helm.private.iterdir()) == []


def test_helms_refusal_is_told_without_its_warnings(tmp_path):
    helm = helm_that(tmp_path, 'echo "WARNING: x" >&2; echo "Error: no such chart" >&2; exit 1')
    with pytest.raises(HelmError) as refused:
        helm.run(["install"])
    assert str(refused.value) == "no such chart"


def test_a_release_tells_what_it_holds():
    manifest = yaml.safe_dump_all(
        [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}},
            None,
        ]
    )
    found = facts(
        {
            "name": "r",
            "namespace": "n",
            "version": 3,
            "info": {"status": "deployed"},
            "manifest": manifest,
            "chart": {"name": "c", "version": "1.0.0", "appVersion": ""},
        }
    )
    assert found["resourceNames"] == {"Deployment.apps/apps/v1": ["n/a"], "Service/v1": ["a", "b"]}
    assert (found["status"]["revision"], found["status"]["status"]) == (3, "deployed")
