"""What `new` and `import` share on the command line: the flags of all questions, the secrets, the last words."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xgen_infra.authoring.answers import Asker
from xgen_infra.authoring.credentials import Credentials, credentials, from_files, read_text, server
from xgen_infra.authoring.draft import Draft
from xgen_infra.authoring.interview import ask, ask_passphrase, ask_secret, somebody_is_there
from xgen_infra.authoring.questions import QUESTIONS, Question
from xgen_infra.authoring.sealing import PASSPHRASE, KeyService, Sealed, Sealer, sealer
from xgen_infra.findings import errors
from xgen_infra.folder import check_folder
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site

SecretFiles = Annotated[
    list[str] | None,
    typer.Option("--secret-file", metavar="KEY=FILE", help="A secret's value is in a file; may be repeated."),
]
Provider = Annotated[
    str, typer.Option(help="What encrypts the secrets: passphrase, or a key's URL: awskms://alias/...")
]
NoInput = Annotated[bool, typer.Option("--no-input", help="Ask nothing, not even at a terminal.")]


def with_questions(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb a flag for each question; it gets those used as `answers`, by the question's name."""
    own = inspect.signature(function, eval_str=True).parameters.values()
    flags = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(one))
        for one in QUESTIONS
    ]
    names = {one.name for one in QUESTIONS}

    def verb(**arguments: Any) -> None:
        used = {name: arguments.pop(name) for name in names}
        answers = {name: _plain(value) for name, value in used.items() if value not in (None, [], ())}
        function(**arguments, answers=answers)

    parameters = [one for one in own if one.name != "answers"]
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    verb.__signature__ = inspect.Signature([*keywords, *flags])  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in (*keywords, *flags)}
    verb.__doc__ = function.__doc__
    return verb


def _option(question: Question) -> Any:
    kind: Any = str
    if question.yes_or_no:
        kind = bool
    elif question.choices:
        kind = Literal[question.choices]
    elif question.many:
        kind = list[str]
    elif question.file:
        kind = Path
    flags = [f"{question.flag}/--no-{question.flag[2:]}" if question.yes_or_no else question.flag]
    words = f"{question.words}; may be repeated." if question.many else question.words
    return Annotated[kind | None, typer.Option(*flags, help=words, show_default=False)]


def _plain(value: Any) -> Any:
    """Return a flag's value; of a file what it holds. Raises AnswerError where that is no text."""
    return read_text(value, empty="it has to hold something") if isinstance(value, Path) else value


class Secrets:
    """How this call comes by secrets, and what encrypts them."""

    def __init__(self, files: list[str] | None, provider: str, *, silent: bool) -> None:
        self._asked = somebody_is_there() and not silent
        self.given = from_files(files or [])
        self.provider = provider
        if provider != PASSPHRASE:
            sealer(provider)  # a wrong URL is refused before anything is asked
        self._sealer: Sealer | None = None

    @property
    def ask(self) -> Asker | None:
        """Who replies to questions, if anybody."""
        return ask if self._asked else None

    def of(self, site: Site, read: Mapping[str, str] | None = None) -> tuple[Credentials, Sealed]:
        """Return a site's secrets, plain and sealed; `read` are those that the file of a running platform holds."""
        found = credentials(
            site, {**(read or {}), **self.given}, ask_secret if self._asked else None, runs=read is not None
        )
        self._sealer = self._sealer or sealer(self.provider, ask_passphrase if self._asked else None)
        return found, self._sealer.seal(site.stack, found.values)

    @property
    def init(self) -> list[str]:
        """The options of `pulumi stack init` that name the key service."""
        return ["--secrets-provider", self.provider] if isinstance(self._sealer, KeyService) else []


def finish(drafts: Sequence[tuple[Draft, Credentials]], init: list[str], *, err: bool = False) -> None:
    """Check the files that were written together with all others, and say what comes next; ends with the verdict."""
    report = check_folder(Path())
    for finding in report.findings:
        typer.echo(finding.text, err=err)
    typer.echo(report.summary, err=True)
    for draft, made in drafts:
        typer.echo(f"Next for {draft.stack}:", err=err)
        for line in _steps(draft, made, init):
            typer.echo(f"  {line}", err=err)
    names = {str(draft.path) for draft, _ in drafts}
    if any(finding.file in names for finding in errors(report.findings)):
        raise typer.Exit(1)


def _steps(draft: Draft, made: Credentials, init: list[str]) -> Iterable[str]:
    stack, site = draft.stack, draft.model()
    assert site is not None  # noqa: S101
    yield shlex.join(["xgen", "rehearse", stack])
    yield shlex.join(["git", "add", draft.path.name])
    yield shlex.join(["pulumi", "stack", "init", stack, *init])
    for secret in SECRETS:
        if secret.key not in made.made:
            continue
        host = server(secret.key, site)
        if made.made[secret.key].public:
            yield f"give the Git server this public key, read-only: {made.made[secret.key].public}"
        elif host:
            show = shlex.join(["pulumi", "config", "get", secret.config_key, "--stack", stack])
            yield f"{show}    # made up: set it at {host}"
