"""Shows objects and texts without what is nobody's to read.

This goes by shape (names of keys, forms of credentials) and needs no secret, but for `values`; whether it was enough
is for `search` to tell, which knows the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xgen_infra.engine.special import SIGNATURE
from xgen_infra.findings import keeps_secret, without_login
from xgen_infra.secrecy.search import SHORTEST, WHITE, encodings

HIDDEN = "[redacted]"
_NOISE = frozenset({"managedFields", "kubectl.kubernetes.io/last-applied-configuration"})
_REFERENCES = re.compile(r"(?i)(name|names|ref|keyref|uri|url|path|type|keys?Selector|provider)$")
_WORD = r"[\w.\-/]*"
_NAMES = (
    r"passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"client-key-data|client-certificate-data|encryptionsalt|encryptedkey"
)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL), HIDDEN),
    (
        re.compile(r"(?i)((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:(\w+)\s+)?[^\s\"',}]+"),
        rf"\1\2 {HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{8,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^&\s\"']+"), rf"\1{HIDDEN}"),
    (
        re.compile(rf"(?i)({_WORD}(?:{_NAMES}){_WORD}\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\s\"',;&}}\\]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\bv1:[A-Za-z0-9+/]{16}:[A-Za-z0-9+/=]{16,}"), HIDDEN),
)
"""In this order: PEM private keys, Authorization headers, bare tokens, JWTs, presigned URLs, assignments, values
that the engine encrypted."""


def text(shown: str) -> str:
    """Return a text (a log, a message) without credentials."""
    shown = without_login(shown)
    for form, instead in _FORMS:
        shown = form.sub(instead, shown)
    return shown


def values(shown: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets, in every encoding in which they are searched for, folded or not.

    One of fewer than SHORTEST characters stays: its characters stand in anything.
    """
    white = WHITE.decode()
    kept = [at for at, character in enumerate(shown) if character not in white]
    bare = "".join(shown[at] for at in kept)
    needles = {
        needle.decode() for value in secrets if len(value) >= SHORTEST for needle in encodings(value).values()
    }
    hits = sorted((kept[first], kept[last] + 1) for needle in needles for first, last in _hits(bare, needle))
    parts, end = [], 0
    for begins, ends in hits:
        if begins >= end:
            parts += [shown[end:begins], HIDDEN]
        end = max(end, ends)
    return "".join([*parts, shown[end:]])


def _hits(text: str, needle: str) -> Iterator[tuple[int, int]]:
    """Yield where a needle stands, its first and last character, overlapping ones too."""
    at = text.find(needle)
    while at >= 0:
        yield at, at + len(needle) - 1
        at = text.find(needle, at + 1)


def data(value: Any) -> Any:
    """Return a document (JSON) without values below secret names, encrypted values, and credentials in its texts."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return HIDDEN
        return {
            key: HIDDEN if _hides(key, item) else data(item)
            for key, item in value.items()
            if key not in _NOISE
        }
    if isinstance(value, (list, tuple)):
        return [data(item) for item in value]
    return text(value) if isinstance(value, str) else value


def kubernetes(thing: Mapping[str, Any]) -> Any:
    """Return a Kubernetes object (JSON) without environment values, a Secret's or ConfigMap's data, bookkeeping."""
    shown = dict(thing)
    for key in ("data", "stringData", "binaryData"):
        if isinstance(shown.get(key), Mapping):
            shown[key] = dict.fromkeys(shown[key], HIDDEN)
    return data(_without_environment(shown))


def state(deployment: Mapping[str, Any]) -> Any:
    """Return an exported state without encrypted values and what they are encrypted with."""
    inner = dict(deployment.get("deployment") or {})
    inner.pop("secrets_providers", None)
    return data({**deployment, "deployment": inner})


def _hides(key: Any, value: Any) -> bool:
    """Whether a key's name says that its text is secret: `adminPassword` does, `secretName` does not."""
    return isinstance(value, str) and keeps_secret(key) and not _REFERENCES.search(key)


def _without_environment(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: [_variable(item) for item in part]
            if key == "env" and isinstance(part, list)
            else _without_environment(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_without_environment(item) for item in value]
    return value


def _variable(item: Any) -> Any:
    return {**item, "value": HIDDEN} if isinstance(item, Mapping) and "value" in item else item
