"""The values' models, the chart's schema and defaults, and what both refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from pydantic import ValidationError

from xgen_infra.delivery import schema
from xgen_infra.delivery.values import ServiceValues

if TYPE_CHECKING:
    from .conftest import Chart

Minimal = Callable[..., dict[str, Any]]
FULL = schema.CHART / "ci" / "full-values.yaml"
SAMPLES = sorted((schema.CHART / "ci").glob("*-values.yaml"))


def test_the_schema_in_the_chart_is_what_the_models_say() -> None:
    assert schema.SCHEMA.read_text(encoding="utf-8") == schema.text(), (
        "run python -m xgen_infra.delivery.schema"
    )


def test_the_charts_defaults_are_the_models_defaults(minimal: Minimal) -> None:
    ours = ServiceValues.model_validate(minimal()).to_values()
    charts = yaml.safe_load((schema.CHART / "values.yaml").read_text())
    for required in ("name", "site", "resources"):
        ours.pop(required)
    for required in ("host", "site"):
        ours["global"]["registry"].pop(required)
    assert charts == ours


def test_a_file_of_the_models_renders_as_the_short_file_that_says_the_same(chart: Chart) -> None:
    short = yaml.safe_load(FULL.read_text())
    whole = ServiceValues.model_validate(short).to_values()
    assert len(str(whole)) > len(str(short))
    rendered = chart.template(whole)
    assert rendered.returncode == 0, rendered.stderr
    assert rendered.stdout == chart.template(short).stdout


def test_outputs_and_secrets_may_come_in_a_second_file(chart: Chart) -> None:
    whole = yaml.safe_load(FULL.read_text())
    later = {key: whole[key] for key in ("imagePullSecrets", "secretEnv", "generations", "outputs")}
    first = {key: value for key, value in whole.items() if key not in later}
    rendered = chart.template(first, later)
    assert rendered.returncode == 0, rendered.stderr
    assert rendered.stdout == chart.template(whole).stdout


def test_the_values_are_the_same_in_whatever_order_they_were_given(minimal: Minimal) -> None:
    one = ServiceValues.model_validate(minimal(env={"A": "1", "B": "2"}, generations={"a": 1, "b": 2}))
    other = ServiceValues.model_validate(minimal(generations={"b": 2, "a": 1}, env={"B": "2", "A": "1"}))
    assert yaml.safe_dump(one.to_values(), sort_keys=False) == yaml.safe_dump(
        other.to_values(), sort_keys=False
    )
    assert "null" not in yaml.safe_dump(one.to_values())
    assert ServiceValues.model_validate(one.to_values()) == one


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_helm_lint_is_content_with_the_chart(helm: Path, sample: Path) -> None:
    command = [str(helm), "lint", "--strict", str(schema.CHART), "--values", str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("version", ["1.30", "1.34", "1.37"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_object_is_valid_for_every_kubernetes_we_meet(chart: Chart, sample: Path, version: str) -> None:
    values = yaml.safe_load(sample.read_text())
    for ingress in ({}, {"ingress": {"enabled": True, "className": "alb"}}):
        for item in yaml.safe_load_all(chart.template(values, ingress).stdout):
            kubernetes_validate.validate(item, version, strict=True)


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"env": {"A": "1"}, "outputs": {"env": {"A": "1"}}}, "A: in both env and outputs.env"),
    ({"env": {"A": "1"}, "secretEnv": {"A": {"secret": "s", "key": "A"}}}, "A: in both env and secretEnv"),
    (
        {"outputs": {"env": {"A": "1"}}, "secretEnv": {"A": {"secret": "s", "key": "A"}}},
        "A: in both outputs.env and secretEnv",
    ),
    (
        {"preStopSleepSeconds": 45},
        "terminationGracePeriodSeconds 45 leaves no time after preStopSleepSeconds 45",
    ),
    ({"dotenv": {"enabled": True}}, "enabled, but keys names no variable"),
    (
        {"env": {"A": "one\ntwo"}, "dotenv": {"enabled": True, "keys": ["A"]}},
        "A: a value with a line break or '${' cannot go into /app/.env",
    ),
    (
        {"outputs": {"env": {"A": "${B}"}}, "dotenv": {"enabled": True, "keys": ["A"]}},
        "A: a value with a line break or '${' cannot go into /app/.env",
    ),
]


@pytest.mark.parametrize(("values", "message"), CONTRADICTIONS)
def test_values_that_contradict_each_other_are_refused_by_model_and_chart(
    chart: Chart, minimal: Minimal, values: dict[str, Any], message: str
) -> None:
    assert message in chart.refusal(**values)
    with pytest.raises(ValidationError) as refused:
        ServiceValues.model_validate(minimal(**values))
    assert message in str(refused.value)


WRONG: list[dict[str, Any]] = [
    {"unknown": 1},
    {"image": {"pullPolicy": "Never"}},
    {"name": "Xgen_Core"},
    {"env": {"PORT": 8000}},
    {"env": {"NOT-A-NAME": "1"}},
    {"secretEnv": {"A": "plain"}},
    {"generations": {"xgen-secrets": 0}},
    {"generations": {"xgen-secrets": "1"}},
    {"image": {"digest": "sha256:short"}},
    {"image": {"repository": "https://registry.example/a"}},
    {"resources": {"requests": {"cpu": "half"}}},
    {"resources": {"limits": {"gpu": "1"}}},
    {"service": {"port": 70000}},
    {"autoscaling": {"enabled": "yes"}},
    {"autoscaling": {"targetCPUUtilizationPercentage": 0}},
    {"probes": {"readiness": {"path": "/", "tcp": True}}},
    {"probes": {"readiness": {"periodSeconds": 3}}},
    {"probes": {"readiness": {"path": "health"}}},
    {"ingress": {"className": "nginx"}},
    {"networkPolicy": {"ingress": {"fromCidrs": ["10.0.0.1"]}}},
    {"networkPolicy": {"egress": {"services": [{"name": "xgen-core"}]}}},
    {"rollout": {"maxSurge": "lots"}},
    {"labels": {"a b": "c"}},
    {"global": {"registry": {"host": "http://registry.example"}}},
]


@pytest.mark.parametrize("values", WRONG, ids=str)
def test_a_wrong_value_is_refused_by_model_and_chart(
    chart: Chart, minimal: Minimal, values: dict[str, Any]
) -> None:
    assert "don't meet the specifications of the schema" in chart.refusal(**values)
    with pytest.raises(ValidationError):
        ServiceValues.model_validate(minimal(**values))


@pytest.mark.parametrize("missing", ["name", "site", "global", "resources"])
def test_what_has_no_default_is_asked_for_by_name(chart: Chart, minimal: Minimal, missing: str) -> None:
    values = {key: value for key, value in minimal().items() if key != missing}
    done = chart.template(values)
    assert done.returncode != 0
    assert "missing propert" in done.stderr
    with pytest.raises(ValidationError, match=missing):
        ServiceValues.model_validate(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}, "minReplicas 3 is above maxReplicas 2"),
        ({"podSecurity": {"runAsUser": 0}}, "runAsUser 0 is root"),
        ({"rollout": {"maxUnavailable": 0, "maxSurge": "0%"}}, "nothing could be replaced"),
        ({"labels": {"app.kubernetes.io/name": "x"}}, "labels under app.kubernetes.io/ are the chart's own"),
    ],
)
def test_what_kubernetes_would_refuse_later_the_models_refuse_now(
    minimal: Minimal, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        ServiceValues.model_validate(minimal(**values))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "emptied", ["env", "outputs", "secretEnv", "generations", "labels", "podAnnotations"]
)
def test_a_map_that_is_left_empty_is_as_good_as_absent(chart: Chart, emptied: str) -> None:
    assert chart.render(**{emptied: None}) == chart.render()


def test_a_service_without_the_file_takes_what_the_file_could_not_carry(chart: Chart) -> None:
    hard = {"A": "one\ntwo ${B}\r"}
    assert chart.render(env=hard).one("ConfigMap")["data"] == hard


def test_a_value_that_reads_like_a_number_stays_text(chart: Chart) -> None:
    objects = chart.render(
        name="123",
        site="1e3",
        labels={"a": "true"},
        generations={"0x1f": 1},
        secretEnv={"A": {"secret": "456", "key": "7"}},
        imagePullSecrets=["8"],
        networkPolicy={"ingress": {"fromServices": ["9"]}, "egress": {"namespaces": [{"name": "10"}]}},
    )
    for item in objects.all:
        kubernetes_validate.validate(item, "1.37", strict=True)
    assert objects.pod["metadata"]["labels"]["xgen/site"] == "1e3"
    assert objects.pod["metadata"]["annotations"]["generation/0x1f"] == "1"
