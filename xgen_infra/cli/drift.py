"""`xgen drift`: what differs between the state and what is really there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli.completion import sites as completed
from xgen_infra.drift import Drift, compare
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site


def drift(
    sites: Annotated[
        list[str],
        typer.Argument(metavar="SITE", help="Stacks, as in Pulumi.<stack>.yaml.", autocompletion=completed),
    ],
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Another kubeconfig than the stack's; its current context.")
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare the state of stacks with what is really there, resource by resource; nothing is changed.

    Ends with status 0 where nothing differs, 2 where something does, 1 where something could not be compared.
    """
    chosen = [read_site(Path.cwd(), site)[1] for site in sites]
    found = []
    for site in chosen:
        one = compare(site, Engine(Path.cwd()), kubeconfig)
        found.append(one)
        if not as_data:
            _tell(one)
    if as_data:
        typer.echo(json.dumps([one.as_data() for one in found], indent=2, ensure_ascii=False))
    statuses = {one.status for one in found}
    raise typer.Exit(next((status for status in (1, 2) if status in statuses), 0))


def _tell(found: Drift) -> None:
    differing = len({(one.type, one.resource) for one in found.differences})
    verdict = f"{differing} differ" if found.differences else "no drift"
    if found.unseen:
        verdict = (
            f"{verdict if found.differences else 'no drift found, but'} not everything could be compared"
        )
    typer.echo(f"{found.stack}: {found.compared} compared, {verdict}")
    for one in sorted(set(found.differences)):
        typer.echo(f"  {one.text}")
    if found.unseen:
        typer.echo("  not compared:")
        for unseen in sorted(set(found.unseen)):
            typer.echo(f"    {unseen.what}: {unseen.why}")
