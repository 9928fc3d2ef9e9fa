"""What kind of value each output is that a step takes apart: the engine promises names, and not kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Kind = tuple[str, Callable[[Any], bool]]

TEXT: Kind = ("text", lambda value: isinstance(value, str))
NUMBER: Kind = ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool))
OBJECT: Kind = ("an object", lambda value: isinstance(value, Mapping))
TEXTS: Kind = (
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
)
PORTS: Kind = (
    "a list of objects with port and purpose",
    lambda value: (
        isinstance(value, list)
        and all(isinstance(one, Mapping) and {"port", "purpose"} <= one.keys() for one in value)
    ),
)
VERSION: Kind = (
    "a version of Kubernetes such as 1.34",
    lambda value: isinstance(value, str) and re.fullmatch(r"1\.\d+", value) is not None,
)

KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        ("images", "registry", "hosts", "endpoints", "generations", "certificate", "argocd", "releases"),
        OBJECT,
    ),
    **dict.fromkeys((f"endpoints.{name}" for name in ("postgres", "redis", "qdrant")), OBJECT),
    "domain": TEXT,
    "generations.secrets": NUMBER,
    "generations.registry": NUMBER,
    "cluster": OBJECT,
    "cluster.kubernetesVersion": VERSION,
    "cluster.apiAccess": TEXTS,
    "cluster.management": OBJECT,
    "cluster.management.ports": PORTS,
    "cluster.peeringRemaining": TEXTS,
    "cluster.backups": OBJECT,
    "cluster.dataServices": OBJECT,
}
"""By the path of an output. One that is missing or empty is no concern of these: a step that needs it says so."""


def wrong(outputs: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not of its kind: the output, what it is, what was expected."""
    for path, (words, fits) in KINDS.items():
        value: Any = outputs
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value not in (None, "", [], {}) and not fits(value):
            yield f"the output {path} is {_kind(value)}; expected {words}"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list) else repr(value)
