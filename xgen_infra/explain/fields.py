"""Every field of a customer's file, written or not: which there are, and what each is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import get_origin

from xgen_infra.explain.inputs import STACK, Inputs, at
from xgen_infra.findings import KeyPath
from xgen_infra.outline import Expectation, described, keys_of
from xgen_infra.outline import at as expected_at
from xgen_infra.site import Site

_STEP = re.compile(r"\.?(?:(?P<name>[\w:-]+)|\[(?P<index>\d+)\]|\['(?P<quoted>[^']+)'\])")


def leaf_paths(inputs: Inputs) -> list[KeyPath]:
    """Return the path of every field that holds no other: those of the models, the entries of `vars`, the stack.

    A part that may be missing and is (`management`, `cluster.vpc`) is one field.
    """
    return [STACK, *_below(inputs, ())]


def _below(inputs: Inputs, path: KeyPath) -> Iterator[KeyPath]:
    expected = expected_at(Site, inputs.data, path)
    models = [item.model for item in expected if item.model]
    if not models:
        yield from _entries(inputs, path) if any(map(_is_mapping, expected)) else [path]
    elif path and at(inputs.effective, path) is None:
        yield path
    else:
        for key in dict.fromkeys(key for model in models for key in keys_of(model)):
            yield from _below(inputs, (*path, key))


def _is_mapping(expected: Expectation) -> bool:
    return get_origin(expected.kind) is dict


def _entries(inputs: Inputs, path: KeyPath) -> Iterator[KeyPath]:
    written = at(inputs.data, path)
    for name in written if isinstance(written, Mapping) else ():
        yield (*path, name)


def purpose(inputs: Inputs, path: KeyPath) -> str:
    """Return in one line what the models say of a field: its description, or that of the part it belongs to."""
    if path == STACK:
        return "the stack's name, which the file's name gives"
    depths = range(len(path), 0, -1)
    return next(filter(None, (described(Site, inputs.data, path[:depth]) for depth in depths)), "")


def parsed(text: str) -> KeyPath:
    """Return the path that people write: `cluster.apiAccess[0]`, `vars['a.b']`; empty where it is none."""
    path: list[str | int] = []
    end = 0
    while end < len(text):
        found = _STEP.match(text, end)
        if not found:
            return ()
        index = found["index"]
        path.append(int(index) if index else found["name"] or found["quoted"])
        end = found.end()
    return tuple(path)
