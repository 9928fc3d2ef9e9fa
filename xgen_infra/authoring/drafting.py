"""From answers to a draft that `xgen check` takes; what it does not take is asked again where somebody can reply."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.authoring.answers import AnswerError, Asker, Check, compose, resolve
from xgen_infra.authoring.draft import Draft
from xgen_infra.authoring.questions import BY_NAME, QUESTIONS, Context, Question
from xgen_infra.findings import Finding, dotted, errors
from xgen_infra.folder import check_folder, stack_files
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile


class DraftRefusedError(AnswerError):
    """Answers that each are right and together are not. `findings` are at places of the file that was not written."""

    def __init__(self, draft: Draft, findings: Sequence[Finding], answers: Collection[str]) -> None:
        self.draft = draft
        self.findings = tuple(findings)
        super().__init__(
            "\n".join(["nothing was written:", *(f"  {said(one, answers)}" for one in findings)])
        )


@dataclass(frozen=True)
class Wish:
    """A file that somebody wants: its stack, the answers given, and values of the site that no question is about.

    Answers of `read` were read from a file: they are judged when the whole site is, at their places there.
    """

    folder: Path
    stack: str
    given: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    only_missing: bool = False
    read: frozenset[str] = frozenset()


def drafted(
    wish: Wish, ask: Asker | None, tell: Callable[[str], None], beside: Sequence[StackFile] = ()
) -> Draft:
    """Return a draft without an error; raises AnswerError, or DraftRefusedError where nobody can reply.

    `beside` are further files that are not written yet.
    """
    context = Context(wish.stack, other_sites(wish.folder, beside))
    given = dict(wish.given)
    asked: set[str] = set()
    again: list[Question] = []

    def once(question: Question, default: Any, check: Check) -> Any:
        """Ask, but what was replied to already, or left open, only where the reply was wrong."""
        assert ask is not None  # noqa: S101
        if question.name in asked and question not in again:
            return None
        asked.add(question.name)
        return ask(question, default, check)

    while True:
        answers = resolve(context, given, once if ask else None, wish)
        draft = Draft(wish.folder, wish.stack, compose(answers, wish.known, context))
        wrong = errors(draft.findings(beside))
        if not wrong:
            return draft
        again = [question for one in wrong if (question := concerned(one, answers))]
        if ask is None or not again:
            raise DraftRefusedError(draft, wrong, answers)
        for one in wrong:
            tell(said(one, answers))
        given = {name: value for name, value in answers.items() if BY_NAME[name] not in again}


def other_sites(folder: Path, beside: Sequence[StackFile] = ()) -> list[Site]:
    """Return the sites of the folder's files that are right, and of `beside`; none where it has no file."""
    if not beside and not stack_files(folder):
        return []
    return [site for _, site in check_folder(folder, proposed=beside).sites.values()]


def concerned(finding: Finding, answers: Collection[str]) -> Question | None:
    """Return the question whose answer stands at a finding's place, or above or below it."""
    for question in QUESTIONS:
        if question.name not in answers:
            continue
        for path in map(dotted, question.paths):
            longer, shorter = sorted((path, finding.path), key=len, reverse=True)
            if shorter and (longer == shorter or longer.startswith((f"{shorter}.", f"{shorter}["))):
                return question
    return None


def said(finding: Finding, answers: Collection[str]) -> str:
    """Return a finding as it concerns somebody who answers questions: by its flag, where it has one."""
    question = concerned(finding, answers)
    return f"{question.flag if question else finding.path}: {finding.message}"
