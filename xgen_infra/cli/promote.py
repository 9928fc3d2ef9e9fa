"""`xgen promote`: pin what was built in the customer's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.cli.build_plan import Arch
from xgen_infra.vendor.promote import Promotion, promotion, stacks_of


def promote(
    site: Annotated[str, typer.Argument(metavar="SITE", help="A stack, or a site of `xgen sites`.")],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SERVICE[=REF]",
            help="Which service, and which tag, digest or full reference; without any, the moving tag of all six.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change in the file.")] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Commit the file on the branch checked out.")
    ] = False,
    push: Annotated[
        bool, typer.Option("--push", help="Commit on the remote's branch, whatever others push meanwhile.")
    ] = False,
    remote: Annotated[str, typer.Option(help="With --push: the remote.")] = "origin",
    branch: Annotated[
        str | None,
        typer.Option(help="With --push: the branch; by default the one checked out, or the remote's own."),
    ] = None,
    arch: Annotated[Arch | None, typer.Option(help="Another architecture than the site's tag names.")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="Print the pins for programs.")] = False,
) -> None:
    """Pin images by digest in the customer's file; reverting that commit rolls back.

    Every image is looked up in the site's registry first: one that is missing, unreadable, or of another
    architecture refuses the whole command. Comments and order of the file stay. The registry's credential comes
    from XGEN_REGISTRY_USERNAME and XGEN_REGISTRY_PASSWORD, from Docker's configuration, or from AWS for ECR.
    """
    if sum((dry_run, commit, push)) > 1:
        raise typer.BadParameter("choose one of --dry-run, --commit and --push")
    folder = Path()
    chosen = str(arch) if arch else None
    promotions = [promotion(folder, stack, images or [], chosen) for stack in stacks_of(folder, site)]
    done = [
        _carry_out(one, dry_run=dry_run, commit=commit, push=(remote, branch) if push else None)
        for one in promotions
    ]
    if as_data:
        typer.echo(json.dumps({"stacks": [data for data, _ in done]}, indent=2))
        return
    for data, text in done:
        for pin in data["pins"]:
            note = (
                "as before" if pin["digest"] == pin["before"] else f"was {pin['before'] or 'the moving tag'}"
            )
            typer.echo(
                f"{data['stack']}: {pin['service']} {pin['asked']} is {pin['digest']} ({note})", err=dry_run
            )
        typer.echo(text, nl=not text.endswith("\n"))


def _carry_out(
    one: Promotion, *, dry_run: bool, commit: bool, push: tuple[str, str | None] | None
) -> tuple[dict[str, Any], str]:
    """Write, commit, push, or only look; return what happened as JSON values and in words."""
    file, made = one.file.path.name, None
    if push:
        made, branch = one.push(*push)
        where = f"{branch} of {push[0]}"
        text = (
            f"{file}: commit {made[:12]} on {where}" if made else f"{file}: {where} is pinned to that already"
        )
    elif commit:
        made = one.commit()
        text = f"{file}: commit {made[:12]}" if made else f"{file}: pinned to that already"
    elif dry_run:
        text = one.diff() or f"{file}: nothing would change\n"
    else:
        text = f"{file} written" if one.write() else f"{file}: pinned to that already"
    pins = [
        {"service": pin.service, "asked": pin.asked, "digest": pin.digest, "before": pin.before}
        for pin in one.pins
    ]
    return {"stack": one.site.stack, "file": file, "pins": pins, "commit": made}, text
