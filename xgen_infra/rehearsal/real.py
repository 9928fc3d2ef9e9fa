"""`--real`: plugins that the user has, in place of the stand-ins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

KINDS = {"kubernetes": "resource", "eks": "resource", "python": "language"}
"""What can be real: these work beside the stand-ins of the other providers. AWS itself cannot."""


class MissingPluginError(Exception):
    """A plugin that was asked for is not installed, or cannot be real here."""


def link(real: Sequence[str], home: Path) -> None:
    """Let the engine of a rehearsal, whose home is its own, find the user's plugins.

    Raises MissingPluginError, which says how to install what is missing.
    """
    for name in real:
        if name not in KINDS:
            raise MissingPluginError(f"--real {name}: expected one of {', '.join(KINDS)}")
        if not _installed(name):
            raise MissingPluginError(
                f"--real {name}: no pulumi-{KINDS[name]}-{name} on PATH or in {_plugins()}; "
                f"install it: {_command(name)}"
            )
    if real and _plugins().is_dir() and not (home / "plugins").exists():
        (home / "plugins").symlink_to(_plugins())


def _installed(name: str) -> bool:
    binary = f"pulumi-{KINDS[name]}-{name}"
    return bool(shutil.which(binary)) or any(_plugins().glob(f"{KINDS[name]}-{name}-v*/{binary}"))


def _plugins() -> Path:
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"


def _command(name: str) -> str:
    if KINDS[name] == "language":
        return "it comes with the Pulumi CLI's own download"
    return f"pulumi plugin install resource {name} v{version(f'pulumi-{name}')}"
