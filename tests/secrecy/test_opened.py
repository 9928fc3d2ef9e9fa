"""The log of a bug holds none of the secrets that the process knew, however the traceback quotes them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xgen_infra.authoring.credentials import read_secret
from xgen_infra.cli import log_of
from xgen_infra.engine import Engine
from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.mirror.credentials import Credential as Git
from xgen_infra.registry import Credential as Registry
from xgen_infra.rehearsal.canary import canary
from xgen_infra.secrecy import Search, opened, redact
from xgen_infra.secrecy.search import SHORTEST, encodings


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What other tests opened is not known here, and logs go to this test's folder."""
    monkeypatch.setattr(opened, "_VALUES", set())
    monkeypatch.setattr(opened, "_ANSWERS", {})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def logged(text: str) -> str:
    """Return the log of a bug whose exception, and the one that led to it, say a text."""
    try:
        try:
            raise ValueError(text)  # noqa: TRY301
        except ValueError as error:
            raise RuntimeError(f"could not take {text!r}") from error
    except RuntimeError as error:
        return log_of(error).read_text()


def quoted(value: str) -> str:
    """A secret as exceptions quote it: bare, assigned, in JSON, folded, and in every other way that is searched for."""
    ways = [needle.decode() for needle in encodings(value).values()]
    encoded = [b64encode(f"{'-' * before}{value}".encode()).decode() for before in range(3)]
    folded = f"{value[: len(value) // 2]}\n    {value[len(value) // 2 :]}"
    return "\n".join(
        [f"refused {value}", f"password={value}", json.dumps({"a": value}), folded, *ways, *encoded]
    )


def engine_that_says(answer: object, folder: Path) -> Engine:
    binary = folder / "pulumi"
    binary.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    binary.chmod(0o700)
    return Engine(folder, binary)


def by_configuration(value: str, folder: Path) -> None:
    engine = engine_that_says({"xgen-infra:redisPassword": {"value": value, "secret": True}}, folder)
    engine.run("config", "--show-secrets", "--json", "--stack", "aww")


def by_state(value: str, folder: Path) -> None:
    sealed = {SIGNATURE: SECRET, "plaintext": json.dumps(value)}
    state = {"deployment": {"resources": [{"urn": "urn:a::b::c::key", "outputs": {"secret": sealed}}]}}
    engine_that_says(state, folder).run("stack", "export", "--show-secrets", "--stack", "aww")


def by_outputs(value: str, folder: Path) -> None:
    kubeconfig = {"kind": "Config", "users": [{"user": {"token": value}}]}
    engine_that_says({"kubeconfig": json.dumps(kubeconfig)}, folder).outputs("aww", show_secrets=True)


def by_file(value: str, folder: Path) -> None:
    (folder / "secret").write_text(f"{value}\n")
    read_secret(folder / "secret")


def by_input(value: str, folder: Path) -> None:
    engine_that_says({}, folder).run("config", "set", "--secret", "key", given=f"{value}\n")


WAYS: dict[str, Callable[[str, Path], object]] = {
    "the stack's configuration": by_configuration,
    "the stack's state": by_state,
    "the stack's outputs": by_outputs,
    "a file": by_file,
    "the engine's input": by_input,
    "a registry's credential": lambda value, _: Registry("pull", value),
    "a password for Git": lambda value, _: Git("x", value),
    "a key for Git": lambda value, _: Git(ssh_key=value),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_that_was_opened_is_not_in_the_log_of_a_bug(way: str, tmp_path: Path) -> None:
    value = canary()
    search = Search({"the canary": value})
    assert search.in_text("log", logged(quoted(value))), "nobody opened it yet"
    WAYS[way](value, tmp_path)
    log = logged(quoted(value))
    assert search.in_text("log", log) == []
    assert "RuntimeError: could not take" in log


@pytest.mark.parametrize("name", ["XGEN_GIT_PASSWORD", "GITLAB_TOKEN", "PULUMI_CONFIG_PASSPHRASE"])
def test_a_secret_of_the_environment_is_not_in_the_log_of_a_bug(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = canary()
    monkeypatch.setenv(name, value)
    assert Search({"the canary": value}).in_text("log", logged(quoted(value))) == []


def test_a_secret_that_nobody_opened_is_hidden_by_its_shape_alone() -> None:
    """docs/secrets.md says so."""
    log = logged("password=never-opened-1 and bare never-opened-2")
    assert "never-opened-1" not in log
    assert "never-opened-2" in log


@pytest.mark.parametrize("answer", ["[]", '{"a": 1}', '{"deployment": {"resources": [1]}}', "no JSON", ""])
def test_an_answer_of_another_form_is_passed_over(answer: str) -> None:
    opened.answered(("stack", "export", "--show-secrets"), answer)
    opened.answered(("config", "--show-secrets"), answer)
    assert "RuntimeError: could not take" in logged("boom")


TEXT = st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="<>|[]")


@given(st.text(TEXT, min_size=SHORTEST), st.text(TEXT, max_size=9))
def test_a_secret_goes_and_what_is_around_it_stays(value: str, around: str) -> None:
    assume("".join(value.split()) not in redact.HIDDEN)
    shown = redact.values(f"<{around}|{value}|{around}>", [value])
    assert Search({"it": value}).in_text("text", shown) == []
    assert shown.startswith("<")
    assert shown.endswith(">")
