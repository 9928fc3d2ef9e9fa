"""`xgen images`: what a customer without internet has to mirror."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.cli.sites import columns
from xgen_infra.folder import read_site
from xgen_infra.platform_images import charts, images


def images_of_site(
    site: completion.Site,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List every platform image and chart that a site installs, and the name under which it takes each.

    Copy what differs, for instance by `crane copy IMAGE PULLED-AS`. The six services' own images are in
    `xgen build-plan`. Needs no secret and no network.
    """
    _, chosen = read_site(Path.cwd(), site)
    found, packed = images(chosen), charts(chosen)
    if as_data:
        data = {
            "images": [
                {"for": one.purpose, "image": one.image.reference, "pulledAs": one.pulled} for one in found
            ],
            "charts": [
                {
                    "for": one.purpose,
                    "chart": one.chart.name,
                    "version": one.chart.version,
                    "repository": one.chart.repository,
                    "takenFrom": one.repository,
                }
                for one in packed
            ],
        }
        typer.echo(json.dumps(data, indent=2))
        return
    typer.echo(
        columns([("FOR", "IMAGE", "PULLED AS"), *((i.purpose, i.image.reference, i.pulled) for i in found)])
    )
    if packed:
        rows = [
            (c.purpose, f"{c.chart.name} {c.chart.version}", c.chart.repository, c.repository) for c in packed
        ]
        typer.echo("\n" + columns([("FOR", "CHART", "REPOSITORY", "TAKEN FROM"), *rows]))
