"""What the machine and the state backend tell."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from xgen_infra import versions as pins
from xgen_infra.engine import Engine, EngineError
from xgen_infra.secrecy import known, redact
from xgen_infra.stackfile import StackFile
from xgen_infra.support.bundle import Bundle

_PACKAGES = ("xgen-infra", "pulumi", "pulumi-aws", "pulumi-eks", "pulumi-kubernetes", "kubernetes", "boto3")
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "pulumi": ("version",),
    "helm": ("version", "--short"),
    "kubectl": ("version", "--client"),
    "argocd": ("version", "--client", "--short"),
    "aws": ("--version",),
    "git": ("--version",),
}
_SEALS = ("encryptionsalt", "encryptedkey")
_SECONDS = 15
_HISTORY = "20"


def versions(bundle: Bundle, engine: Engine) -> None:
    """Add the versions of the program, its libraries, the programs on PATH, and what is pinned for customers."""
    found = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _package(name) for name in _PACKAGES},
        "programs": {name: _program(engine, name, words) for name, words in _PROGRAMS.items()},
        "revision": _program(engine, "git", ("rev-parse", "HEAD")),
        "pins": {
            name.lower(): asdict(pin)
            for name, pin in vars(pins).items()
            if is_dataclass(pin) and not isinstance(pin, type)
        },
    }
    bundle.add("versions.json", "versions of everything at hand, and the pins", redact.data(found))


def file(bundle: Bundle, stack_file: StackFile) -> None:
    """Add the customer's file without its encrypted values."""
    document = yaml.safe_load(stack_file.path.read_text(encoding="utf-8-sig"))
    shown = {key: redact.HIDDEN if key in _SEALS else value for key, value in document.items()}
    bundle.add(
        f"file/{stack_file.path.name}",
        "the customer's file, secure values hidden",
        yaml.safe_dump(redact.data(shown), sort_keys=False, allow_unicode=True),
    )


def secrets(bundle: Bundle, engine: Engine) -> None:
    """Learn the stack's secrets, in order to search for them; none is added."""
    try:
        asked = ("config", "--show-secrets", "--json", "--stack", bundle.stack)
        configured = json.loads(engine.run(*asked))
    except (EngineError, OSError, ValueError) as error:
        bundle.not_searched("the file's secure values", error)
    else:
        bundle.known |= known.of_config(configured)
    try:
        shown = json.loads(engine.run("stack", "export", "--show-secrets", "--stack", bundle.stack))
    except (EngineError, OSError, ValueError) as error:
        bundle.not_searched("the state's secrets", error)
    else:
        bundle.known |= known.of_state(shown)
        bundle.public |= known.public_of(shown)


def state(bundle: Bundle, engine: Engine) -> None:
    """Add the state, encrypted values hidden."""
    exported = redact.state(engine.export(bundle.stack))
    bundle.add("state/state.json", "the stack's state, secrets hidden", exported)


def outputs(bundle: Bundle, engine: Engine) -> None:
    """Add the outputs; the engine itself hides those that are secret."""
    shown = redact.data(engine.outputs(bundle.stack))
    bundle.add("state/outputs.json", "the stack's outputs, secret ones hidden", shown)


def history(bundle: Bundle, engine: Engine) -> None:
    """Add the last operations: when, by whom, how they ended."""
    said = json.loads(
        engine.run("stack", "history", "--json", "--page-size", _HISTORY, "--stack", bundle.stack)
    )
    for entry in said:
        for value in (entry.get("config") or {}).values():
            if value.get("secret"):
                value["value"] = redact.HIDDEN
    bundle.add("state/history.json", f"the last {_HISTORY} operations", redact.data(said))


def preview(bundle: Bundle, engine: Engine) -> None:
    """Add what `pulumi up` would do now, or why it cannot tell."""
    try:
        said: Any = json.loads(engine.run("preview", "--json", "--stack", bundle.stack))
    except ValueError as error:
        bundle.lack("preview", error)
    except (EngineError, OSError) as error:
        bundle.add("preview.txt", "why pulumi preview fails", redact.text(str(error)))
        bundle.lack("preview", "it fails: preview.txt says why")
    else:
        bundle.add("preview.json", "what pulumi up would do now", redact.data(said))


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _program(engine: Engine, name: str, words: tuple[str, ...]) -> str:
    where = shutil.which(str(engine.binary) if name == "pulumi" else name)
    if where is None:
        return "not on PATH"
    try:
        done = subprocess.run(
            [where, *words], cwd=engine.project, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer: {type(error).__name__}"
    said = (done.stdout or done.stderr).strip()
    return " ".join(said.split()) if done.returncode == 0 else f"status {done.returncode}"
