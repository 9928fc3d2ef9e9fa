"""Questions at a terminal. What is asked goes to standard error, so that standard output is the result alone."""

from __future__ import annotations

import sys
from typing import Any

import typer

from xgen_infra.authoring.answers import Check
from xgen_infra.authoring.questions import Question


def somebody_is_there() -> bool:
    """Whether a person can read a question and reply."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: Question, default: Any, check: Check) -> Any:
    """Put a question until the reply is right; None where it was left open."""
    if question.yes_or_no:
        return typer.confirm(question.words, default=bool(default), err=True)
    while True:
        reply = _reply(question, default)
        wrong = check(reply)
        if not wrong:
            return reply or None
        typer.echo(f"  {wrong}", err=True)


def _reply(question: Question, default: Any) -> Any:
    hint = (
        f" ({', '.join(question.choices)})"
        if question.choices
        else " (several: by commas)"
        if question.many
        else ""
    )
    shown = "" if default is None else default
    text = str(
        typer.prompt(f"{question.words}{hint}", default=shown, show_default=default is not None, err=True)
    ).strip()
    return [part for part in text.replace(",", " ").split() if part] if question.many else text


def ask_secret(words: str, may_stay_open: bool) -> str:
    """Ask for a secret without echo; left open where one is then made up."""
    hint = " (empty: one is made up)" if may_stay_open else ""
    while True:
        reply = str(typer.prompt(f"{words}{hint}", default="", hide_input=True, show_default=False, err=True))
        if reply or may_stay_open:
            return reply
        typer.echo("  a value is needed", err=True)


def ask_passphrase() -> str:
    """Ask twice for the passphrase that encrypts the file's secrets, without echo."""
    words = "Passphrase that encrypts the secrets of the file"
    return str(typer.prompt(words, hide_input=True, confirmation_prompt=True, err=True))
