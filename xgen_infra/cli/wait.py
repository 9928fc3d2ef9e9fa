"""`xgen wait`: the bounded judge of a deployment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.health import Judge, Verdict
from xgen_infra.health.access import cluster

_PERIOD = 1.0
_SERVER_ERROR = 500


def wait(
    site: Annotated[str, typer.Argument(help="The stack, as in Pulumi.<stack>.yaml.")],
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
        verdicts = _until_good(judge, started, timeout, quiet=as_data)
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


def _until_good(judge: Judge, started: float, timeout: float, *, quiet: bool) -> list[Verdict]:
    told: dict[str, str] = {}
    while True:
        try:
            verdicts = judge.look()
        except (HTTPError, ApiException) as error:
            passing = isinstance(error, HTTPError) or (error.status or 0) >= _SERVER_ERROR
            if not passing or time.monotonic() - started >= timeout:
                raise
            time.sleep(_PERIOD)
            continue
        for verdict in verdicts:
            if told.get(verdict.service) != verdict.state and not quiet:
                typer.echo(
                    f"{time.monotonic() - started:5.0f} s  {verdict.service}: {verdict.state}", err=True
                )
                told[verdict.service] = verdict.state
        if all(verdict.good for verdict in verdicts) or time.monotonic() - started >= timeout:
            return verdicts
        time.sleep(min(_PERIOD, max(0.05, timeout - (time.monotonic() - started))))


def _text(verdict: Verdict) -> str:
    mark = "ok  " if verdict.good else "FAIL"
    return "\n".join(
        [f"{mark} {verdict.service}: {verdict.state}", *(f"       {why}" for why in verdict.reasons)]
    )
