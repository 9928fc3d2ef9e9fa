"""Plain values as leaves, and where two of them differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xgen_infra.findings import KeyPath

MISSING = object()
"""What is not there at all: it has no leaf."""


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield (path, value) of everything that holds nothing else; an empty mapping or list is a leaf."""
    if value is MISSING:
        return
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, (list, tuple)) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def changed(one: Any, other: Any) -> frozenset[KeyPath]:
    """Return the paths of the leaves that only one of two values has, or that differ."""
    first, second = dict(leaves(one)), dict(leaves(other))
    return frozenset(path for path in {*first, *second} if _differ(path, first, second))


def _differ(path: KeyPath, first: dict[KeyPath, Any], second: dict[KeyPath, Any]) -> bool:
    if path not in first or path not in second:
        return True
    one, other = first[path], second[path]
    return type(one) is not type(other) or bool(one != other)


def pointer(path: KeyPath) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)
