"""Faults to order: which call of which provider fails, and how."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

FILE = "faults.json"
CHANGING = ("Create", "Update", "Delete")


class Kind(StrEnum):
    """How a call fails.

    ERROR refuses before anything is done. TIMEOUT does the work and loses the answer. PARTIAL does the work and
    says that the resource did not become ready (of a Delete: as TIMEOUT). KILL_ENGINE and KILL_PROVIDER do the
    work and end the engine's or the stand-in's process by SIGKILL before the answer.
    """

    ERROR = "error"
    TIMEOUT = "timeout"
    PARTIAL = "partial"
    KILL_ENGINE = "kill-engine"
    KILL_PROVIDER = "kill-provider"


@dataclass(frozen=True)
class Fault:
    """The `call`-th call (from 1, counted since the fault was ordered) that fits fails once.

    `provider`, `type` (a token) and `name` (a logical name) are shell patterns. Without `methods`, the calls
    that change something count: Create, Update and Delete, never those of a preview. The engine hears of it after
    `hold` seconds: what it began meanwhile, beside this call, may then fail with it.
    """

    kind: Kind
    call: int = 1
    provider: str = "*"
    type: str = "*"
    name: str = "*"
    methods: tuple[str, ...] = CHANGING
    hold: float = 0.0

    def __str__(self) -> str:
        """Return `timeout at call 7`; patterns of what counts are not said."""
        return f"{self.kind} at call {self.call}"

    def fits(self, provider: str, method: str, urn: str) -> bool:
        """Whether a call counts."""
        parts = urn.split("::", 3)
        token, name = (parts[-2], parts[-1]) if parts[1:] else (urn, urn)
        return (
            method in self.methods
            and fnmatchcase(provider, self.provider)
            and fnmatchcase(token.rsplit("$", 1)[-1], self.type)
            and fnmatchcase(name, self.name)
        )


def order(folder: Path, faults: Sequence[Fault]) -> None:
    """Order faults of the stand-ins that keep their records in `folder`, in place of those ordered before."""
    with _exclusively(folder):
        _write(folder, faults)


def ordered(folder: Path) -> list[Fault]:
    """Return the faults that have not struck yet; their `call` counts down."""
    with _exclusively(folder):
        return _read(folder)


def due(folder: Path, provider: str, method: str, urn: str) -> Fault | None:
    """Count a call; returns the fault that strikes it, which is thereby spent."""
    if not (folder / FILE).exists():
        return None
    with _exclusively(folder):
        strikes, kept = None, []
        for fault in _read(folder):
            if not fault.fits(provider, method, urn):
                kept.append(fault)
            elif fault.call > 1 or strikes:
                kept.append(Fault(**{**asdict(fault), "call": max(fault.call - 1, 1)}))
            else:
                strikes = fault
        _write(folder, kept)
        return strikes


def _read(folder: Path) -> list[Fault]:
    try:
        entries = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return []
    return [
        Fault(**{**entry, "kind": Kind(entry["kind"]), "methods": tuple(entry.get("methods", CHANGING))})
        for entry in entries
    ]


def _write(folder: Path, faults: Sequence[Fault]) -> None:
    if not faults:
        (folder / FILE).unlink(missing_ok=True)
        return
    part = folder / f"{FILE}.part"
    part.write_text(json.dumps([asdict(fault) for fault in faults]))
    part.rename(folder / FILE)


@contextmanager
def _exclusively(folder: Path) -> Iterator[None]:
    with (folder / f"{FILE}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
