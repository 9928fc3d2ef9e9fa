"""`xgen wait`: the bounded judge of a deployment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.health import Judge, Verdict
from xgen_infra.health.access import cluster


def wait(
    site: completion.Site,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")] = 600,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Another kubeconfig than the stack's; its current context.")
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Wait until the six services are what Git says and every replica is ready.

    Ends with status 0 then, or after the timeout with status 1, saying which service is not and why. Argo CD is
    asked to look at Git first.
    """
    _, chosen = read_site(Path.cwd(), site)
    started = time.monotonic()
    with cluster(chosen, kubeconfig, Engine(Path.cwd())) as api:
        judge = Judge(api, chosen)
        judge.ask_argocd()
        verdicts = judge.wait(timeout, _quiet if as_data else _tell)
    seconds = round(time.monotonic() - started, 1)
    good = all(verdict.good for verdict in verdicts)
    if as_data:
        services = [
            {"service": one.service, "good": one.good, "state": one.state, "reasons": one.reasons}
            for one in verdicts
        ]
        typer.echo(json.dumps({"good": good, "seconds": seconds, "services": services}, indent=2))
    else:
        typer.echo(f"{'good' if good else 'not good'} after {seconds:g} s")
        for verdict in verdicts:
            typer.echo(_text(verdict))
    if chosen.delivery == "argocd" and not judge.fresh:
        typer.echo(
            f"Argo CD could not be asked to look at Git now (no leave to patch Applications): what it says may be "
            f"{chosen.source.poll_seconds} s old.",
            err=True,
        )
    raise typer.Exit(0 if good else 1)


def _tell(verdict: Verdict) -> None:
    typer.echo(f"  {verdict.service}: {verdict.state}", err=True)


def _quiet(_verdict: Verdict) -> None:
    return None


def _text(verdict: Verdict) -> str:
    mark = "ok  " if verdict.good else "FAIL"
    return "\n".join(
        [f"{mark} {verdict.service}: {verdict.state}", *(f"       {why}" for why in verdict.reasons)]
    )
