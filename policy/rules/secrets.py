"""No secret is given to a resource in the clear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.rules.subject import Hidden, Resource, Rule, known, leaves, many

_NAME = re.compile(
    r"(^|[_.-])(password|passwd|passphrase|secret|token|api[_-]?key|secret[_-]?key|private[_-]?key|"
    r"secret[_-]?access[_-]?key)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TEXT = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@"), "an address with a password in it"),
    (re.compile(r"\bgl(pat|ptt|dt)-[\w-]{20,}"), "a GitLab token"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}"), "a GitHub token"),
)
_NAMES_ONE = re.compile(r"(name|ref|key|keys|file|path)$", re.IGNORECASE)
"""Endings of inputs that name a secret rather than hold one: secretName, passwordKey, tokenFile."""

_REFERENCE = {"secret", "name", "key", "optional"}


def plain_secret(resource: Resource) -> Iterator[str]:
    """Find a credential in an input that the program did not mark secret."""
    if resource.type == "kubernetes:core/v1:Secret":
        yield from _secret(resource)
    for path, text in leaves(_without_references(resource.inputs)):
        where = ".".join(path)
        for pattern, what in _TEXT:
            if pattern.search(text):
                yield f"{where} holds {what} in the clear: read it with require_secret"
        if text and _is_secret_name(path[-1]):
            yield f"{where} is in the clear: read it with require_secret"
    yield from _variables(resource.inputs, ())


def _secret(resource: Resource) -> Iterator[str]:
    for part in ("data", "stringData"):
        values = resource.inputs.get(part)
        if values is None or isinstance(values, Hidden) or not known(values):
            continue
        for key, value in values.items():
            if value and known(value) and not isinstance(value, Hidden):
                yield f"{part}.{key} of a Secret is not marked secret: it would lie in the state in the clear"


def _without_references(value: Any) -> Any:
    """Leave out mappings that say where a secret is: {secret, key} or {name, key, optional}."""
    if isinstance(value, Mapping):
        if "key" in value and set(value) <= _REFERENCE:
            return {}
        return {key: _without_references(item) for key, item in value.items()}
    return [_without_references(item) for item in value] if isinstance(value, list) else value


def _variables(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Look at lists of {name, value}, as containers have their environment."""
    if isinstance(value, Mapping):
        name, held = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(held, str) and held and known(held) and _is_secret_name(name):
            yield f"{'.'.join(path)} ({name}) is in the clear: take it from a Secret by valueFrom"
        for key, item in value.items():
            yield from _variables(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(many(value)):
            yield from _variables(item, (*path, str(index)))


def _is_secret_name(name: str) -> bool:
    if _NAMES_ONE.search(name) and not re.search(
        r"(api|secret|private|access)[_-]?key$", name, re.IGNORECASE
    ):
        return False
    return bool(_NAME.search(_CAMEL.sub("_", name)))


SECRETS = (Rule("no-plain-secret", "No credential is given to a resource in the clear.", plain_secret),)
