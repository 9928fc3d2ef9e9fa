"""Changes single values of a YAML text in place: every line that is not changed stays as people wrote it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode

from xgen_infra.findings import KeyPath, dotted
from xgen_infra.yaml_splice import EditError, Splice, Value

__all__ = ["EditError", "Value", "edit_file", "read_text", "remove", "set_value"]


def set_value(text: str, path: KeyPath, value: Value) -> str:
    """Return the text with one value set; keys on the way that are missing are added.

    Comments, order, quoting, line endings of everything else stay. EditError where the text is not one YAML
    mapping, where the path leads through a list or a plain value, or where an anchor shares the value.
    """
    if not path:
        raise EditError("a path of at least one key is needed")
    root = _root(text)
    expected = _with(_data(text), path, value)
    return _checked(Splice(text).set(root, path, value), expected, path)


def remove(text: str, path: KeyPath) -> str:
    """Return the text without one key, and without the parents that would be left empty.

    A key that is not there is no error. Otherwise as `set_value`.
    """
    root, data = _root(text), _data(text)
    while path and _at(data, path) is not _ABSENT:
        parent = _at(data, path[:-1])
        if len(path) > 1 and isinstance(parent, dict) and len(parent) == 1:
            path = path[:-1]
            continue
        expected = _without(data, path)
        return _checked(Splice(text).remove(root, path), expected, path)
    return text


def edit_file(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the mode it had; `text` keeps its own line endings."""
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            os.fchmod(stream.fileno(), target.stat().st_mode & 0o7777)
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str:
    """Read a file with its line endings and byte order mark as they are."""
    return path.read_bytes().decode()


_ABSENT = object()


def _root(text: str) -> MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise EditError(f"not one YAML document: {' '.join(str(error).split())}") from None
    if not isinstance(root, MappingNode):
        raise EditError("not a YAML mapping")
    return root


def _data(text: str) -> Any:
    try:
        return _unshared(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise EditError(f"not one YAML document: {' '.join(str(error).split())}") from None


def _unshared(value: Any) -> Any:
    """Return a copy in which an anchor's value stands once for each alias."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, (list, tuple)) else value


def _at(data: Any, path: KeyPath) -> Any:
    for key in path:
        inside = isinstance(data, list) and isinstance(key, int) and key < len(data)
        if not inside and not (isinstance(data, dict) and key in data):
            return _ABSENT
        data = data[key]
    return data


def _with(data: Any, path: KeyPath, value: Value) -> Any:
    if not path:
        return _unshared(value)
    if isinstance(data, list) and isinstance(path[0], int) and path[0] < len(data):
        return [_with(v, path[1:], value) if n == path[0] else v for n, v in enumerate(data)]
    base = data if isinstance(data, dict) else {}
    return {**base, path[0]: _with(base.get(path[0]), path[1:], value)}


def _without(data: Any, path: KeyPath) -> Any:
    if isinstance(data, list) and isinstance(path[0], int):
        return [_without(v, path[1:]) if n == path[0] else v for n, v in enumerate(data)]
    if len(path) == 1:
        return {key: item for key, item in data.items() if key != path[0]}
    return {**data, path[0]: _without(data[path[0]], path[1:])}


def _checked(text: str, expected: Any, path: KeyPath) -> str:
    try:
        same = _data(text) == expected
    except EditError:
        same = False
    if not same:
        raise EditError(
            f"{dotted(path)} cannot be changed alone: an anchor or an unusual form is in the way; edit it by hand"
        )
    return text
