"""`xgen new`: a new customer's file, by questions or by flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.authoring.draft import refuse_taken
from xgen_infra.authoring.drafting import Wish, drafted
from xgen_infra.cli.authoring import NoInput, Provider, SecretFiles, Secrets, finish, with_questions


@with_questions
def new(
    site: Annotated[str, typer.Argument(metavar="SITE", help="The new stack's name.")],
    answers: dict[str, Any],
    secret_file: SecretFiles = None,
    secrets_provider: Provider = "passphrase",
    no_input: NoInput = False,
) -> None:
    """Write a new customer's file, Pulumi.SITE.yaml, and check it together with all others.

    At a terminal whatever no flag answers is asked, with a default where there is one; elsewhere the flags and the
    defaults have to do. Passwords that somebody else has are asked without echo, or read from --secret-file or from
    variables (XGEN_REGISTRY_PASSWORD, XGEN_GIT_PASSWORD ...); the others are made up. All of them are written
    encrypted, none is shown. A file that is there is never written over.
    """
    folder = Path()
    refuse_taken(folder, site)
    secrets = Secrets(secret_file, secrets_provider, silent=no_input)
    draft = drafted(Wish(folder, site, answers), secrets.ask, lambda line: typer.echo(line, err=True))
    chosen = draft.model()
    assert chosen is not None  # noqa: S101
    made, sealed = secrets.of(chosen)
    draft.write(sealed)
    typer.echo(f"{draft.path}: written")
    finish([(draft, made)], secrets.init)
