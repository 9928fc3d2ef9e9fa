"""Property bags between the engine's wire form (protobuf Struct) and plain JSON values."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2

from xgen_infra.rehearsal.standins.contract import UNKNOWN, Props

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key of a special value on the wire (pulumi sdk, `resource.SigKey`)."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a secret
"""The signature of a secret (pulumi sdk, `resource.SecretSig`)."""


def plain(struct: struct_pb2.Struct) -> Props:
    """Return a bag as plain values: whole numbers as int, secrets unwrapped, nulls left out."""
    bag = _plain(json_format.MessageToDict(struct))
    assert isinstance(bag, dict)  # noqa: S101
    return bag


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return _plain(value.get("value"))
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
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


def differences(old: Any, new: Any, path: str = "") -> dict[str, str]:
    """Return what changed as {property path: "add" | "delete" | "update"}; numbers equal their text."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: dict[str, str] = {}
        for key in sorted({*old, *new}):
            found |= differences(old.get(key), new.get(key), _join(path, key))
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        found = {}
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            found |= differences(before, after, f"{path}[{index}]")
        return found
    if old == new or (_empty(old) and _empty(new)):
        return {}
    if old is None:
        return {path: "add"}
    return {path: "delete" if new is None else "update"}


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [])


def _join(path: str, key: str) -> str:
    simple = key.replace("_", "").replace("-", "").isalnum()
    if not simple:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def without_indexes(path: str) -> str:
    """Return a property path without list indexes: `a[0].b` is `a.b`."""
    parts = [part.split("]", 1)[-1] if index else part for index, part in enumerate(path.split("["))]
    return "".join(parts)
