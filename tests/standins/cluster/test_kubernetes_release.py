"""Helm releases of the kubernetes stand-in, by the real Helm on a real API server."""

from __future__ import annotations

import json
import subprocess
import threading
import time

import grpc
import psutil
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from standins.kubernetes_cases import RELEASES, merged
from standins.provider_client import initialization_failure, plain
from xgen_infra.rehearsal.standins import journal
from xgen_infra.rehearsal.standins.contract import UNKNOWN
from xgen_infra.rehearsal.standins.kubernetes.charts import SUBSTITUTES
from xgen_infra.rehearsal.standins.kubernetes.release import TOKEN
from xgen_infra.rehearsal.tools import Tool

from .bench import TEMPLATE, bench_of, opened, state

pytestmark = pytest.mark.e2e
URN = f"urn:pulumi:stack::project::{TOKEN}::it"
NOTHING = provider_pb2.DiffResponse.DIFF_NONE
SLOW = """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-slow}
spec: {containers: [{name: c, image: x, resources: {requests: {cpu: {{ .Values.cpu | quote }}}}}]}
"""

HOOK = """
{{ if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-hook, annotations: {helm.sh/hook: pre-upgrade}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: x, resources: {requests: {cpu: "900"}}}]
{{ end }}
"""


def release(name="rel", **inputs):
    values = {"colour": "red", "password": "s3cret"}
    return {"chart": "./tiny", "name": name, "values": values, **inputs}


def config_map(api, bench, name="rel"):
    return api.get(f"/api/v1/namespaces/{bench.namespace}/configmaps/{name}")["data"]


@pytest.fixture
def helm(binaries, plane, bench):
    def run(*words):
        where = ["--kubeconfig", str(plane.kubeconfig), "--namespace", bench.namespace]
        command = [str(binaries[Tool.HELM]), *words, *where]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return run


@pytest.mark.usefixtures("chart")
@pytest.mark.parametrize("token", RELEASES)
def test_a_release_is_what_helm_has_until_it_is_deleted(bench, helm, token):
    case = RELEASES[token]
    made = bench.make(token, case.inputs)
    name = case.inputs["name"]
    assert json.loads(helm("get", "values", name, "--output", "json")) == case.inputs["values"]
    before = opened(made.inputs)
    made.refresh()
    assert opened(made.inputs) == before
    changed = merged(case.inputs, case.change)
    assert not list(made.diff(changed).replaces)
    made.update(changed)
    assert json.loads(helm("get", "values", name, "--output", "json")) == changed["values"]
    assert json.loads(helm("status", name, "--output", "json"))["version"] == 2
    assert made.diff(changed).changes == NOTHING
    made.delete()
    assert json.loads(helm("list", "--all", "--output", "json")) == []
    made.delete()


def test_a_release_is_installed_and_tells_what_it_is(bench, chart, api):
    made = bench.make(TOKEN, release())
    assert made.id == f"{bench.namespace}/rel"
    status = made.outputs["status"]
    assert (status["status"], status["revision"], status["chart"], status["version"]) == (
        "deployed",
        1,
        "tiny",
        "0.1.0",
    )
    assert made.outputs["resourceNames"] == {"ConfigMap/v1": ["rel"], "Secret/v1": ["rel"]}
    assert config_map(api, bench) == {"colour": "red", "size": "small"}
    assert made.diff(release()).changes == NOTHING


def test_a_release_without_a_name_gets_one_and_keeps_it(bench, chart):
    inputs = release()
    del inputs["name"]
    made = bench.make(TOKEN, inputs, name="app")
    assert made.outputs["name"].startswith("app-")
    assert made.check(inputs)["name"] == made.outputs["name"]


def test_a_change_of_values_upgrades(bench, chart, api):
    made = bench.make(TOKEN, release())
    other = release(values={"colour": "blue"})
    assert dict(made.diff(other).detailedDiff).keys() == {"values.colour", "values.password"}
    assert made.update(other)["status"]["revision"] == 2
    assert config_map(api, bench)["colour"] == "blue"
    assert made.diff(other).changes == NOTHING


def test_a_null_takes_a_default_away(bench, chart, api):
    made = bench.make(TOKEN, release(values={"colour": "red", "size": None}))
    assert config_map(api, bench)["size"] == ""
    assert made.diff(release(values={"colour": "red", "size": None})).changes == NOTHING


