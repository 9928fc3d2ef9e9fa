"""The programs that `up` calls on this machine, and the stack's own secrets."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra.preflight.check import Result, fine, refuse, warn
from xgen_infra.preflight.scene import Scene
from xgen_infra.preflight.secrets import UnreadableError
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.stackfile import PROJECT_FILE
from xgen_infra.yamlfile import Document

_SECONDS = 20
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
Version = tuple[int, int, int]


@dataclass(frozen=True)
class Tool:
    """A program on PATH: how it tells its version, the oldest one that will do, and why that."""

    name: str
    command: tuple[str, ...]
    oldest: Version
    why: str
    install: str


PULUMI = Tool(
    "pulumi",
    ("pulumi", "version"),
    (3, 259, 0),
    "the program's SDK and its tests use that version's engine",
    "install Pulumi with its language hosts (Pulumi documentation, Download & install)",
)
GIT = Tool(
    "git",
    ("git", "--version"),
    (2, 31, 0),
    "older ones take no settings from the environment, by which the mirror hands over the credential",
    "install git with the system's package manager",
)
AWS = Tool(
    "aws",
    ("aws", "--version"),
    (1, 27, 160),
    "EKS' kubeconfig calls `aws eks get-token`",
    "install the AWS CLI (AWS documentation, Installing or updating to the latest version of the AWS CLI)",
)
_AWS_2 = (2, 12, 3)
"""Amazon EKS User Guide, "Connect kubectl to an EKS cluster": 2.12.3, or 1.27.160 of the first major."""


def pulumi(_: Scene) -> Iterator[Result]:
    """Look at the engine, and at the host of programs in Python beside it."""
    found = _found(PULUMI)
    yield _judged(PULUMI, found, PULUMI.oldest)
    if found is not None:
        if shutil.which("pulumi-language-python"):
            yield fine("pulumi-language-python is there")
        else:
            yield refuse("pulumi-language-python is not on PATH", PULUMI.install)


def git(_: Scene) -> Iterator[Result]:
    """Look at git."""
    yield _judged(GIT, _found(GIT), GIT.oldest)


def aws(_: Scene) -> Iterator[Result]:
    """Look at the AWS CLI."""
    found = _found(AWS)
    yield _judged(AWS, found, AWS.oldest if found is None or found[0] == 1 else _AWS_2)


def python(scene: Scene) -> Iterator[Result]:
    """Look at the interpreter in which the engine runs the program: that of Pulumi.yaml's virtualenv."""
    options = _runtime(scene.folder)
    name = str(options.get("virtualenv") or "")
    interpreter = scene.folder / name / "bin" / "python"
    if not name:
        yield fine(f"Python {platform.python_version()} here; {PROJECT_FILE} names no virtualenv")
        return
    if not interpreter.exists():
        yield refuse(f"{PROJECT_FILE} names the virtualenv {name}, and there is no {name}/bin/python")
        return
    script = "import platform, pulumi_aws, pulumi_eks, pulumi_kubernetes, xgen_infra; print(platform.python_version())"
    done = _run((str(interpreter), "-c", script), scene.folder)
    if done is None or done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1] if done else "no answer"
        yield refuse(f"the program's packages cannot be imported by {name}/bin/python ({last})")
    else:
        yield fine(f"Python {done.stdout.strip()} in {name}, with the program's packages")


def secrets(scene: Scene) -> Iterator[Result]:
    """Look whether every secret that the site needs can be read."""
    unreadable: dict[str, list[str]] = {}
    for secret in SECRETS:
        if not secret.needed_when(scene.site):
            continue
        try:
            text = scene.secrets.read(secret.key)
        except UnreadableError as error:
            unreadable.setdefault(str(error), []).append(secret.config_key)
            continue
        if text.strip() != text or not text:
            yield warn(
                f"{secret.config_key} is empty, or has blanks around it",
                f"write it anew: pulumi config set --secret {secret.config_key} --stack {scene.site.stack}",
            )
        else:
            yield fine(f"{secret.config_key} is there, from {scene.secrets.source(secret.key)}")
    for why, keys in unreadable.items():
        yield refuse(f"{', '.join(keys)} cannot be read ({why})")


def _judged(tool: Tool, found: Version | None, oldest: Version) -> Result:
    if found is None:
        return refuse(f"{tool.name} is not on PATH, or does not tell its version", tool.install)
    if found < oldest:
        return refuse(
            f"{tool.name} {_text(found)}: {_text(oldest)} or newer is needed, for {tool.why}", tool.install
        )
    return fine(f"{tool.name} {_text(found)}")


def _found(tool: Tool) -> Version | None:
    done = _run(tool.command)
    told = _VERSION.search(done.stdout + done.stderr) if done and done.returncode == 0 else None
    return (int(told[1]), int(told[2]), int(told[3] or 0)) if told else None


def _run(command: tuple[str, ...], folder: Path | None = None) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _runtime(folder: Path) -> dict[str, Any]:
    path = folder / PROJECT_FILE
    runtime = Document.read(path.read_text(encoding="utf-8"), str(path)).data.get("runtime")
    options = runtime.get("options") if isinstance(runtime, dict) else None
    return options if isinstance(options, dict) else {}


def _text(version: Version) -> str:
    return ".".join(map(str, version))
