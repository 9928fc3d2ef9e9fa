"""Property bags between the engine's wire form (protobuf Struct) and plain JSON values."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import json_format, struct_pb2

from xgen_infra.engine.special import OUTPUT, SECRET, SIGNATURE, UNKNOWN
from xgen_infra.rehearsal.standins.contract import Props

_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[\]]+)')


def plain(struct: struct_pb2.Struct, *, nulls: bool = False) -> Props:
    """Return a bag as plain values: whole numbers as int, secrets unwrapped, nulls left out unless `nulls`."""
    bag = _plain(json_format.MessageToDict(struct), nulls)
    assert isinstance(bag, dict)  # noqa: S101
    return {key: value for key, value in bag.items() if value is not None}


def _plain(value: Any, nulls: bool) -> Any:
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature == SECRET or (signature == OUTPUT and "value" in value):
            return _plain(value.get("value"), nulls)
        if signature == OUTPUT:
            return UNKNOWN
        return {key: _plain(item, nulls) for key, item in value.items() if nulls or item is not None}
    if isinstance(value, list):
        return [_plain(item, nulls) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def struct(bag: Props, secret: frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """Return plain values in wire form; top-level keys in `secret` are marked."""
    marked = {
        key: {SIGNATURE: SECRET, "value": value} if key in secret else value
        for key, value in bag.items()
        if value is not None
    }
    return json_format.ParseDict(marked, struct_pb2.Struct())


def has_unknown(value: Any) -> bool:
    """Whether a value is, or contains, one that is not known yet."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return bool(value == UNKNOWN)


def differences(old: Any, new: Any, path: str = "", *, strict: bool = False) -> dict[str, str]:
    """Return what changed as {property path: "add" | "delete" | "update"}.

    Unless `strict`, an empty list or map equals a missing one. A value that is not known yet is an update.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found: dict[str, str] = {}
        for key in sorted({*old, *new}):
            found |= differences(old.get(key), new.get(key), join(path, key), strict=strict)
        return found
    if isinstance(old, list) and isinstance(new, list):
        return _list_differences(old, new, path, strict=strict)
    if old == new or (not strict and _empty(old) and _empty(new)):
        return {}
    if old is None:
        return {path: "add"}
    return {path: "delete" if new is None else "update"}


def _list_differences(old: list[Any], new: list[Any], path: str, *, strict: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, (before, after) in enumerate(zip(old, new, strict=False)):
        found |= differences(before, after, f"{path}[{index}]", strict=strict)
    for index in range(len(old), len(new)):
        found[f"{path}[{index}]"] = "add"
    for index in range(len(new), len(old)):
        found[f"{path}[{index}]"] = "delete"
    return found


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [])


def join(path: str, key: str) -> str:
    """Return the path of a key below a property path, quoted where it has to be."""
    if not re.fullmatch(r"[A-Za-z_$][\w$-]*", key):
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key


def steps(path: str) -> list[str | int]:
    """Return the steps of a property path: `a["b.c"][0].d` is ["a", "b.c", 0, "d"]."""
    found: list[str | int] = []
    for quoted, index, name in _STEP.findall(path):
        if index:
            found.append(int(index))
        else:
            found.append(name or re.sub(r"\\(.)", r"\1", quoted))
    return found


def at(value: Any, way: list[str | int]) -> Any:
    """Return what stands at a path, or None."""
    for step in way:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def unknown_at(value: Any, path: str) -> bool:
    """Whether what stands at a path, or above it, is or contains a value that is not known yet."""
    way = steps(path)
    if any(at(value, way[:length]) == UNKNOWN for length in range(len(way))):
        return True
    return has_unknown(at(value, way))


def touches(way: list[str | int], changed: list[str | int]) -> bool:
    """Whether a change at one path lies at, within or around another; list indexes do not count."""
    a, b = ([step for step in one if isinstance(step, str)] for one in (way, changed))
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]
