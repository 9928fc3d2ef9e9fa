"""`xgen comment`: what a change does, on its merge request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.pipelines.comment import LIMIT, TOKEN, NoTokenError, Place, body, is_fork, read, upsert

_SAID = {
    "created": "commented on",
    "updated": "updated the comment on",
    "unchanged": "nothing to do: the comment is up to date on",
    "newer": "left as it is, for a newer pipeline has commented on",
}


def comment(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Markdown, joined in this order.")],
) -> None:
    """Put files into the one comment that a merge request has from here: made once, then updated in place.

    For a job of a merge request's pipeline: server, project and merge request come from GitLab's own variables, the
    token from XGEN_COMMENT_TOKEN. Without one, status 3, or 0 for a merge request from a fork, which gets no token.
    """
    texts = read(files)
    place = Place.of(os.environ)
    text = body(texts, place)
    token = os.environ.get(TOKEN, "")
    left = f"The comment stays in {', '.join(map(str, files))}, an artefact of this job"
    if not token and is_fork(os.environ):
        typer.echo(f"A merge request from a fork gets no token, so there is no comment. {left}.")
        return
    if not token:
        raise NoTokenError(
            f"{TOKEN} is not set (or is protected, and this branch is not), so there is no comment. {left}"
        )
    done = upsert(place, token, text, os.environ.get("CI_SERVER_TLS_CA_FILE", ""))
    typer.echo(f"{_SAID[done]} {place.shown}")
    if sum(map(len, texts)) > LIMIT:
        typer.echo("It was cut: more does not fit into a comment.", err=True)
