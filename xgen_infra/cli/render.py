"""`xgen render`: what the mirror publishes for a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xgen_infra import catalog
from xgen_infra.cli import completion
from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content, values_text
from xgen_infra.mirror.folder import write


def render(
    site: completion.Site,
    out: Annotated[
        Path | None, typer.Option(help="Write chart and values there, in place of an earlier rendering.")
    ] = None,
) -> None:
    """Write the chart and the six services' values as the customer's Git gets them; without --out, show the values.

    Made of the customer's file alone, without network, engine or secret; the same file gives the same bytes.
    """
    _, chosen = read_site(Path.cwd(), site)
    if out is None:
        for name in catalog.NAMES:
            typer.echo(f"---\n# values/{name}.yaml\n{values_text(chosen, name)}", nl=False)
        return
    files = content(chosen)
    write(files, out)
    typer.echo(f"{out}: {len(files)} files", err=True)
