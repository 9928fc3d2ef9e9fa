"""`xgen sites`: every customer, as pipelines need to know them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra import catalog
from xgen_infra.vendor import inventory
from xgen_infra.vendor.plan import target_json


def sites(
    as_data: Annotated[
        bool, typer.Option("--json", help="For programs: with stacks, branches, registries.")
    ] = False,
) -> None:
    """List the sites for which the vendor builds, from the customers' files.

    A customer whose file is wrong is left out and named on standard error (in JSON under `refused`), so that it
    stops nobody else. Needs no secret and no network.
    """
    found = inventory.read(Path())
    if as_data:
        data = {
            "sites": [target_json(target) for target in found.targets.values()],
            "services": list(catalog.NAMES),
            "refused": {
                site: [one.text for one in findings] for site, findings in sorted(found.refused.items())
            },
        }
        typer.echo(json.dumps(data, indent=2))
        return
    for finding in (*found.findings, *found.warnings):
        typer.echo(finding.text, err=True)
    rows = [("SITE", "BRANCH", "STACKS", "REGISTRY", "CREDENTIAL")]
    for target in found.targets.values():
        stacks = ", ".join(stack.name for stack in target.stacks)
        registry = target.registry
        scheme = " (plain HTTP)" if registry.plain_http else ""
        rows.append(
            (target.site, target.branch, stacks, registry.host + scheme, registry.credential_id or "none")
        )
    typer.echo(columns(rows))


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows as text in columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
