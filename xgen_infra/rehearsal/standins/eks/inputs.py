"""The inputs of a component: plain values, or outputs that are known only later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi


class ComponentError(Exception):
    """The component refuses its inputs; the message says which, and what to do."""


@dataclass(frozen=True)
class Inputs:
    """Inputs by their camelCase names, as the engine hands them over."""

    given: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Give an input as it is, or None."""
        return self.given.get(name)

    def has(self, name: str) -> bool:
        """Whether an input is given at all."""
        return self.given.get(name) is not None

    def truthy(self, name: str) -> bool:
        """Whether an input that has to be plain counts as true: an output does, whatever it will be."""
        value = self.given.get(name)
        return isinstance(value, pulumi.Output) or bool(value)

    def any_of(self, *names: str) -> list[str]:
        """Give the names that are given."""
        return [name for name in names if self.has(name)]

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Give an input that has to be a plain mapping, whose leaves may be outputs. Raises ComponentError."""
        value = self.given.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise ComponentError(
                f"{name} has to be a plain mapping; its values may be outputs, not the whole of it"
            )
        return value