def test_a_chart_upgrades_by_its_version_and_not_by_its_files_alone(bench, chart, api):
    made = bench.make(TOKEN, release())
    (chart / "templates" / "all.yaml").write_text(TEMPLATE.replace("size:", "extent:", 1))
    assert made.diff(release()).changes == NOTHING
    state(chart, "0.2.0")
    assert dict(made.diff(release()).detailedDiff).keys() == {"version"}
    assert made.update(release())["status"]["version"] == "0.2.0"
    assert "extent" in config_map(api, bench)


def test_another_name_or_namespace_replaces(bench, chart):
    made = bench.make(TOKEN, release())
    assert list(made.diff(release("other")).replaces) == ["name"]
    assert list(made.diff(release(namespace="other")).replaces) == ["namespace"]
    assert not made.diff(release("other")).deleteBeforeReplace


def test_an_upgrade_by_somebody_else_is_seen_by_a_refresh_and_mended(bench, chart, api, helm):
    made = bench.make(TOKEN, release())
    helm("upgrade", "rel", str(chart), "--set", "colour=green", "--reuse-values")
    made.refresh()
    assert made.outputs["status"]["revision"] == 2
    assert dict(made.diff(release()).detailedDiff).keys() == {"values.colour"}
    made.update(release())
    assert config_map(api, bench)["colour"] == "red"


def test_a_release_that_is_gone_reads_as_gone_and_deletes_without_a_word(bench, chart, helm):
    made = bench.make(TOKEN, release())
    helm("uninstall", "rel")
    made.delete()
    made.refresh()
    assert made.id == ""


def test_a_deleted_release_leaves_nothing(bench, chart, helm):
    bench.make(TOKEN, release()).delete()
    assert json.loads(helm("list", "--all", "--output", "json")) == []


def test_a_name_that_is_in_use_is_refused_and_may_be_imported(bench, chart, helm):
    helm("install", "rel", str(chart), "--set", "colour=green")
    with pytest.raises(grpc.RpcError, match="Import it"):
        bench.make(TOKEN, release())
    read = bench.client().read(f"{bench.namespace}/rel", {}, {}, urn=URN)
    inputs = plain(read.inputs)
    assert inputs["chart"] == "./tiny"
    assert inputs["values"] == {"colour": "green"}
    assert inputs["version"] == "0.1.0"


@pytest.fixture
def slow(chart):
    (chart / "templates" / "slow.yaml").write_text(SLOW)
    return chart


GREEDY = {"colour": "red", "cpu": "900"}


def test_an_installation_that_is_not_ready_in_time_is_kept_and_upgraded_by_the_next_run(bench, slow, api):
    with pytest.raises(grpc.RpcError) as partial:
        bench.make(TOKEN, release(values=GREEDY, timeout=2))
    detail = initialization_failure(partial.value)
    assert detail.id == f"{bench.namespace}/rel"
    assert plain(detail.properties)["status"]["status"] == "failed"
    inputs = {**release(), "namespace": bench.namespace, "version": "0.1.0", "timeout": 60}
    api.delete(f"/api/v1/namespaces/{bench.namespace}/pods/rel-slow")
    answer = bench.client().update(detail.id, inputs, inputs, urn=URN, outputs=plain(detail.properties))
    assert plain(answer.properties)["status"]["status"] == "deployed"


def test_an_atomic_installation_that_fails_leaves_nothing(bench, slow, helm):
    with pytest.raises(grpc.RpcError) as refused:
        bench.make(TOKEN, release(values=GREEDY, timeout=2, atomic=True))
    assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata())
    assert json.loads(helm("list", "--all", "--output", "json")) == []


def test_skipping_the_wait_does_not_wait(bench, slow):
    started = time.monotonic()
    bench.make(TOKEN, release(values=GREEDY, skipAwait=True))
    assert time.monotonic() - started < 60, "the pod fits no node: who waits for it waits for 300 s"


