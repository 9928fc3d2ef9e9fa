"""What a rule says of a site: the common currency of the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xgen_infra.findings import KeyPath, Severity
from xgen_infra.site import Site


@dataclass(frozen=True)
class Violation:
    """One contradiction. `path` is its place in the site; `also` are the other places that it depends on."""

    path: KeyPath
    found: str
    expected: str = ""
    mend: str = ""
    severity: Severity = "error"
    also: tuple[KeyPath, ...] = ()


Rule = Callable[[Site], Iterator[Violation]]
