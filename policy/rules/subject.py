"""What a rule looks at: one resource as the program registered it, or all resources of the stack together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""How the engine writes a value that is not known yet (Pulumi SDK, sentinels of unknown values)."""


@dataclass(frozen=True)
class Hidden:
    """A value that the program marked secret."""

    value: Any = field(repr=False)


@dataclass(frozen=True)
class Resource:
    """A resource: type token, logical name, inputs (camelCase; secrets are `Hidden`), and what guards it.

    `points_at` names, by input, the URNs of the resources whose outputs the input is made of.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False
    urn: str = ""
    points_at: Mapping[str, Sequence[str]] = field(default_factory=dict)


Finding = tuple[Resource, str]
"""A resource, and what is wrong with it and what to do."""


@dataclass(frozen=True)
class Rule:
    """A rule. `each` looks at one resource, `whole` at the stack; both give findings."""

    name: str
    description: str
    each: Callable[[Resource], Iterable[str]] | None = None
    whole: Callable[[Sequence[Resource]], Iterable[Finding]] | None = None


def known(value: Any) -> bool:
    """Whether a value is there and known."""
    return value is not None and not (isinstance(value, str) and value in UNKNOWN)


def bare(value: Any) -> Any:
    """Return a value without the marks of secrets."""
    if isinstance(value, Hidden):
        return bare(value.value)
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, list) else value


def many(value: Any) -> list[Any]:
    """Return a value as a list: nothing, one, or several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give every plain text with its path; what is hidden or unknown is passed over."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, str(index)))
    elif isinstance(value, str) and known(value):
        yield path, value


def truthy(value: Any) -> bool:
    """Whether an input says yes: providers take `true` and "true"."""
    return value is True or value == "true"
