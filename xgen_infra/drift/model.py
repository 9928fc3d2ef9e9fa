"""The result of a comparison."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from xgen_infra.secrecy import redact

Kind = Literal["deleted", "changed", "added"]
_LONGEST = 300


@dataclass(frozen=True, order=True)
class Difference:
    """One thing that somebody or something else changed.

    `resource` is the logical name in the stack, or kind and name of an object that a release or Argo CD made.
    `path` is the property, empty where the whole resource was deleted. `expected` and `found` are JSON, secrets
    hidden; None where there is no such value.
    """

    resource: str
    type: str
    path: str
    kind: Kind
    expected: str | None = None
    found: str | None = None

    @property
    def text(self) -> str:
        """Return one line for a terminal."""
        where = f"{self.resource} ({self.type})"
        if self.kind == "deleted" and not self.path:
            return f"{where}: deleted"
        sides = [
            f"expected {self.expected}" if self.expected is not None else "",
            f"found {self.found or 'nothing'}",
        ]
        return f"{where}: {self.path}: {self.kind}: {', '.join(filter(None, sides))}"


@dataclass(frozen=True, order=True)
class Unseen:
    """What could not be compared, and why."""

    what: str
    why: str


@dataclass
class Drift:
    """The comparison of one stack: `compared` resources and objects were looked at."""

    stack: str
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The exit status: 1 where something could not be compared, else 2 where something differs, else 0."""
        if self.unseen:
            return 1
        return 2 if self.differences else 0

    def as_data(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "stack": self.stack,
            "status": self.status,
            "compared": self.compared,
            "differences": [asdict(one) for one in sorted(set(self.differences))],
            "notCompared": [asdict(one) for one in sorted(set(self.unseen))],
        }


def shown(value: Any) -> str | None:
    """Return a value as JSON in one line, shortened, without secrets; None for no value."""
    if value is None:
        return None
    text = json.dumps(redact.data(value), ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
