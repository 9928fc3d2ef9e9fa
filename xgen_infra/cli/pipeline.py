"""`xgen pipeline`: the child pipeline for GitLab, from the customers' files."""

from __future__ import annotations

import gc
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.folder import chosen_files, stack_files
from xgen_infra.pipelines import child, work
from xgen_infra.pipelines.affected import Affected, Customer, affected
from xgen_infra.pipelines.words import deletion


class Kind(StrEnum):
    """What the pipeline is for."""

    rollout = "rollout"
    preview = "preview"
    drift = "drift"


def pipeline(
    *,
    sites: Annotated[
        list[str] | None,
        typer.Argument(metavar="SITE", help="Stacks; all when omitted.", autocompletion=completion.sites),
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="rollout: up, mirror, wait; preview: what up would do; drift: what differs.")
    ] = Kind.rollout,
    since: Annotated[
        str | None, typer.Option(metavar="REV", help="Only whom the way from this commit to here touches.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="REV", help="Only whom this branch touches, since it left REV.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("build/child.yml"),
    parts: Annotated[
        Path | None,
        typer.Option(help="Instead: write the customers behind the gate into rest-<n>.yml of this folder."),
    ] = None,
) -> None:
    """Write a pipeline with a job for each customer and step, to be started by a trigger job.

    A rollout brings canary sites (canary: true) up first. A manual gate follows where there are any, or where the
    program itself has changed; then come the rest in parallel. Of a changed file that only the customer's Git has to
    carry there is a mirror and no up. Customers beyond the first hundred go into pipelines that this one starts.
    """
    if sum(bool(one) for one in (sites, since, against)) > 1:
        raise typer.BadParameter("choose one of SITE, --since and --against")
    gc.disable()  # thousands of sites are held until the end of this short process: nothing to collect
    found = _customers(sites or [], since, against)
    everybody = found.everybody if since or against else not sites
    again = " ".join(_again(sites or [], kind, since, against))
    if kind is Kind.rollout:
        done = tuple(work.rollout(Path(), found))
        plan = child.Rollout.of(done, everybody=everybody)
        text, portions = child.rollout(plan, again), plan.parts
    else:
        done = tuple(work.one_step(Path(), found.stacks, "preview" if kind is Kind.preview else "drift"))
        portions = child.parts(done)
        text = child.plain(done) if len(portions) < 2 else child.divided(len(portions), again)  # noqa: PLR2004
    if parts:
        for number, portion in enumerate(portions, start=1):
            _write(parts / f"rest-{number}.yml", child.plain(portion))
    else:
        _write(output, text)
    _tell(found, done)


def _customers(sites: list[str], since: str | None, against: str | None) -> Affected:
    folder = Path()
    if revision := since or against:
        return affected(folder, revision, exactly=bool(since))
    files = stack_files(folder)
    chosen = chosen_files(files, tuple(sites), folder) if sites else files
    everybody = tuple(Customer(stack, "program") for stack in chosen)
    return Affected(None, everybody, (), (), len(files))


def _again(sites: list[str], kind: Kind, since: str | None, against: str | None) -> list[str]:
    words = ["pipeline", *sites, "--kind", str(kind), "--parts", "build"]
    words += ["--since", since] if since else []
    words += ["--against", against] if against else []
    return ["ci/xgen", *map(shlex.quote, words)]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _tell(found: Affected, done: tuple[work.Work, ...]) -> None:
    for one in done:
        mark = " (canary)" if one.canary else ""
        typer.echo(f"{one.stack}{mark}: {', '.join(one.steps)}", err=True)
    typer.echo(f"{len(done)} of {found.total} customers", err=True)
    for stack in found.deleted:
        typer.echo(deletion(stack), err=True)
