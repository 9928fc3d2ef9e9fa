"""A check as data: its name, why it is made, how it looks, what to do where it cannot say more itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xgen_infra.site import Site

if TYPE_CHECKING:
    from xgen_infra.preflight.scene import Scene


class Level(StrEnum):
    """How bad it is: an error stops the first `up`, or what follows it; a warning may."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Result:
    """One thing that was looked at: what was found, and, unless all is well, what to do."""

    level: Level
    found: str
    mend: str = ""


def fine(found: str) -> Result:
    """Say that something is as it has to be."""
    return Result(Level.OK, found)


def warn(found: str, mend: str = "") -> Result:
    """Say that something may go wrong, or could not be looked at; without a mend, the check's own holds."""
    return Result(Level.WARNING, found, mend)


def refuse(found: str, mend: str = "") -> Result:
    """Say that something will go wrong; without a mend, the check's own holds."""
    return Result(Level.ERROR, found, mend)


class StopError(Exception):
    """Ends a check with one result: there is nothing further to look at."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.found)
        self.result = result


def everywhere(_site: Site) -> bool:
    """Whether a check concerns a site: all of them."""
    return True


def on_eks(site: Site) -> bool:
    """Whether a check concerns a site: those on EKS."""
    return site.eks is not None


def on_k3s(site: Site) -> bool:
    """Whether a check concerns a site: those on K3s."""
    return site.k3s is not None


@dataclass(frozen=True)
class Check:
    """One check. `where` says in words whom `applies` takes; `seconds` is all the time that it may take."""

    name: str
    why: str
    look: Callable[[Scene], Iterable[Result]]
    mend: str
    applies: Callable[[Site], bool] = everywhere
    where: str = "every site"
    seconds: float = 60
