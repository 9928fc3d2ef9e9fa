"""The policy pack (policy/) for whoever runs the engine: its options, and how the engine starts it.

`python -m xgen_infra.policy ADDRESS` is what policy/run starts: it becomes the pack, serving the engine at ADDRESS.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from xgen_infra.rehearsal.python_tools import environment

PACK = Path(__file__).parents[1] / "policy"
NAME = "xgen"
"""The pack's name, as the engine's events carry it."""


def options(progress: Callable[[str], None] = lambda _line: None) -> tuple[str, ...]:
    """Return the options that make `pulumi preview` and `pulumi up` keep to the pack; its packages are there then.

    Raises ToolError where they cannot be installed.
    """
    environment("policy", progress)
    return ("--policy-pack", str(PACK / "run"))


def main() -> None:
    """Become the pack. Standard output is the engine's: it reads the port there."""
    python = environment("policy", lambda line: print(line, file=sys.stderr)) / "python"
    os.execv(python, [str(python), "-m", "pulumi.policy", sys.argv[1], str(PACK)])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
