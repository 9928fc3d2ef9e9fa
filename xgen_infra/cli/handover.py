"""`xgen handover`: from releases that Pulumi owns to Applications that Argo CD owns, every pod running on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from kubernetes import client

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.handover import Handover, HandoverError
from xgen_infra.health.access import cluster
from xgen_infra.mirror.publish import publish, said


def handover(
    site: completion.Site,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for Argo CD to take over.")] = 600,
    restarts: Annotated[
        bool, typer.Option("--restarts", help="Let pods restart where the file says something new.")
    ] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Another kubeconfig than the stack's; its current context.")
    ] = None,
) -> None:
    """Hand the six running releases of a site over to Argo CD. The file says delivery: argocd by then.

    Mirrors, runs pulumi up, waits until Argo CD owns every object, and takes Helm's records and marks away. No pod
    restarts. Interrupted or failed, run it again. There is no way back.
    """
    _, chosen = read_site(Path.cwd(), site)
    if chosen.delivery != "argocd":
        raise HandoverError(f"write delivery: argocd into Pulumi.{site}.yaml first")
    engine = Engine(Path.cwd())

    def connect() -> AbstractContextManager[client.ApiClient]:
        return cluster(chosen, kubeconfig, engine)

    def mirror() -> str:
        return said(publish(chosen, engine), chosen.source.repo_url)

    run = Handover(chosen, engine, connect, mirror, typer.echo)
    if not run.run(seconds=timeout, restarts=restarts):
        typer.echo(
            "Pods were replaced meanwhile: by --restarts, or by whoever else changes this cluster.", err=True
        )
