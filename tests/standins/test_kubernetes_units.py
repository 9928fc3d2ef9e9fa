"""The parts of the kubernetes stand-in that need no cluster."""

from __future__ import annotations

import base64
import json
import os
import stat

import pytest
import yaml

from xgen_infra.rehearsal.standins.contract import UNKNOWN
from xgen_infra.rehearsal.standins.kubernetes import kinds, managers, manifests, marks
from xgen_infra.rehearsal.standins.kubernetes.cluster import Clusters, Options
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import KubeconfigError, of, replaced_by


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
