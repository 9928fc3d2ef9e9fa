"""The auditing programs, in an environment of their own: their pins contradict the program's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from xgen_infra.rehearsal import python_tools

_REPORTS: dict[str, str] = {}
"""What checkov said, by the plan: an audit asks for some plans twice."""


def environment() -> Path:
    """Return the folder with checkov and parliament, made on first use (half a minute, 300 MB)."""
    return python_tools.environment("audit")


def checkov(plan: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return checkov's report on a Terraform plan; it asks nobody on the network."""
    text = json.dumps(plan)
    if text not in _REPORTS:
        _REPORTS[text] = _checked(text, folder)
    report: dict[str, Any] = json.loads(_REPORTS[text])
    return report


def _checked(plan: str, folder: Path) -> str:
    file = folder / "plan.json"
    file.write_text(plan)
    command = [str(environment() / "checkov"), "--file", file.name, "--framework", "terraform_plan"]
    options = ["--skip-download", "--quiet", "--compact", "--output", "json"]
    done = subprocess.run(
        [*command, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.lstrip().startswith("{"), done.stderr[-2000:]
    return done.stdout


@cache
def parliament(document: str) -> tuple[tuple[str, str], ...]:
    """Return parliament's findings on one IAM document, as (issue, detail).

    It wants a Resource in every statement; what a trust or repository policy leaves out, its own resource, is put
    in as "*". The document goes by standard input, for --file wants a terminal.
    """
    whole = json.loads(document)
    whole["Statement"] = [{"Resource": "*", **statement} for statement in whole["Statement"]]
    done = subprocess.run(
        [str(environment() / "parliament"), "--json"],
        input=json.dumps(whole),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == (not done.stdout.strip()), done.stderr[-2000:]
    findings = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    return tuple((found["issue"], str(found["detail"] or found["title"])) for found in findings)
