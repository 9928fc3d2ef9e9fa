"""`xgen rehearse`: a customer's whole stack on this machine."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from xgen_infra.folder import read_site
from xgen_infra.rehearsal.processes import stop_leftovers
from xgen_infra.rehearsal.rehearse import Options
from xgen_infra.rehearsal.rehearse import rehearse as run
from xgen_infra.rehearsal.upgrade import last_release
from xgen_infra.rehearsal.world import World

_SHOWN = ("PULUMI_", "KUBECONFIG", "XGEN_", "PATH")


def rehearse(
    site: Annotated[str, typer.Argument(help="The stack, as in Pulumi.<stack>.yaml.")],
    delivery: Annotated[
        Literal["helm", "argocd"] | None, typer.Option(help="helm or argocd, in place of what the file says.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running, and say how to reach and end it.")
    ] = False,
    shell: Annotated[
        bool, typer.Option("--shell", help="After up, a shell in which pulumi acts on it.")
    ] = False,
    env: Annotated[
        bool, typer.Option("--env", help="Leave it running and print its environment for eval.")
    ] = False,
    real: Annotated[str, typer.Option(help="Use your own plugins for: kubernetes, eks, python.")] = "",
    since: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="REV", help="Bring it up by this Git revision and upgrade it from there."
        ),
    ] = None,
    since_release: Annotated[
        bool,
        typer.Option("--from-last-release", help="--from the last release tag; without one, say so and end."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    stop: Annotated[Path | None, typer.Option(help="End what --keep or --env left in this folder.")] = None,
) -> None:
    """Bring a customer's stack up, change it and tear it down on this machine, without any cloud account.

    The exit status is the verdict.
    """
    if stop:
        typer.echo(f"ended: {', '.join(stop_leftovers(stop)) or 'nothing was running'}")
        return
    file, chosen = read_site(Path.cwd(), site)
    if since_release:
        since = last_release(Path.cwd())
        if since is None:
            typer.echo("There is no release tag (v1.2.3) yet, so there is nothing to upgrade from.")
            return
        typer.echo(f"The last release is {since}.", err=True)
    if since and (shell or env or keep):
        raise typer.BadParameter("--from judges an upgrade and ends: leave --keep, --shell and --env out")
    if delivery:
        chosen = chosen.model_copy(update={"delivery": delivery})
    console = Console(stderr=as_json or env, highlight=False)
    after = _enter if shell else _leave if env else None
    options = Options(keep=keep or env, real=tuple(filter(None, real.split(","))), since=since)
    report = run(chosen, file.path.resolve(), options, console, after)
    if as_json:
        typer.echo(report.as_json())
    else:
        report.show(console)
    if (keep or env) and report.passed:
        console.print(
            f"Left running. Kubeconfig: {report.folder}/control-plane/admin.kubeconfig", soft_wrap=True
        )
        console.print(f"End it with: xgen rehearse {site} --stop {report.folder}", soft_wrap=True)
    raise typer.Exit(0 if report.passed else 1)


def environment_of(world: World) -> dict[str, str]:
    """Return what a shell needs so that plain `pulumi` commands act on the rehearsal's world."""
    return {key: value for key, value in world.environment.items() if key.startswith(_SHOWN)}


def _enter(world: World) -> None:
    typer.echo(f"pulumi, kubectl and helm act on the rehearsal of {world.stack}; exit ends it.", err=True)
    command = [os.environ.get("SHELL", "/bin/sh")]
    subprocess.run(command, env={**os.environ, **environment_of(world)}, cwd=world.project, check=False)


def _leave(world: World) -> None:
    for key, value in environment_of(world).items():
        typer.echo(f"export {key}={shlex.quote(value)}")
