"""Other values that a field of the file could have: what is tried in its place to see what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import WithJsonSchema
from pydantic.fields import FieldInfo

from xgen_infra.explain.differences import leaves
from xgen_infra.explain.inputs import REMOVED, STACK, Inputs, at
from xgen_infra.findings import KeyPath
from xgen_infra.outline import Expectation
from xgen_infra.outline import at as expected_at
from xgen_infra.site import Site
from xgen_infra.site.base import Matching

_PROBES = (
    "probe.example",
    "192.0.2.7",
    "http://probe.example",
    "https://probe.example",
    "http://probe.example/probe.git",
    "https://probe.example/probe.git",
    "ssh://git@probe.example/probe.git",
    "3Gi",
)
"""Shapes that the program tells apart: names and addresses of hosts, schemes of URLs, amounts."""


def variations(inputs: Inputs, path: KeyPath) -> list[Inputs]:
    """Return inputs that differ in one field, in each way that could matter.

    They are ones that `xgen check` takes; where it takes none of those tried, ones that the models take.
    """
    now = inputs.stack if path == STACK else at(inputs.effective, path)
    found: list[Inputs] = []
    for group in _groups(inputs, path, now):
        usable = (one for one in (inputs.varied(path[:depth], value) for depth, value in group) if one.site)
        best = next((one for one in islice(usable, _TRIES) if one.passes), None)
        found += [best] if best else []
    if not found:
        for group in _groups(inputs, path, now):
            varied = (inputs.varied(path[:depth], value) for depth, value in group)
            found += islice((one for one in varied if one.site), 1)
    return [one for one in found if one.site != inputs.site]


_TRIES = 24
Group = Iterator[tuple[int, Any]]
"""Values of one shape, the first usable one speaking for all: (how much of the path is replaced, value)."""


def _groups(inputs: Inputs, path: KeyPath, now: Any) -> Iterator[Group]:
    whole = len(path)
    if path == STACK:
        yield ((whole, text) for text in bumped(inputs.stack))
        return
    if path[-1] == "kind":
        for parts in _other_kinds(inputs, path[:-1]):
            yield ((whole - 1, part) for part in parts)
    for expected in expected_at(Site, inputs.data, path):
        choice = get_origin(expected.kind) is Literal
        for group in (*_values(expected, now), *_neighbours(inputs, path, expected)):
            yield _alone_or_with(path, group) if choice and whole > 1 else ((whole, one) for one in group)
    if inputs.owner(path) == "file":
        yield iter([(whole, REMOVED)])


def _neighbours(inputs: Inputs, path: KeyPath, expected: Expectation) -> Iterator[Iterator[Any]]:
    """Yield the numbers of the same part of the file: two that are alike may be told once."""
    if expected.kind is int and len(path) > 1:
        part = at(inputs.effective, path[:1])
        numbers = {leaf for _, leaf in leaves(part) if type(leaf) is int}
        yield from (iter([number]) for number in sorted(numbers))


def _alone_or_with(path: KeyPath, values: Iterator[Any]) -> Group:
    """Yield a choice alone, then without what stands beside it and may contradict it."""
    for value in values:
        yield len(path), value
        yield len(path) - 1, {str(path[-1]): value}


def _other_kinds(inputs: Inputs, parent: KeyPath) -> Iterator[list[dict[str, Any]]]:
    """Yield the part at `parent` as each other kind: what both kinds know stays, what is required is made up.

    Each kind comes in two forms, the second with every field that has no default made up too.
    """
    here = at(inputs.data, parent) or {}
    members = [one.model for one in expected_at(Site, {}, parent) if one.model]
    for model in members if len(members) > 1 else ():
        known = {info.alias or name: info for name, info in model.model_fields.items()}
        kept = {key: value for key, value in here.items() if key in known and key != "kind"}
        needed = {key: _made_up(info) for key, info in known.items() if info.is_required()}
        open_ = {key: _made_up(info) for key, info in known.items() if info.default is None}
        if needed.get("kind") != here.get("kind"):
            yield [{**needed, **kept}, {**open_, **needed, **kept}]


def _values(expected: Expectation, now: Any) -> Iterator[Iterator[Any]]:
    origin = get_origin(expected.kind)
    if expected.model:
        if now is None:
            yield iter([example(expected)])
    elif expected.kind is bool:
        yield from (iter([value]) for value in (True, False) if value is not now)
    elif origin is Literal:
        yield from (iter([value]) for value in get_args(expected.kind) if value != now)
    elif expected.kind is int:
        yield from (iter([number]) for number in _numbers(expected, now))
    elif origin is dict:
        yield iter([{"EXAMPLE": "example"}])
    elif origin is tuple:
        yield from _lists(expected, list(now or []))
    else:
        yield from _texts(expected, now)


def _numbers(expected: Expectation, now: Any) -> Iterator[int]:
    """Yield numbers near the one in effect, and the bounds: where numbers are sorted, that moves all of them."""
    low, high = expected.first(Ge), expected.first(Le)
    start = now if isinstance(now, int) else (low.ge if low else 1) - 1
    yield from (start + step for step in (1, 2, 3, -1))
    yield from (bound for bound in (low and low.ge, high and high.le) if bound is not None)


def _lists(expected: Expectation, now: list[Any]) -> Iterator[Iterator[Any]]:
    inner = expectation(get_args(expected.kind)[0])
    if now:
        yield ([*now[:-1], value] for group in _values(inner, now[-1]) for value in group)
        yield iter([now[:-1]])
        yield ([*now, value] for group in _values(inner, now[-1]) for value in group)
    else:
        yield ([value] for group in [[example(inner)], *_values(inner, None)] for value in group)


def _texts(expected: Expectation, now: Any) -> Iterator[Iterator[Any]]:
    if isinstance(now, str) and any(letter.isalnum() for letter in now):
        yield bumped(now)
    else:
        yield from (iter([text]) for text in (example(expected), *_examples(expected)))
        yield bumped(str(example(expected)))
    if not _is_free(expected):
        yield from (iter([probe]) for probe in _PROBES)


def _is_free(expected: Expectation) -> bool:
    """Whether any text will do, so that no shape of it means anything to the program."""
    matching = expected.first(Matching)
    return matching.fits("any text: at all") if matching else not expected.metadata


def _examples(expected: Expectation) -> list[Any]:
    schema = expected.first(WithJsonSchema)
    return list(schema.json_schema.get("examples", ())) if schema and schema.json_schema else []


def bumped(text: str) -> Iterator[str]:
    """Yield the text with one letter or digit replaced by the next of its kind, the last one first."""
    for index in range(len(text) - 1, -1, -1):
        letter = text[index]
        if letter.isascii() and letter.isalnum():
            yield text[:index] + _next(letter) + text[index + 1 :]


def _next(letter: str) -> str:
    first, last = ("0", "9") if letter.isdigit() else ("a", "z") if letter.islower() else ("A", "Z")
    return first if letter == last else chr(ord(letter) + 1)


def example(expected: Expectation) -> Any:  # noqa: PLR0911 - one line a kind of field
    """Return a value of the expected kind: the models' own example where they have one."""
    matching, examples = expected.first(Matching), _examples(expected)
    origin = get_origin(expected.kind)
    if expected.model:
        fields = expected.model.model_fields.items()
        return {info.alias or name: _made_up(info) for name, info in fields if info.is_required()}
    if matching:
        return matching.example
    if examples:
        return examples[0]
    if origin is Literal:
        return get_args(expected.kind)[0]
    if origin is tuple:
        return [example(expectation(get_args(expected.kind)[0]))] * 2
    if expected.kind in (bool, int):
        return expected.kind()
    return "example"


def _made_up(info: FieldInfo) -> Any:
    kinds = [part for part in get_args(info.annotation) if part is not type(None)]
    optional = info.default is None and len(kinds) == 1
    if not optional:
        return example(Expectation(info.annotation, tuple(info.metadata)))
    return example(expectation(kinds[0]))


def expectation(annotation: Any) -> Expectation:
    """Return what an annotation, with all that it is annotated with, expects."""
    if not hasattr(annotation, "__metadata__"):
        return Expectation(annotation, ())
    kind, *metadata = get_args(annotation)
    return Expectation(kind, tuple(metadata))
