"""`xgen mirror`: a site's chart and values to the customer's own Git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.mirror.publish import publish, said
from xgen_infra.mirror.push import Plan


def mirror(
    site: completion.Site,
    over: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT", help="The branch's head, where others committed: put the mirror on top of it."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; push nothing.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make the customer's branch hold this site's chart and values, and nothing else below source.path.

    Forward only; commits of others are never built upon unless --over names them. The credential comes from
    XGEN_GIT_PASSWORD (and XGEN_GIT_USERNAME), XGEN_GIT_SSH_KEY_FILE or XGEN_GIT_SSH_KEY; without them, from the
    stack's own secure value.
    """
    _, chosen = read_site(Path.cwd(), site)
    plan = publish(chosen, Engine(Path.cwd()), over=over, dry_run=dry_run)
    if as_data:
        typer.echo(json.dumps(_data(plan, dry_run), indent=2))
        return
    for mark, path in plan.changes:
        typer.echo(f"{mark:8} {path}")
    typer.echo(said(plan, chosen.source.repo_url, dry_run=dry_run))


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
