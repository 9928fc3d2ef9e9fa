"""`xgen preflight`: what would stop the first `up`, or what follows it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from xgen_infra.cli import completion, log_of
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.preflight import CHECKS, Check, Level, Outcome, Scene, Secrets, run
from xgen_infra.site import Site

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


def _names(incomplete: str) -> list[str]:
    return [check.name for check in CHECKS if check.name.startswith(incomplete)]


def preflight(
    site: completion.Site,
    only: Annotated[
        list[str] | None, typer.Option(help="Make this check alone; may be repeated.", autocompletion=_names)
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="Leave this check out; may be repeated.", autocompletion=_names)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail as well.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="For each connection and each answer.")] = 8,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Checks at once, at most.")] = 6,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="For K3s: another kubeconfig; its current context.")
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at everything that the first `up` needs, and change nothing: tools, AWS, network, images, data services.

    Secrets come from XGEN_POSTGRES_PASSWORD and the like, else from the stack's own secure values. Ends with
    status 1 where a check has an error; warnings leave it 0 unless --strict.
    """
    file, chosen = read_site(Path.cwd(), site)
    checks = _chosen(chosen, only or [], skip or [])
    secrets = Secrets(site, Engine(Path.cwd()), os.environ)
    scene = Scene(file, chosen, secrets, Path.cwd(), kubeconfig, seconds)
    with _progress(len(checks)) as tell:
        outcomes = run(checks, scene, parallel=parallel, tell=tell)
    bad = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    good = not any(outcome.level in bad for outcome in outcomes)
    if as_data:
        typer.echo(json.dumps({"site": site, "good": good, "checks": list(map(_data, outcomes))}, indent=2))
    else:
        _show(outcomes)
    for outcome in outcomes:
        if outcome.broken:
            typer.echo(
                f"{outcome.check.name}: this is a bug in xgen ({type(outcome.broken).__name__}). What led to it is in "
                f"{log_of(outcome.broken)}: please send that file to whoever maintains xgen-infra.",
                err=True,
            )
    raise typer.Exit(0 if good else 1)


def _chosen(site: Site, only: Sequence[str], skip: Sequence[str]) -> list[Check]:
    names = [check.name for check in CHECKS]
    for name in (*only, *skip):
        if name not in names:
            close = get_close_matches(name, names, 1)
            mend = f"did you mean {close[0]}?" if close else f"the checks are: {', '.join(names)}"
            raise typer.BadParameter(f"there is no check {name}: {mend}", param_hint="--only, --skip")
    wanted = [check for check in CHECKS if (not only or check.name in only) and check.name not in skip]
    fitting = [check for check in wanted if check.applies(site)]
    if not fitting:
        where = "; ".join(f"{check.name} is for {check.where}" for check in wanted)
        raise typer.BadParameter(
            f"no check is left for {site.stack}{f': {where}' if where else ''}", param_hint="--only, --skip"
        )
    return fitting


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show how far it is, on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("looking", total=total)
        yield lambda outcome: progress.update(task, advance=1, description=outcome.check.name)


def _data(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.check.name,
        "why": outcome.check.why,
        "level": outcome.level,
        "seconds": outcome.seconds,
        "results": [
            {"level": result.level, "found": result.found, "mend": result.mend} for result in outcome.results
        ],
    }


def _show(outcomes: Sequence[Outcome]) -> None:
    console = Console(highlight=False)
    table = Table("check", "verdict", "seconds", "looked at")
    for outcome in outcomes:
        good = sum(result.level is Level.OK for result in outcome.results)
        colour = _COLOURS[outcome.level]
        table.add_row(
            outcome.check.name,
            f"[{colour}]{outcome.level}[/{colour}]",
            f"{outcome.seconds:.1f}",
            f"{good} of {len(outcome.results)} well",
        )
    console.print(table)
    for outcome in outcomes:
        bad = [result for result in outcome.results if result.level is not Level.OK]
        if bad:
            typer.echo(f"\n{outcome.check.name}: {outcome.check.why}")
        for result, following in zip_longest(bad, bad[1:]):
            typer.echo(f"  {result.level}: {result.found}")
            if following is None or following.mend != result.mend:
                typer.echo(f"    to do: {result.mend}")
    counts = [sum(outcome.level is level for outcome in outcomes) for level in Level]
    typer.echo(
        f"\n{len(outcomes)} checks: {counts[0]} ok, {counts[1]} with warnings, {counts[2]} with errors"
    )
