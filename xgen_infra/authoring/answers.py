"""From flags, a person's replies and defaults to the answers of all questions, and from those to a site's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError

from xgen_infra.authoring.questions import BY_NAME, QUESTIONS, VENDORS, Answers, Context, Question
from xgen_infra.findings import KeyPath, shown
from xgen_infra.outline import at, field_at, keys_of, words_at
from xgen_infra.site import Site

Check = Callable[[Any], str]
"""Says what is wrong with a reply; empty where nothing is."""


class AnswerError(Exception):
    """Flags that lack something, contradict each other, or have a wrong value; `status` means wrong usage."""

    status = 2


class Asker(Protocol):
    """Puts a question to a person; returns the reply, None where it was left open."""

    def __call__(self, question: Question, default: Any, check: Check, /) -> Any:
        """Ask until `check` has nothing to say."""


class Wanted(Protocol):
    """What is known before anything is asked."""

    @property
    def known(self) -> Mapping[str, Any]:
        """Values of the site that no question is about."""

    @property
    def only_missing(self) -> bool:
        """Whether only what has neither answer nor default is asked."""

    @property
    def read(self) -> frozenset[str]:
        """The answers that are judged later, with the whole site."""


def resolve(context: Context, given: Mapping[str, Any], ask: Asker | None, wanted: Wanted) -> dict[str, Any]:
    """Return the answers: those given, then replies, then defaults. Without `ask` nobody is there to reply.

    Raises AnswerError, which names every flag that is missing.
    """
    answers: dict[str, Any] = {}
    missing: list[Question] = []
    for question in QUESTIONS:
        value = given.get(question.name)
        if not question.when(answers):
            if not _is_open(value):
                raise AnswerError(f"{question.flag} does not apply {_beside(answers)}: leave it out")
            continue
        check = _checker(question, {**compose(answers, wanted.known, context), **_stack(context)})
        if _is_open(value):
            value = _unsaid(question, answers, context, ask, check, wanted)
        if not _is_open(value):
            if question.name not in wanted.read and (wrong := check(value)):
                raise AnswerError(f"{question.flag}: {wrong}")
            answers[question.name] = value
        elif question.required(answers):
            missing.append(question)
            if question.name == "kind":  # every other question depends on it
                break
    if missing:
        lines = "".join(f"\n  {question.flag}  {question.words}" for question in missing)
        raise AnswerError(f"an answer is missing; write it as a flag, or answer at a terminal:{lines}")
    return answers


def _unsaid(
    question: Question, answers: Answers, context: Context, ask: Asker | None, check: Check, wanted: Wanted
) -> Any:
    """Return the reply, or the default, where no answer was given."""
    default = question.default(answers, context)
    required = question.required(answers)
    if ask is None or not question.asked or (wanted.only_missing and (default is not None or not required)):
        return default
    return ask(question, default, _asked(check, required=required))


def _is_open(value: Any) -> bool:
    return value is None or value in ("", (), [])


def _beside(answers: Answers) -> str:
    chosen = (
        f"{BY_NAME[name].flag} {answers[name]}"
        for name in ("kind", "registry", "exposure")
        if name in answers
    )
    return f"beside {', '.join(chosen)}"


def _stack(context: Context) -> dict[str, Any]:
    return {"stack": context.stack}


def _asked(check: Check, *, required: bool) -> Check:
    lack = "an answer is needed" if required else ""
    return lambda value: lack if _is_open(value) else check(value)


def _checker(question: Question, data: Mapping[str, Any]) -> Check:
    def check(value: Any) -> str:
        if question.choices:
            return (
                ""
                if value in question.choices
                else f"found {shown(value)}; expected one of {', '.join(question.choices)}"
            )
        return next(filter(None, (_wrong(value, data, path) for path in question.paths)), "")

    return check


def _wrong(value: Any, data: Mapping[str, Any], path: KeyPath) -> str:
    """Return what the models say against a value at a path of the site; empty where they take it."""
    said = []
    for expected in at(Site, data, path):
        annotated: Any = (
            Annotated[(expected.kind, *expected.metadata)] if expected.metadata else expected.kind
        )
        try:
            TypeAdapter(annotated).validate_python(value)
        except ValidationError as error:
            said.append(_message(error, words_at(Site, data, path)))
        else:
            return ""
    return next(iter(said), "")


def _message(error: ValidationError, expected: str) -> str:
    first = error.errors(include_url=False)[0]
    said = (
        first["msg"].removeprefix("Value error, ")
        if first["type"] == "value_error"
        else f"expected {expected}"
    )
    return f"found {shown(first['input'])}; {said}"


_ADOPTED = ("namespace", "argocd", "dataServices")


def compose(answers: Answers, known: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return the value of `xgen-infra:site`: answers over `known`, in the models' order, defaults left out."""
    site: dict[str, Any] = deepcopy(dict(known))
    filled: set[KeyPath] = set()
    for question in QUESTIONS:
        for path in question.paths if question.name in answers else ():
            if path not in filled:  # of two answers for a place the narrower one comes first
                _set(site, path, answers[question.name])
                filled.add(path)
    if answers.get("registry") not in {None, VENDORS}:
        _set(site, ("registry", "kind"), answers["registry"])
    if answers.get("adopt"):
        for name in _ADOPTED:
            _set(site, ("cluster", "adopt", name), True)
    ordered: dict[str, Any] = _ordered(site, {**site, **_stack(context)}, ())
    return ordered


def _set(site: dict[str, Any], path: KeyPath, value: Any) -> None:
    part: dict[str, Any] = site
    for key in path[:-1]:
        part = part.setdefault(str(key), {})
    part[str(path[-1])] = list(value) if isinstance(value, (list, tuple)) else value


def _ordered(value: Any, data: Mapping[str, Any], path: KeyPath) -> Any:
    """Return a part of the site with its keys as the models have them, and without what is the default anyway."""
    if not isinstance(value, Mapping):
        return value
    models = [item.model for item in at(Site, data, path) if item.model]
    order = [key for model in models for key in keys_of(model)]
    keys = sorted(value, key=lambda key: order.index(key) if key in order else len(order))
    made = {key: _ordered(value[key], data, (*path, key)) for key in keys}
    return {key: item for key, item in made.items() if not _is_default(item, data, (*path, key))}


def _is_default(value: Any, data: Mapping[str, Any], path: KeyPath) -> bool:
    if path[-1] == "kind":
        return False
    field = field_at(Site, data, path)
    if field is None or field.is_required():
        return False
    if isinstance(value, Mapping):
        return not value and (field.default_factory is not None or isinstance(field.default, BaseModel))
    return bool(field.default == value) and type(field.default) is type(value)
