"""`xgen import`: customers' files from an older `projects/*.yaml`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.authoring.credentials import Credentials
from xgen_infra.authoring.draft import Draft
from xgen_infra.authoring.sealing import Sealed
from xgen_infra.cli.authoring import NoInput, Provider, SecretFiles, Secrets, finish, with_questions
from xgen_infra.projects.bring import Import, Order, bring


@with_questions
def import_projects(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A projects/*.yaml.")],
    answers: dict[str, Any],
    environment: Annotated[str | None, typer.Option(help="Only this environment of the file.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name for the stack.")] = None,
    secret_file: SecretFiles = None,
    secrets_provider: Provider = "passphrase",
    no_input: NoInput = False,
    as_data: Annotated[bool, typer.Option("--json", help="The account of every value as JSON.")] = False,
) -> None:
    """Carry an older projects/*.yaml over to customers' files: one for each environment and destination.

    What the older file does not say is asked, or taken from flags, as in `xgen new`. Every value of it is accounted
    for: carried over, derived anyway, or left behind with the reason. No file is written over; where something is
    wrong, none is written.
    """
    secrets = Secrets(secret_file, secrets_provider, silent=no_input)
    done = bring(
        Order(Path(), path, answers, environment, name), secrets.ask, lambda line: typer.echo(line, err=True)
    )
    ready: list[tuple[Draft, Credentials, Sealed]] = []
    for one in done.brought:
        chosen = one.draft.model()
        assert chosen is not None  # noqa: S101
        ready.append((one.draft, *secrets.of(chosen, one.secrets)))
    for draft, _, sealed in ready:
        draft.write(sealed)
    _account(done, as_data=as_data)
    finish([(draft, made) for draft, made, _ in ready], secrets.init, err=as_data)


def _account(done: Import, *, as_data: bool) -> None:
    files = [str(one.draft.path) for one in done.brought]
    if as_data:
        data = {"files": files, "values": [asdict(entry) for entry in done.entries]}
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    for one in done.brought:
        typer.echo(f"{one.draft.path}: written")
        for note in one.notes:
            typer.echo(f"  {note}")
    fates = {
        fate: [entry for entry in done.entries if entry.fate == fate]
        for fate in ("carried", "derived", "left")
    }
    typer.echo(f"{len(fates['carried'])} values carried over, {len(fates['derived'])} follow from others:")
    for entry in fates["derived"]:
        typer.echo(f"  {entry.text}")
    typer.echo(f"{len(fates['left'])} left behind{':' if fates['left'] else ''}")
    for entry in fates["left"]:
        typer.echo(f"  {entry.text}")
