"""`xgen support-bundle`: what somebody far away needs in order to help, and no secret."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.support import Bundle
from xgen_infra.support.collect import Source, collect


def support_bundle(
    site: completion.Site,
    output: Annotated[
        Path | None, typer.Option(help="The archive; support-<stack>-<time>.tar.gz here unless given.")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Another kubeconfig than the stack's; its current context.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave out paths of this pattern, as 'logs/*'; may be repeated.")
    ] = None,
    preview: Annotated[bool, typer.Option(help="Run pulumi preview, and add what it says.")] = True,
) -> None:
    """Collect what explains a site's trouble into one archive, redacted; nothing is changed.

    It is searched for every secret of the stack and of the namespaces that it looks into, and is not written
    where one is found. What could not be collected is named, and the rest is written all the same.
    """
    file, chosen = read_site(Path.cwd(), site)
    target = output or Path(f"support-{site}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz")
    bundle = Bundle(site, tuple(without or ()))
    source = Source(file, chosen, Engine(Path.cwd()), kubeconfig, preview)
    collect(source, bundle, lambda part: typer.echo(f"  {part}", err=True))
    search = bundle.write(target)
    _tell(bundle)
    searched = len(search.secrets) - len(search.short)
    typer.echo(f"{target}: {len(bundle.files)} files; none of {searched} known secrets is in them")


def _tell(bundle: Bundle) -> None:
    if bundle.missing:
        typer.echo("not in it:", err=True)
        for one in bundle.missing:
            typer.echo(f"  {one.what}: {one.why}", err=True)
    if bundle.unsearched:
        typer.echo(
            "could not be read, so was not searched for (look through the archive yourself):", err=True
        )
        for one in bundle.unsearched:
            typer.echo(f"  {one.what}: {one.why}", err=True)
