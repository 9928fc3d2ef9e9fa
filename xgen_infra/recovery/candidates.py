"""Which resources may exist without being in the state: those that were being made, and those still to be made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from xgen_infra.engine.events import SECRET
from xgen_infra.engine.special import UNKNOWN

_UNTOLD = (UNKNOWN, SECRET)
"""How the event log shows a value that is not known yet, and a secret one."""
Entry = dict[str, Any]
"""A resource as an exported state writes it."""


@dataclass(frozen=True)
class Candidate:
    """A resource that the program declares and the state lacks; `entry` is how the state would hold it."""

    entry: Entry = field(repr=False)
    pending: bool = False

    @property
    def urn(self) -> str:
        """Its URN."""
        return str(self.entry["urn"])

    @property
    def type(self) -> str:
        """Its type token."""
        return str(self.entry["type"])

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its inputs; what is not known yet is left out."""
        return {key: value for key, value in (self.entry.get("inputs") or {}).items() if is_known(value)}

    @property
    def provider(self) -> str:
        """The URN of its provider."""
        return str(self.entry.get("provider", "")).rpartition("::")[0]

    @property
    def parent(self) -> str:
        """The URN of its parent, or "". What was made has a parent that the state knew before."""
        return str(self.entry.get("parent", ""))


def candidates(state: Mapping[str, Any], preview: Mapping[str, Any]) -> list[Candidate]:
    """Return the resources that a state lacks: pending creations first, then those that a preview would create.

    `preview` is what `pulumi preview --json` prints.
    """
    known = {resource["urn"] for resource in state["deployment"].get("resources") or []}
    found: dict[str, Candidate] = {}
    for candidate in (*_pending(state), *_to_create(preview)):
        if candidate.urn not in known:
            found.setdefault(candidate.urn, candidate)
    return list(found.values())


def without_pending(state: Mapping[str, Any]) -> Entry:
    """Return the state without operations that were under way."""
    return {**state, "deployment": {**state["deployment"], "pending_operations": []}}


def _pending(state: Mapping[str, Any]) -> Iterator[Candidate]:
    for operation in state["deployment"].get("pending_operations") or []:
        if operation["type"] == "creating" and operation["resource"].get("custom"):
            yield Candidate(operation["resource"], pending=True)


def _to_create(preview: Mapping[str, Any]) -> Iterator[Candidate]:
    for step in preview.get("steps") or []:
        new = step.get("newState") or {}
        if step["op"] == "create" and new.get("custom") and not new["type"].startswith("pulumi:"):
            yield Candidate(new)


def is_known(value: Any) -> bool:
    """Whether no part of a value is still to be told by another resource."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value not in _UNTOLD