def test_a_release_left_pending_is_refused_with_the_way_out(bench, chart, binaries, plane, helm):
    (chart / "templates" / "hook.yaml").write_text(HOOK)
    made = bench.make(TOKEN, release())
    words = ["upgrade", "rel", str(chart), "--set", "hook=true"]
    where = ["--kubeconfig", str(plane.kubeconfig), "--namespace", bench.namespace]
    with subprocess.Popen([str(binaries[Tool.HELM]), *words, *where]) as interrupted:
        while "pending-upgrade" not in helm("list", "--all", "--output", "json"):
            time.sleep(0.05)
        interrupted.kill()
    with pytest.raises(grpc.RpcError) as refused:
        made.update(release(values={"colour": "blue"}))
    assert "another operation" in refused.value.details()
    assert "helm rollback" in refused.value.details()
    helm("rollback", "rel", "1")
    assert made.update(release(values={"colour": "blue"}))["status"]["status"] == "deployed"


def test_a_run_that_is_cancelled_interrupts_helm(bench, slow, helm):
    client = bench.client()
    inputs = plain(client.check(release(values=GREEDY), urn=URN).inputs)

    def cancel():
        while "pending-install" not in helm("list", "--all", "--output", "json"):
            time.sleep(0.05)
        client.stub.Cancel(empty_pb2.Empty())

    threading.Thread(target=cancel).start()
    with pytest.raises(grpc.RpcError) as interrupted:
        client.create(inputs, urn=URN)
    assert plain(initialization_failure(interrupted.value).properties)["status"]["status"] == "failed"


def test_no_secret_is_among_any_process_arguments_and_no_file_is_left(bench, slow):
    seen, done = [], threading.Event()

    def watch():
        while not done.is_set():
            for process in psutil.process_iter(["cmdline"]):
                seen.extend(process.info["cmdline"] or [])

    watching = threading.Thread(target=watch)
    watching.start()
    bench.make(TOKEN, release())
    done.set()
    watching.join()
    assert any(word == "install" for word in seen)
    assert not any("s3cret" in word for word in seen)
    private = bench.folder / "private"
    assert not [file for file in private.rglob("*") if file.is_file() and b"s3cret" in file.read_bytes()]


def test_what_helm_refuses_is_told_in_its_words(bench, chart):
    (chart / "templates" / "all.yaml").write_text('{{ fail "no colour was chosen" }}')
    with pytest.raises(grpc.RpcError, match="no colour was chosen"):
        bench.make(TOKEN, release())


def test_a_chart_that_is_not_there_is_refused_by_check(bench):
    (found,) = bench.client().check(release(), urn=URN).failures
    assert found.property == "chart"
    assert "./tiny" in found.reason


def test_a_preview_knows_the_inputs_and_not_the_status(bench, chart):
    inputs = {**release(values={"colour": UNKNOWN}), "namespace": bench.namespace}
    assert not bench.client().check(inputs, urn=URN).failures
    shown = plain(bench.client().create(inputs, urn=URN, preview=True).properties)
    assert shown["values"] == {"colour": UNKNOWN}
    assert "status" not in shown


def test_a_substitute_stands_in_for_an_unreachable_chart_and_the_journal_says_so(
    bench, chart, plane, binaries, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("substitutes")
    (folder / "table.json").write_text(json.dumps({"https://charts.invalid|big|2.0": str(chart)}))
    monkeypatch.setenv(SUBSTITUTES, str(folder / "table.json"))
    inputs = release(chart="big", version="2.0", repositoryOpts={"repo": "https://charts.invalid"})
    with bench_of(plane.kubeconfig, binaries[Tool.HELM], folder, bench.namespace) as other:
        made = other.make(TOKEN, inputs)
        assert made.diff(inputs).changes == NOTHING
    created = next(entry for entry in journal.read(folder) if entry["method"] == "Create")
    assert created["simulated"] == "chart big 2.0"


def test_an_unreachable_cluster_is_told_at_once(bench, chart):
    content = yaml.safe_load(bench.config["kubeconfig"])
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    client = bench.client(kubeconfig=yaml.safe_dump(content))
    inputs = {**release(), "namespace": "n"}
    assert plain(client.create(inputs, urn=URN, preview=True).properties)["name"] == "rel"
    for act in (
        lambda: client.create(inputs, urn=URN),
        lambda: client.delete("n/rel", URN, inputs),
        lambda: client.read("n/rel", inputs, inputs, urn=URN),
    ):
        with pytest.raises(grpc.RpcError, match="unreachable"):
            act()
