"""Charts, values and Helm's words of the kubernetes stand-in, without a cluster."""

from __future__ import annotations

import json
import tarfile

import pytest
import yaml

from xgen_infra.engine.special import SIGNATURE
from xgen_infra.rehearsal.standins.kubernetes import charts, words
from xgen_infra.rehearsal.standins.kubernetes.charts import ChartError, Charts, Source
from xgen_infra.rehearsal.standins.kubernetes.facts import facts
from xgen_infra.rehearsal.standins.kubernetes.helm import Helm, HelmError
from xgen_infra.rehearsal.standins.kubernetes.values import ASSET, ValuesError, values_of


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
