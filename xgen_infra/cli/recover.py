"""`xgen recover`: after an operation that was cut off, what it made is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.recovery import Recovery, mend_state


def recover(
    site: completion.Site,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete access keys that nobody has, without asking.")
    ] = False,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Clear the stack's lock first: nobody else works on it now.")
    ] = False,
) -> None:
    """Find what a killed or failed operation made and could not note, and take it into the stack's state.

    A state that a full disk cut off is replaced by the newest whole one that the engine kept beside it.

    Nothing is made, changed or deleted in the cloud or the cluster, but Helm's notes of cut-off operations and, when
    you agree, access keys whose secrets were lost. Then run pulumi up again. Run twice, it finds nothing more.
    """
    engine = Engine(Path.cwd())
    if unlock:
        engine.cancel(site)
    mend_state(engine, site, typer.echo)
    recovery = Recovery(engine, site, typer.echo)
    result = recovery.run()
    for line in result.foreign:
        typer.echo(f"there, but not this stack's; rename yours, adopt it, or remove it: {line}")
    for line in result.unasked:
        typer.echo(f"could not be looked for: {line}")
    for iam, user, key in recovery.unknown_keys():
        said = f"access key {key} of {user} is in no state: nobody has its secret"
        if yes or typer.confirm(f"{said}. Delete it?"):
            iam.delete_access_key(UserName=user, AccessKeyId=key)
            typer.echo(f"deleted: access key {key} of {user}")
        else:
            typer.echo(f"left: {said}")
    if result.taken or result.helm:
        typer.echo(f"{len(result.taken)} taken into the state. Next: pulumi up --stack {site}")
    else:
        typer.echo(f"nothing of {site} is missing in its state")
    raise typer.Exit(1 if result.foreign or result.unasked else 0)
