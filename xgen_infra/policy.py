"""The policy pack (policy/) for whoever runs the engine: its options, and how the engine starts it.

`python -m xgen_infra.policy ADDRESS` is what policy/run starts: it becomes the pack, serving the engine at ADDRESS.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from xgen_infra.rehearsal.python_tools import environment

PACK = Path(__file__).parents[1] / "policy"
NAME = "xgen"
"""The pack's name, as the engine's events carry it."""


def options(
    progress: Callable[[str], None] = lambda _line: None, folder: Path | None = None
) -> tuple[str, ...]:
    """Return the options that make `pulumi preview` and `pulumi up` keep to the pack; its packages are there then.

    `folder`, where given, receives what the engine starts: it needs neither the tree's .venv nor the caller's HOME.
    Raises ToolError where the packages cannot be installed.
    """
    python = environment("policy", progress) / "python"
    run = PACK / "run"
    if folder:
        run = folder / "policy-pack"
        words = f'{shlex.quote(str(python))} -u -m pulumi.policy "$1" {shlex.quote(str(PACK))}'
        run.write_text(f"#!/bin/sh\nexec {words}\n")
        run.chmod(0o700)
    return ("--policy-pack", str(run))


def main() -> None:
    """Become the pack. Standard output is the engine's: it reads the port there, so nothing may be kept back (`-u`)."""
    python = environment("policy", lambda line: print(line, file=sys.stderr)) / "python"
    os.execv(python, [str(python), "-u", "-m", "pulumi.policy", sys.argv[1], str(PACK)])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
