"""What a runbook says: the steps that apply, with this customer's names, refused where an output is missing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from aws.sites import merged

from xgen_infra.cli import VERBS, _imported
from xgen_infra.folder import vendor_in
from xgen_infra.runbook.diagram import svg
from xgen_infra.runbook.facts import RunbookError, facts_of
from xgen_infra.runbook.page import Entry, chapters
from xgen_infra.runbook.steps import THEMES
from xgen_infra.secrets_catalog import SECRET_OUTPUTS, SECRETS
from xgen_infra.site import Site, with_defaults

from .conftest import CHANGES
from .recording import HIDDEN, ROOT

Outputs = Callable[[str], dict[str, Any]]
EVERYWHERE = {
    "reach-the-cluster",
    "see-the-services",
    "a-service-is-not-well",
    "roll-back-a-release",
    "scale",
    "replace-a-password",
    "database-moved",
    "restore-a-document",
    "restore-a-database",
    "upgrade-kubernetes",
    "the-state-is-locked",
    "remove-the-customer",
}
EXPECTED = {
    "aww": EVERYWHERE
    | {
        "log-in-to-argo-cd",
        "rotate-the-documents-key",
        "replace-the-registry-password",
        "certificate-and-dns",
        "the-other-side-of-the-peering",
    },
    "lotteimall": EVERYWHERE | {"log-in-to-argo-cd", "replace-the-registry-password", "certificate-and-dns"},
    "public": EVERYWHERE
    | {"rotate-the-documents-key", "certificate-and-dns", "the-other-side-of-the-peering"},
    "elsewhere": EVERYWHERE | {"log-in-to-argo-cd", "replace-the-registry-password"},
}


def entries(outputs: dict[str, Any]) -> dict[str, Entry]:
    found = [entry for chapter in chapters(facts_of(outputs, "test")) for entry in chapter.entries]
    assert len({entry.step.id for entry in found}) == len(found)
    return {entry.step.id: entry for entry in found}


def texts(entry: Entry) -> list[str]:
    commands = [text for command in entry.commands for text in (command.text, command.why)]
    return [entry.title, entry.when, entry.expect, entry.check, entry.check_command, entry.caution, *commands]


def said(outputs: dict[str, Any]) -> str:
    """All that a runbook shows of its outputs, in one text."""
    return "\n".join(
        [
            *(text for entry in entries(outputs).values() for text in texts(entry)),
            svg(facts_of(outputs, "test")),
        ]
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_each_kind_of_installation_gets_the_steps_that_apply(name: str, outputs: Outputs) -> None:
    assert set(entries(outputs(name))) == EXPECTED[name]


@pytest.mark.parametrize("name", CHANGES)
def test_every_step_says_when_what_to_do_what_to_see_and_how_to_check(name: str, outputs: Outputs) -> None:
    for entry in entries(outputs(name)).values():
        assert entry.title
        assert entry.when
        assert entry.commands
        assert all(command.text and command.why for command in entry.commands)
        assert entry.expect
        assert entry.check
        assert entry.check_command


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_left_unfilled(name: str, outputs: Outputs) -> None:
    shown = said(outputs(name))
    assert not re.findall(r"\{\{|\{%|None|\[secret\]|undefined|Missing object|True|False", shown)
    assert "``" not in shown


def test_the_commands_act_on_this_customer_and_on_no_other(outputs: Outputs) -> None:
    aww, mart = said(outputs("aww")), said(outputs("lotteimall"))
    assert "lotteimall" not in aww
    assert "aww" not in mart
    for name, shown, context in (("aww", aww, "xgen-aww"), ("lotteimall", mart, "lotteimall")):
        calls = re.findall(r"kubectl (?!config|set env --local)[^\n]*", shown)
        commands = [call for call in calls if call.startswith("kubectl -")]
        assert len(commands) > 20
        assert all(call.startswith(f"kubectl --context {context} ") for call in commands), name


def test_a_foreign_management_account_is_told_what_its_owner_must_do(outputs: Outputs) -> None:
    foreign = entries(outputs("public"))["the-other-side-of-the-peering"]
    own = entries(outputs("aww"))["the-other-side-of-the-peering"]
    assert "Still to be done by hand: In account 210987654321" in foreign.expect
    assert "accept the peering connection" in foreign.expect
    assert "nothing is left to be done by hand" in own.expect


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    yield path


def attempt(outputs: dict[str, Any]) -> str | RunbookError:
    try:
        return said(outputs)
    except RunbookError as error:
        return error


def without(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    below = value
    for key in path[:-1]:
        below = below[key]
    del below[path[-1]]
    return value


@pytest.mark.parametrize("name", CHANGES)
def test_an_output_that_is_missing_is_refused_by_name_or_shown_nowhere(name: str, outputs: Outputs) -> None:
    whole = outputs(name)
    before, refused = said(whole), set[str]()
    for path in leaves(whole):
        if not path:
            continue
        after = attempt(without(outputs(name), path))
        if isinstance(after, RunbookError):
            refused.add(".".join(path))
        assert path[-1] in str(after) if isinstance(after, RunbookError) else after == before, (
            path,
            str(after),
        )
    assert {"clusterName", "bucket", "cluster", "hosts.postgres", "generations.secrets"} <= refused
    if name == "aww":
        assert {"cluster.region", "cluster.management", "cluster.peeringConnectionId"} <= refused


@pytest.mark.parametrize("value", ["text", 1, {"x": 1}, [{"a": 2}]], ids=str)
@pytest.mark.parametrize("name", ["aww", "lotteimall"])
def test_an_output_of_another_kind_is_written_or_refused_and_never_a_fault(
    name: str, value: Any, outputs: Outputs
) -> None:
    refused = set()
    for path in leaves(outputs(name)):
        if not path:
            continue
        changed = below = outputs(name)
        for key in path[:-1]:
            below = below[key]
        below[path[-1]] = value
        if isinstance(attempt(changed), RunbookError):
            refused.add(".".join(path))
    assert "generations" in refused


def test_every_step_that_lacks_an_output_is_named(outputs: Outputs) -> None:
    lacking = outputs("aww")
    del lacking["bucket"]
    del lacking["cluster"]["account"]
    with pytest.raises(RunbookError) as refusal:
        entries(lacking)
    lines = str(refusal.value).splitlines()
    assert "  reach-the-cluster: cluster.account" in lines
    assert "  restore-a-document: bucket" in lines
    assert "  remove-the-customer: bucket" in lines
    assert not any(line.startswith("  scale:") for line in lines)


def test_the_outputs_that_the_engine_keeps_secret_are_the_ones_that_are_never_shown(outputs: Outputs) -> None:
    for name in CHANGES:
        assert {key for key, value in outputs(name).items() if value == HIDDEN} == SECRET_OUTPUTS
        assert HIDDEN not in str(
            {key: value for key, value in outputs(name).items() if key not in SECRET_OUTPUTS}
        )


def test_a_secret_output_is_not_shown_even_where_it_is_given_in_clear(outputs: Outputs) -> None:
    given = outputs("aww") | {"kubeconfig": "canary-kubeconfig"}
    assert said(given) == said(outputs("aww"))


@pytest.mark.parametrize("name", CHANGES)
def test_shell_commands_are_right_shell(name: str, outputs: Outputs) -> None:
    found = entries(outputs(name)).values()
    shell = [command.text for entry in found for command in entry.commands if command.language == "sh"]
    for script in [*shell, *(entry.check_command for entry in found)]:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.stderr == "", script


@pytest.mark.parametrize("name", CHANGES)
def test_xgen_commands_name_verbs_and_options_that_exist(name: str, outputs: Outputs) -> None:
    calls = {
        tuple(call.split())
        for call in re.findall(r"(?m)(?:^|`|&& )xgen ([a-z-]+[^\n`&]*)", said(outputs(name)))
    }
    named = {call for call in calls if call[0] in VERBS}
    assert {call[0] for call in named} >= {"wait", "check", "destroy"}
    assert {call[0] for call in calls} <= VERBS.keys(), calls
    for verb, *words in named:
        known = {option for parameter in _imported(verb).params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", CHANGES)
def test_lines_for_the_customers_file_are_lines_that_it_takes(name: str, outputs: Outputs) -> None:
    stack, changes = CHANGES[name]
    raw = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]["xgen-infra:site"]
    given = merged(raw, changes)
    commands = [command for entry in entries(outputs(name)).values() for command in entry.commands]
    lines = [yaml.safe_load(command.text) for command in commands if command.language == "yaml"]
    assert len(lines) >= 3
    for line in lines:
        Site.model_validate(with_defaults(merged(given, line), stack, vendor_in(ROOT)))


@pytest.mark.parametrize("name", CHANGES)
def test_configuration_keys_that_are_set_exist(name: str, outputs: Outputs) -> None:
    keys = set(re.findall(r"xgen-infra:(\w+) --stack", said(outputs(name))))
    assert keys
    assert keys <= {secret.key for secret in SECRETS}


def test_an_id_is_the_same_task_at_every_installation() -> None:
    for theme in THEMES:
        assert re.fullmatch(r"[a-z-]+", theme.id)
        for step in theme.steps:
            assert re.fullmatch(r"[a-z-]+", step.id)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "expected one JSON object"),
        ({}, "the stack has no outputs"),
        ({"url": "https://example.com"}, "this is not a stack of xgen-infra"),
    ],
)
def test_what_is_no_output_of_this_program_is_refused(given: Any, told: str) -> None:
    with pytest.raises(RunbookError, match=told):
        facts_of(given, "standard input")
