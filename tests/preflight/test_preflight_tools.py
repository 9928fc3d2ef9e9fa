"""The programs on this machine, and the stack's secrets, before the first `up`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import SECRETS, Customers


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs, the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, told: str, status: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{told}\nEND\nexit {status}\n")
    (folder / name).chmod(0o755)


def path(folder: Path) -> str:
    return f"{folder}:/bin"


@pytest.mark.parametrize(
    ("check", "name", "good", "old"),
    [
        ("pulumi", "pulumi", "v3.272.0", "v3.100.0"),
        ("git", "git", "git version 2.47.3", "git version 2.25.1"),
        ("aws-cli", "aws", "aws-cli/2.31.0 Python/3.13.7 Linux/6.1", "aws-cli/2.9.1 Python/3.9.11"),
        ("aws-cli", "aws", "aws-cli/1.46.3 Python/3.11.7", "aws-cli/1.22.0 Python/3.8.0"),
    ],
)
def test_a_tool_is_there_new_enough_or_named_with_how_to_install_it(
    check: str, name: str, good: str, old: str, customers: Customers, programs: Path
) -> None:
    program(programs, "pulumi-language-python", "")
    program(programs, name, good)
    seen = customers.look("aww", check, PATH=path(programs))
    assert seen.level == "ok", seen.results
    program(programs, name, old)
    problem = customers.look("aww", check, PATH=path(programs)).problem
    assert problem["level"] == "error"
    assert "or newer is needed" in problem["found"]
    assert "install" in problem["mend"]
    program(programs, name, "broken", 1)
    assert "is not on PATH, or does not tell" in customers.look("aww", check, PATH=path(programs)).found


def test_an_engine_without_its_python_host_is_an_error(customers: Customers, programs: Path) -> None:
    program(programs, "pulumi", "v3.272.0")
    problem = customers.look("aww", "pulumi", PATH=path(programs)).problem
    assert problem["found"] == "pulumi-language-python is not on PATH"
    assert "language hosts" in problem["mend"]


def test_the_programs_virtualenv_has_to_hold_its_packages(customers: Customers) -> None:
    problem = customers.look("aww", "python").problem
    assert "there is no .venv/bin/python" in problem["found"]
    assert problem["mend"] == "run: make setup"
    folder = customers.folder / ".venv" / "bin"
    folder.mkdir(parents=True)
    program(folder, "python", "ModuleNotFoundError: No module named 'pulumi_aws'", 1)
    assert "cannot be imported" in customers.look("aww", "python").found
    program(folder, "python", "3.11.9")
    assert "Python 3.11.9 in .venv" in customers.look("aww", "python").found


def engine(folder: Path, answer: dict[str, str]) -> None:
    """Stand in for the engine: notes what it is asked, and opens the stack's secrets."""
    told = json.dumps(
        {f"xgen-infra:{key}": {"value": value, "secret": True} for key, value in answer.items()}
    )
    (folder / "answer.json").write_text(told)
    (folder / "pulumi").write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\ncat {folder}/answer.json\n')
    (folder / "pulumi").chmod(0o755)


def test_secrets_come_from_the_environment_else_from_the_stack_asked_once(
    customers: Customers, programs: Path
) -> None:
    names = ["registryPassword", "gitPassword", "postgresPassword", "redisPassword", "qdrantApiKey"]
    engine(programs, {name: f"stored-{name}" for name in names})
    unset: dict[str, str | None] = dict.fromkeys(SECRETS)
    seen = customers.look("aww", "secrets", **{**unset, "XGEN_REDIS_PASSWORD": "given"}, PATH=path(programs))
    assert seen.level == "ok", seen.results
    assert "xgen-infra:redisPassword is there, from XGEN_REDIS_PASSWORD" in seen.found
    assert "xgen-infra:postgresPassword is there, from the stack" in seen.found
    assert "stored-" not in str(seen)
    assert (programs / "asked").read_text().count("\n") == 1
    assert "config --show-secrets --json --stack aww" in (programs / "asked").read_text()


def test_a_secret_may_stand_in_a_file_that_a_variable_names(customers: Customers, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary-in-a-file\n")
    customers.edit("aww", "xgen-infra:gitPassword", "xgen-infra:gitSshKey")
    customers.edit("aww", "http://gitlab.aww.example/xgen", "ssh://git@gitlab.aww.example/xgen")
    customers.edit(
        "aww", "    cluster:\n", "      knownHosts: gitlab.aww.example ssh-ed25519 AAAA\n    cluster:\n"
    )
    seen = customers.look("aww", "secrets", XGEN_GIT_SSH_KEY_FILE=str(tmp_path / "key"))
    assert seen.level == "ok", seen.results
    assert "xgen-infra:gitSshKey is there, from XGEN_GIT_SSH_KEY_FILE" in seen.found
    assert "canary-in-a-file" not in str(seen)
    problem = customers.look("aww", "secrets", XGEN_GIT_SSH_KEY_FILE=str(tmp_path / "none")).problem
    assert "No such file" in problem["found"]


def test_secrets_that_are_missing_or_sealed_are_named_with_what_opens_them(
    customers: Customers, programs: Path
) -> None:
    unset: dict[str, str | None] = dict.fromkeys(SECRETS)
    engine(programs, {"registryPassword": " padded-canary "})
    seen = customers.look("aww", "secrets", **unset, PATH=path(programs))
    levels = [one["level"] for one in seen.results]
    assert levels.count("warning") == 1, "the padded one"
    assert levels.count("error") == 4
    assert "padded-canary" not in str(seen)
    program(programs, "pulumi", "error: incorrect passphrase", 255)
    problem = customers.look("aww", "secrets", **unset, PATH=path(programs)).problem
    assert "incorrect passphrase" in problem["found"]
    assert "PULUMI_CONFIG_PASSPHRASE" in problem["mend"]
    blocked = customers.look("aww", "postgres", **unset, PATH=path(programs)).problem
    assert blocked["level"] == "warning"
    assert "XGEN_POSTGRES_PASSWORD" in blocked["mend"]


@pytest.mark.e2e
def test_the_real_engine_opens_the_samples_by_their_passphrase(customers: Customers, tmp_path: Path) -> None:
    from xgen_infra.rehearsal.tools import Tool, ensure

    binary = ensure({Tool.PULUMI}, print)[Tool.PULUMI]
    (tmp_path / "state").mkdir()
    unset: dict[str, str | None] = dict.fromkeys(SECRETS)
    environment = {
        "PATH": f"{binary.parent}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "xgen-samples",
    }
    subprocess.run(
        [str(binary), "stack", "init", "aww", "--no-select", "--non-interactive"],
        cwd=customers.folder,
        env={**os.environ, **environment, "PULUMI_HOME": str(tmp_path / "pulumi")},
        check=True,
        capture_output=True,
    )
    seen = customers.look("aww", "secrets", **unset, **environment)
    assert seen.level == "ok", seen.results
    assert len(seen.results) == 5
    environment["PULUMI_CONFIG_PASSPHRASE"] = "another"
    problem = customers.look("aww", "secrets", **unset, **environment).problem
    assert "passphrase" in problem["found"]
