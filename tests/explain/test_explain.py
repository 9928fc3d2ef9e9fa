"""`xgen explain` by use: the way of a value, forwards and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("helm")


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xgen_infra.cli", "explain", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def line_of(text: str) -> int:
    lines = (ROOT / "Pulumi.aww.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_value_is_followed_from_its_line_to_the_env_file() -> None:
    told = explain("aww", "xgen-documents", "MINIO_ENDPOINT")
    assert told.returncode == 0, told.stderr
    assert f"Pulumi.aww.yaml:{line_of('region: ap-northeast-2')}:" in told.stdout
    for stop in ("outputs.env.MINIO_ENDPOINT", "xgen-documents-env", "/app/.env: MINIO_ENDPOINT=https://s3."):
        assert stop in told.stdout


def test_a_secret_is_shown_by_where_it_comes_from_and_never_by_value() -> None:
    told = explain("aww", "xgen-core", "POSTGRES_PASSWORD")
    assert told.returncode == 0, told.stderr
    assert "postgresPassword" in told.stdout
    assert "xgen-secrets" in told.stdout
    text = (ROOT / "Pulumi.aww.yaml").read_text()
    sealed = text.split("xgen-infra:postgresPassword:\n    secure: ")[1].split()[0]
    assert sealed not in told.stdout


def test_a_line_is_followed_to_everything_that_it_reaches() -> None:
    told = explain("aww", "--from", "infra.postgres.host")
    assert told.returncode == 0, told.stderr
    assert f"Pulumi.aww.yaml:{line_of('postgres: {host')}:" in told.stdout
    for reached in ("ConfigMap", "Deployment", "NetworkPolicy"):
        assert reached in told.stdout
    assert "POSTGRES_HOST" in told.stdout
    assert "REDIS_HOST" not in told.stdout


def test_a_variable_that_no_service_has_is_refused_in_a_sentence() -> None:
    told = explain("aww", "xgen-core", "NO_SUCH_VARIABLE")
    assert told.returncode != 0
    assert "NO_SUCH_VARIABLE" in told.stderr
    assert "Traceback" not in told.stderr
