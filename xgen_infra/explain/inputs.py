"""What a site is made from, and the same with one field changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from xgen_infra import catalog
from xgen_infra.delivery import services
from xgen_infra.findings import KeyPath
from xgen_infra.rules import RULES
from xgen_infra.site import Site, with_defaults

STACK: KeyPath = ("stack",)
"""The stack's name, from the file's name: no field of the file, but as good as one."""
VENDORS = "registry"
"""The key of a site that the vendor's defaults fill in where the file is silent."""


class _Removed:
    """Marks a field that is taken out of the file."""


REMOVED = _Removed()


@dataclass(frozen=True)
class Inputs:
    """The value of `xgen-infra:site`, the stack's name and the vendor's defaults: all that a site is made from."""

    raw: Mapping[str, Any]
    stack: str
    vendor: Any = field(repr=False)

    @cached_property
    def data(self) -> Any:
        """The plain values that the models are given."""
        return with_defaults(dict(self.raw), self.stack, self.vendor)

    @cached_property
    def site(self) -> Site | None:
        """The site; None where the models refuse the values."""
        try:
            return Site.model_validate(self.data, by_alias=True, by_name=False)
        except ValidationError:
            return None

    @cached_property
    def passes(self) -> bool:
        """Whether `xgen check` would take the values: models and rules."""
        return self.site is not None and not any(
            violation.severity == "error" for rule in RULES for violation in rule(self.site)
        )

    @cached_property
    def effective(self) -> dict[str, Any]:
        """The plain values in effect, the models' defaults included."""
        return self.site.model_dump(mode="json", by_alias=True) if self.site else {}

    def values(self, service: catalog.ServiceName) -> dict[str, Any] | None:
        """Return the chart's values of a service; None where models or chart refuse them."""
        if self.site is None:
            return None
        try:
            return services.whole(self.site, service, {})
        except ValidationError:
            return None

    def owner(self, path: KeyPath) -> str:
        """Say where a field stands: `name`, `file`, `vendor`, or `default` where nobody wrote it."""
        if path == STACK:
            return "name"
        if at(self.raw, path) is not None:
            return "file"
        if self._is_vendors(path) and at(self.vendor, path) is not None:
            return "vendor"
        return "default"

    def varied(self, path: KeyPath, value: Any) -> Inputs:
        """Return the inputs with one field set, or taken out (REMOVED), where it stands."""
        if path == STACK:
            return replace(self, stack=value)
        if self._is_vendors(path):
            return replace(self, vendor=_with(self.vendor, path, value))
        return replace(self, raw=_with(self.raw, path, value))

    def _is_vendors(self, path: KeyPath) -> bool:
        return path[:1] == (VENDORS,) and VENDORS not in self.raw and isinstance(self.vendor, dict)


def at(data: Any, path: KeyPath) -> Any:
    """Return a plain value by its path; None where it is not there."""
    for key in path:
        if isinstance(data, Mapping) and key in data:
            data = data[key]
        elif isinstance(data, (list, tuple)) and isinstance(key, int):
            data = data[key] if key < len(data) else None
        else:
            return None
    return data


def _with(data: Any, path: KeyPath, value: Any) -> dict[str, Any]:
    key, *rest = path
    known = dict(data) if isinstance(data, Mapping) else {}
    if rest:
        known[str(key)] = _with(known.get(str(key)), tuple(rest), value)
    elif value is REMOVED:
        known.pop(str(key), None)
    else:
        known[str(key)] = value
    return known
