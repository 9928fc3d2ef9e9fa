"""pydantic's errors as findings: the place in the file, what was found, what the models expect, the mend."""

from __future__ import annotations

import re
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xgen_infra.findings import Finding, KeyPath, Position, dotted, keeps_secret, shown
from xgen_infra.outline import at, keys_of, suggestion, words_at
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.yaml_scalars import Date

UNIONS: dict[KeyPath, tuple[str, ...]] = {
    ("cluster",): ("eks", "k3s"),
    ("registry",): ("nexus", "ecr", "local"),
}
"""The places whose model depends on `kind`, with the kinds: pydantic puts the kind into an error's location."""

_SECRETS = {name.lower() for secret in SECRETS for name in (secret.key, secret.field)} | {"password"}


class Origin(Protocol):
    """Where plain values were read from: a file that knows the place of each."""

    @property
    def name(self) -> str:
        """The file's name."""

    def where(self, path: KeyPath, /, *, key: bool = False) -> Position:
        """Return the place of a value, or of its key; the nearest parent's where it is not written."""

    def written(self, path: KeyPath, /) -> str | None:
        """Return a scalar as it is written, without quotes."""


def plain_path(location: tuple[str | int, ...]) -> KeyPath:
    """Return an error's place in the file: without the kinds and markers that pydantic adds."""
    path: KeyPath = ()
    chosen: set[KeyPath] = set()
    for part in location:
        if path in UNIONS and path not in chosen and part in UNIONS[path]:
            chosen.add(path)
        elif part != "[key]":
            path = (*path, part)
    return path


def findings_of(error: ValidationError, root: type[BaseModel], data: Any, origin: Origin) -> list[Finding]:
    """Return a finding for each error of a model. `data` is what was validated, `origin` where it stands."""
    translator = _Translator(root, data, origin)
    details = error.errors(include_url=False)
    misspelt = {
        translator.meant(plain_path(one["loc"])) for one in details if one["type"] == "extra_forbidden"
    }
    told = (one for one in details if one["type"] != "missing" or plain_path(one["loc"]) not in misspelt)
    return list(dict.fromkeys(translator.finding(one) for one in told))


class _Translator:
    def __init__(self, root: type[BaseModel], data: Any, origin: Origin) -> None:
        self.root = root
        self.data = data
        self.origin = origin

    def finding(self, error: ErrorDetails) -> Finding:
        path = plain_path(error["loc"])
        if error["loc"][-1:] == ("[key]",):
            expected = error["msg"].removeprefix("Value error, expected ")
            return self._at(path, f"the name '{path[-1]}'", expected, key=True)
        match error["type"]:
            case "extra_forbidden":
                return self._unknown(path)
            case "missing":
                return self._at(path, "nothing", words_at(self.root, self.data, path), "write it")
            case "union_tag_not_found" | "union_tag_invalid":
                return self._kind(path, error)
            case "value_error":
                return self._said(path, error)
            case _:
                return self._mistyped(path, error["input"])

    def meant(self, path: KeyPath) -> KeyPath:
        """Return the place that the author of an unknown key probably meant; its parent where none is near."""
        close = suggestion(self.root, self.data, path[:-1], str(path[-1]))
        return (*path[:-1], *close.split(".")) if close else path[:-1]

    def _at(
        self, path: KeyPath, found: str, expected: str = "", mend: str = "", *, key: bool = False
    ) -> Finding:
        place = self.origin.where(path, key=key)
        return Finding(self.origin.name, place.line, place.column, dotted(path), found, expected, mend)

    def _unknown(self, path: KeyPath) -> Finding:
        *parent, key = path
        name = str(key)
        known = [
            word
            for item in at(self.root, self.data, tuple(parent))
            if item.model
            for word in keys_of(item.model)
        ]
        secret = next((s for s in SECRETS if name.lower() in {s.key.lower(), s.field}), None)
        if secret:
            mend = f"secrets stand outside the site: {secret.command}"
        elif name.lower() in _SECRETS:
            keys = ", ".join(one.key for one in SECRETS)
            mend = f"secrets stand outside the site, as configuration keys of their own: {keys}"
        else:
            close = suggestion(self.root, self.data, tuple(parent), name)
            mend = f"did you mean '{close}'?" if close else "remove it"
        expected = "one of " + ", ".join(known) if known else ""
        return self._at(path, f"the unknown key '{name}'", expected, mend, key=True)

    def _kind(self, path: KeyPath, error: ErrorDetails) -> Finding:
        kinds = ", ".join(repr(kind) for kind in UNIONS.get(path, ()))
        value = error["input"].get("kind") if isinstance(error["input"], dict) else None
        found = "nothing" if value is None else shown(value)
        return self._at((*path, "kind"), found, f"one of {kinds}", "")

    def _said(self, path: KeyPath, error: ErrorDetails) -> Finding:
        """Place what a model's own validator said.

        Of a scalar its message is `expected <expectation>` or a mend; of a mapping `<what was found>[: expected
        <expectation>]` or `<what was found>: <mend>`, and a key at its beginning is the one that it speaks of.
        """
        message = error["msg"].removeprefix("Value error, ")
        value = error["input"]
        if message.startswith("expected "):
            mend = self._quoting(path, value)
            if path == ("site",) and self.origin.written(path) is None:
                mend = "it follows from the file's name: name the file otherwise, or write site"
            return self._at(path, self._shown(path, value), message.removeprefix("expected "), mend)
        if not isinstance(value, (dict, list, BaseModel)):
            return self._at(path, self._shown(path, value), "", message)
        path = self._subject(path, message)
        found, _, rest = message.partition(": ")
        if rest.startswith("expected "):
            return self._at(path, found, rest.removeprefix("expected "))
        return self._at(path, found, "", rest)

    def _subject(self, path: KeyPath, message: str) -> KeyPath:
        words = re.split(r"[., ]", message.partition(": ")[0])
        if path and words[0] == path[-1]:
            words = words[1:]
        known = {
            word for item in at(self.root, self.data, path) if item.model for word in keys_of(item.model)
        }
        return (*path, words[0]) if words and words[0] in known else path

    def _mistyped(self, path: KeyPath, value: Any) -> Finding:
        expected = words_at(self.root, self.data, path)
        return self._at(path, self._shown(path, value), expected, self._quoting(path, value))

    def _shown(self, path: KeyPath, value: Any) -> str:
        written = self.origin.written(path)
        if len(path) > 1 and path[-2] == "vars" and keeps_secret(path[-1]):
            return "a value that is not shown here"
        if isinstance(value, (int, float)) and not isinstance(value, bool) and written:
            return f"the number {written}"
        return shown(value)

    def _quoting(self, path: KeyPath, value: Any) -> str:
        """Return the mend for a value that lacks quotes, or has them where none belong."""
        kinds = {item.kind for item in at(self.root, self.data, path)}
        hidden = len(path) > 1 and path[-2] == "vars" and keeps_secret(path[-1])
        written = self.origin.written(path)
        if kinds == {str} and isinstance(value, (bool, int, float, Date)):
            return f"write it in quotes: '{written or value}'" if not hidden else "write it in quotes"
        if kinds == {bool} and isinstance(value, str):
            return "write true or false, without quotes"
        if kinds == {int} and isinstance(value, str) and re.fullmatch(r"[0-9]+", value):
            return f"write it without quotes: {value}"
        return ""
