"""What the models expect at each place of the file, in words: for refusals and suggestions."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, StrictBool, StrictInt, WithJsonSchema
from pydantic.fields import FieldInfo

from xgen_infra.findings import KeyPath
from xgen_infra.site.base import Matching

_FEW = 12
SEED_WORDS = {
    "registryHost": "registry.host",
    "credentialId": "registry.credentialId",
    "domain": "exposure.domain",
    "destinations": "exposure.domain",
    "environments": "services",
}
"""Keys of the older projects/*.yaml, and what they are called here."""


@dataclass(frozen=True)
class Expectation:
    """What stands at one place: the annotation and everything it is annotated with."""

    kind: Any
    metadata: tuple[Any, ...]

    @property
    def model(self) -> type[BaseModel] | None:
        """The model, where a mapping of known keys is expected."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, BaseModel) else None

    def first(self, kind: type[Any]) -> Any:
        """Return the first annotation of a kind; None where there is none."""
        return next((item for item in self.metadata if isinstance(item, kind)), None)

    @property
    def words(self) -> str:  # noqa: PLR0911
        """What is expected, as a phrase with an example where the models have one."""
        matching = self.first(Matching)
        if matching:
            return f"{matching.expected}, such as {matching.example!r}"
        schema = self.first(WithJsonSchema)
        if schema and schema.json_schema and "examples" in schema.json_schema:
            return "a value such as " + " or ".join(repr(text) for text in schema.json_schema["examples"])
        if get_origin(self.kind) is Literal:
            return "one of " + ", ".join(_literal(value) for value in get_args(self.kind))
        if self.kind is bool:
            return "true or false"
        if self.kind is int:
            low, high = self.first(Ge), self.first(Le)
            return f"a whole number from {low.ge} to {high.le}" if low and high else "a whole number"
        if self.model:
            return f"a mapping with {_some(keys_of(self.model))}"
        origin = get_origin(self.kind)
        if origin is tuple:
            least = self.first(MinLen)
            return f"a list of at least {least.min_length}" if least else "a list"
        if origin is dict:
            return "a mapping of names to text"
        return "text"


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _some(names: list[str]) -> str:
    shown = names[:_FEW]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they stand in the file."""
    return list(_fields(model))


@cache
def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {
        str(field.alias or name): field for name, field in model.model_fields.items() if not field.exclude
    }


def _alternatives(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[Expectation]:
    """Yield what an annotation admits, `None` left out, inner annotations before outer ones."""
    if annotation in (StrictBool, StrictInt):
        yield Expectation(get_args(annotation)[0], metadata)
    elif get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _alternatives(inner, (*_flat(more), *metadata))
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            if part is not type(None):
                yield from _alternatives(part, metadata)
    else:
        yield Expectation(annotation, metadata)


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _below(expectation: Expectation, key: str | int) -> Iterator[Expectation]:
    if expectation.model:
        field = _fields(expectation.model).get(str(key))
        if field:
            yield from _alternatives(field.annotation, tuple(field.metadata))
        return
    arguments = get_args(expectation.kind)
    if get_origin(expectation.kind) in (tuple, dict) and arguments:
        inner = arguments[0] if get_origin(expectation.kind) is tuple else arguments[1]
        yield from _alternatives(inner)


def _kind_of(model: type[BaseModel]) -> Any:
    field = model.model_fields.get("kind")
    return get_args(field.annotation)[0] if field and get_origin(field.annotation) is Literal else None


def at(root: type[BaseModel], data: Any, path: KeyPath) -> tuple[Expectation, ...]:
    """Return what the models expect at a path; where several kinds are possible, `data` decides by `kind`."""
    found: tuple[Expectation, ...] = (Expectation(root, ()),)
    for key in path:
        tag = data.get("kind") if isinstance(data, dict) else None
        fitting = [
            item for item in found if item.model is None or len(found) == 1 or _kind_of(item.model) == tag
        ]
        found = tuple(below for item in fitting or found for below in _below(item, key))
        if isinstance(data, dict):
            data = data.get(str(key))
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            data = None
    return _chosen(found, data)


def _chosen(found: tuple[Expectation, ...], data: Any) -> tuple[Expectation, ...]:
    tag = data.get("kind") if isinstance(data, dict) else None
    fitting = tuple(item for item in found if item.model and _kind_of(item.model) == tag)
    return fitting if len(found) > 1 and fitting else found


def words_at(root: type[BaseModel], data: Any, path: KeyPath) -> str:
    """Return what is expected at a path, as a phrase; empty where the models know no such place."""
    expected = at(root, data, path)
    if len(expected) > 1 and all(item.model for item in expected):
        kinds = ", ".join(repr(_kind_of(item.model)) for item in expected if item.model)
        return f"a mapping whose kind is one of {kinds}"
    return " or ".join(dict.fromkeys(item.words for item in expected))


def field_at(root: type[BaseModel], data: Any, path: KeyPath) -> FieldInfo | None:
    """Return the field of the models at a path; None where the path names none."""
    for item in at(root, data, path[:-1]) if path else ():
        info = _fields(item.model).get(str(path[-1])) if item.model else None
        if info is not None:
            return info
    return None


def described(root: type[BaseModel], data: Any, path: KeyPath) -> str:
    """Return in one line what the models say of a place: its field's description, or that of the part it names.

    Empty where the models know no such place.
    """
    info = field_at(root, data, path)
    if info is None:
        return ""
    below = next((one.model for one in at(root, data, path) if one.model), None)
    return " ".join((info.description or (below.__doc__ if below else "") or "").split())


@cache
def everywhere(root: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    """Return every key of the models with the dotted paths at which it stands; services as `<service>`."""
    places: dict[str, list[str]] = {}
    _collect(Expectation(root, ()), "", places)
    return {key: tuple(dict.fromkeys(paths)) for key, paths in places.items()}


def _collect(expectation: Expectation, prefix: str, places: dict[str, list[str]]) -> None:
    if not expectation.model:
        return
    for key, field in _fields(expectation.model).items():
        path = f"{prefix}{key}"
        places.setdefault(_plainly(key), []).append(path)
        for part in _alternatives(field.annotation):
            _collect(part, f"{path}.", places)


def _plainly(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def suggestion(root: type[BaseModel], data: Any, parent: KeyPath, key: str) -> str:
    """Return the key that was probably meant: beside it, below it, or elsewhere; empty where none is near."""
    siblings = [name for item in at(root, data, parent) if item.model for name in keys_of(item.model)]
    beside = {_plainly(name): name for name in siblings}
    plain, index = _plainly(key), everywhere(root)
    prefix = "".join(f"{part}." for part in parent)
    if plain in beside:
        return beside[plain]
    if not parent and key in SEED_WORDS:
        return SEED_WORDS[key]
    if below := [path.removeprefix(prefix) for path in index.get(plain, ()) if path.startswith(prefix)]:
        return min(below, key=_nearness)
    if close := get_close_matches(plain, beside, 1, 0.72):
        return beside[close[0]]
    names = {name for name, paths in index.items() if any(path.startswith(prefix) for path in paths)}
    for name in get_close_matches(plain, names, 1, 0.8):
        return min(
            (path.removeprefix(prefix) for path in index[name] if path.startswith(prefix)), key=_nearness
        )
    return min(index.get(plain, ()), key=_nearness, default="")


def _nearness(path: str) -> tuple[bool, int, int]:
    return path.startswith("services."), path.count("."), len(path)
