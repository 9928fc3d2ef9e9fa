"""`xgen affected`: which customers a change can touch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.pipelines.affected import Affected, affected
from xgen_infra.pipelines.words import deletion, summary


def affected_customers(
    *,
    against: Annotated[
        str, typer.Option(metavar="REV", help="Compare with where this branch left REV: a branch or commit.")
    ],
    share: Annotated[
        str, typer.Option(metavar="I/N", help="Only the I-th of N parts of the customers: for parallel jobs.")
    ] = "1/1",
    summary_file: Annotated[
        Path | None, typer.Option("--summary", help="Also write a summary for a merge request, in Markdown.")
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print the stacks that a change can touch, one a line, in the order of their names.

    Compared are the working tree, committed or not, and the merge base of REV and HEAD. A change of the program
    (xgen_infra, charts, Pulumi.yaml, locked dependencies) touches all, one of a customer's file only that customer;
    documents, tests and pipelines touch none. Customers whose file is gone are named on standard error.
    """
    found = affected(Path(), against)
    if summary_file:
        summary_file.parent.mkdir(parents=True, exist_ok=True)
        summary_file.write_text(summary(found), encoding="utf-8")
    part = found.share(*_share(share))
    if as_data:
        typer.echo(json.dumps(_data(part), indent=2))
        return
    for stack in part.stacks:
        typer.echo(stack)
    typer.echo(_told(found), err=True)
    for stack in found.deleted:
        typer.echo(deletion(stack), err=True)


def _share(text: str) -> tuple[int, int]:
    given = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text)
    if not given or int(given[1]) > int(given[2]):
        raise typer.BadParameter(f"expected I/N such as 1/4, not '{text}'", param_hint="--share")
    return int(given[1]), int(given[2])


def _told(found: Affected) -> str:
    count = f"{len(found.customers)} of {found.total} customers"
    if found.base is None:
        return f"{count}: everything is new"
    if not found.program:
        return count
    more = f" and {len(found.program) - 1} more" if found.program[1:] else ""
    return f"{count}: {found.program[0]}{more} changed, which touches all"


def _data(found: Affected) -> dict[str, Any]:
    return {
        "base": found.base,
        "everybody": found.everybody,
        "customers": [{"stack": one.stack, "why": one.why} for one in found.customers],
        "deleted": list(found.deleted),
        "program": list(found.program),
        "total": found.total,
    }
