"""Words that the shell completes."""

from __future__ import annotations

from pathlib import Path

from xgen_infra.findings import Refused
from xgen_infra.folder import stack_files


def sites(incomplete: str) -> list[str]:
    """Return the stacks of this folder that begin with what was typed: `autocompletion` of a SITE argument."""
    try:
        return [stack for stack in stack_files(Path()) if stack.startswith(incomplete)]
    except Refused:
        return []
