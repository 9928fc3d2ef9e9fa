"""`xgen mirror`: sites' charts and values to the customers' own Git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.cli.sites import columns
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.mirror.publish import publish, said
from xgen_infra.mirror.push import Plan
from xgen_infra.mirror.several import Outcome, mirror_all

_INTERRUPTED = 130


def mirror(
    sites: Annotated[
        list[str],
        typer.Argument(
            metavar="SITE", help="Stacks, as in Pulumi.<stack>.yaml.", autocompletion=completion.sites
        ),
    ],
    over: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="The branch's head, where others committed: put the mirror on top of it. For one site.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; push nothing.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make the customer's branch hold this site's chart and values, and nothing else below source.path.

    Forward only; commits of others are never built upon unless --over names them. The credential comes from
    XGEN_GIT_PASSWORD (and XGEN_GIT_USERNAME), XGEN_GIT_SSH_KEY_FILE or XGEN_GIT_SSH_KEY; without them, from the
    stack's own secure value. Of several sites each is done whatever becomes of the others; one that failed, or was
    not finished, makes the status 1 (130 where it was interrupted).
    """
    if len(sites) == 1:
        _one(sites[0], over, dry_run=dry_run, as_data=as_data)
    elif over:
        raise typer.BadParameter("it names one branch's head: mirror that site alone", param_hint="--over")
    else:
        _several(sites, dry_run=dry_run, as_data=as_data)


def _one(site: str, over: str | None, *, dry_run: bool, as_data: bool) -> None:
    _, chosen = read_site(Path.cwd(), site)
    plan = publish(chosen, Engine(Path.cwd()), over=over, dry_run=dry_run)
    if as_data:
        typer.echo(json.dumps(_data(plan, dry_run), indent=2))
        return
    for mark, path in plan.changes:
        typer.echo(f"{mark:8} {path}")
    typer.echo(said(plan, chosen.source.repo_url, dry_run=dry_run))


def _several(sites: list[str], *, dry_run: bool, as_data: bool) -> None:
    def tell(outcome: Outcome) -> None:
        typer.echo(f"{outcome.stack}: {outcome.text}", err=as_data or not outcome.good)

    outcomes = mirror_all(Path.cwd(), sites, tell, dry_run=dry_run)
    if as_data:
        data = [
            {
                "stack": one.stack,
                "state": one.state,
                "text": one.text,
                "plan": _data(one.plan, dry_run) if one.plan else None,
            }
            for one in outcomes
        ]
        typer.echo(json.dumps({"sites": data}, indent=2))
    else:
        typer.echo(columns([("SITE", "MIRROR"), *((one.stack, one.state) for one in outcomes)]))
    if any(one.state == "interrupted" for one in outcomes):
        raise typer.Exit(_INTERRUPTED)
    if not all(one.good for one in outcomes):
        raise typer.Exit(1)


def _data(plan: Plan, dry_run: bool) -> dict[str, object]:
    return {
        "branch": plan.branch,
        "parent": plan.parent,
        "commit": plan.commit,
        "head": plan.head,
        "pushed": plan.commit is not None,
        "dryRun": dry_run,
        "changes": [{"what": mark, "path": path} for mark, path in plan.changes],
        "foreign": [one.commit for one in plan.foreign],
    }
