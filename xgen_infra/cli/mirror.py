"""`xgen mirror`: a site's chart and values to the customer's own Git."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.engine import Engine, EngineError
from xgen_infra.folder import read_site
from xgen_infra.mirror import credentials
from xgen_infra.mirror.content import content
from xgen_infra.mirror.push import MirrorError, Plan, opened
from xgen_infra.secrets_catalog import BY_KEY


def mirror(
    site: Annotated[str, typer.Argument(help="The stack, as in Pulumi.<stack>.yaml.")],
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

    def ask(key: str) -> str:
        return from_stack(site, key)

    files = content(chosen)
    with opened(chosen.source, site, credentials.find(chosen, os.environ, ask)) as branch:
        plan = branch.publish(files, over=over, dry_run=dry_run)
    if as_data:
        typer.echo(json.dumps(_data(plan, dry_run), indent=2))
        return
    for mark, path in plan.changes:
        typer.echo(f"{mark:8} {path}")
    typer.echo(_said(plan, chosen.source.repo_url, dry_run))


def from_stack(site: str, key: str) -> str:
    """Return a secure value of the stack, asked of the engine; raises MirrorError where it cannot say."""
    secret = BY_KEY[f"xgen-infra:{key}"]
    try:
        return Engine(Path.cwd()).run("config", "get", secret.config_key, "--stack", site).rstrip("\n")
    except (EngineError, OSError) as error:
        names = credentials.PASSWORD if key == "gitPassword" else credentials.SSH_KEY_FILE
        raise MirrorError(
            f"there is no credential for the customer's Git: set {names}, or let `pulumi config get` open the "
            f"stack's own {secret.config_key} ({str(error).splitlines()[-1] if str(error) else 'it failed'})"
        ) from None


def _said(plan: Plan, url: str, dry_run: bool) -> str:
    if not plan.changes:
        return f"nothing to do: {url}, branch {plan.branch}, is up to date at {_short(plan.parent)}"
    after = f"after {_short(plan.parent)}" if plan.parent else "as the branch's first commit"
    if dry_run:
        return f"would push to {url}, branch {plan.branch}, {after}"
    return f"pushed {_short(plan.commit)} to {url}, branch {plan.branch}, {after}"


def _short(commit: str | None) -> str:
    return (commit or "")[:12]


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
