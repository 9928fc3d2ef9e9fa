"""Words that the shell completes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.findings import Refused
from xgen_infra.folder import stack_files


def sites(incomplete: str) -> list[str]:
    """Return the stacks of this folder that begin with what was typed: `autocompletion` of a SITE argument."""
    try:
        return [stack for stack in stack_files(Path()) if stack.startswith(incomplete)]
    except Refused:
        return []


Site = Annotated[
    str,
    typer.Argument(metavar="SITE", help="The stack, as in Pulumi.<stack>.yaml.", autocompletion=sites),
]
"""The stack that a verb is about."""
