"""One life of a stack in which each operation fails once: brought up, changed, removed; and what is there each time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from xgen_infra.engine import Engine, EngineError
from xgen_infra.rehearsal.canary import RehearsalFile
from xgen_infra.rehearsal.standins import faults
from xgen_infra.rehearsal.standins.faults import Fault, Kind
from xgen_infra.rehearsal.standins.journal import read

KINDS = (Kind.ERROR, Kind.TIMEOUT, Kind.PARTIAL, Kind.KILL_ENGINE)
NEEDS_RECOVERY = {Kind.TIMEOUT, Kind.KILL_ENGINE}
"""After these something may exist that the engine was not told of."""
OPERATIONS = ("up", "change", "destroy")
CHANGED = "xgen-core"


@dataclass(frozen=True)
class Moment:
    """The state of things after each operation of an undisturbed life, and how many calls each took."""

    up: Any
    changed: Any
    gone: Any
    calls: Mapping[str, int]


@dataclass
class Ground:
    """A running world: its engine, its records of calls, and what is there, in a comparable form."""

    engine: Engine
    stack: str
    file: RehearsalFile
    journal: Path
    project: Path
    look: Callable[[], Any]
    apart: Callable[[Any, Any], list[str]]
    settle: Callable[[], None] = field(default=lambda: None)

    def xgen(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "xgen_infra.cli", *words],
            cwd=self.project,
            env={**os.environ, **self.engine.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"xgen {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def up(self) -> None:
        self.engine.up(self.stack)

    def change(self) -> None:
        """Change one service's variable and the registry's password generation: a release and a Secret."""
        self.file.change(("services", CHANGED, "vars"), {"FAULTS_CHANGED": "yes"})
        self.file.change(("generations",), {"registry": 2})
        self.engine.up(self.stack)

    def back(self) -> None:
        self.file.change(("services", CHANGED, "vars"), {})
        self.file.change(("generations",), {})

    def destroy(self) -> None:
        self.xgen("destroy", self.stack, "--yes")

    def recover(self) -> None:
        self.xgen("recover", self.stack, "--yes")

    def calls(self) -> int:
        return sum(entry["method"] in faults.CHANGING for entry in read(self.journal))

    def now(self) -> Any:
        self.settle()
        return self.look()


def undisturbed(ground: Ground) -> Moment:
    """Live one life without any fault."""
    seen, calls = {}, {}
    for name in OPERATIONS:
        before = ground.calls()
        getattr(ground, name)()
        calls[name] = ground.calls() - before
        seen[name] = ground.now()
    ground.back()
    return Moment(seen["up"], seen["change"], seen["destroy"], calls)


def disturbed(ground: Ground, expected: Moment, plan: Mapping[str, Fault]) -> list[str]:
    """Live one life in which the planned fault strikes each operation; return what differed afterwards.

    A fault ends its operation; what a person does then is `xgen recover` where an answer was lost, and the same
    operation again.
    """
    wrong = []
    for name in OPERATIONS:
        fault = plan.get(name)
        if fault:
            _fail(ground, name, fault)
        wrong += _ends_well(ground, expected, name, str(fault))
    ground.back()
    return wrong


def chained(
    ground: Ground, expected: Moment, counts: Mapping[str, int], dice: Random
) -> tuple[list[Fault], list[str]]:
    """Live one life in which each operation fails so many times, further on each time, before it gets through.

    What converges from the last of them has converged from all. Returns the faults that struck and what differed.
    """
    struck: list[Fault] = []
    wrong = []
    for name in OPERATIONS:
        before, mine = ground.calls(), []
        for left in range(counts[name], 0, -1):
            remaining = max(expected.calls[name] - (ground.calls() - before), 1)
            fault = Fault(KINDS[len(struck) % len(KINDS)], dice.randint(1, max(remaining // left, 1)))
            if _fail(ground, name, fault):
                mine.append(fault)
                struck.append(fault)
        wrong += _ends_well(ground, expected, name, ", ".join(map(str, mine)))
    ground.back()
    return struck, wrong


def _ends_well(ground: Ground, expected: Moment, name: str, after: str) -> list[str]:
    """Do the operation once more; return what is not as it should be after what happened."""
    goals = {"up": expected.up, "change": expected.changed, "destroy": expected.gone}
    getattr(ground, name)()
    wrong = [f"{name} {after}: {line}" for line in ground.apart(goals[name], ground.now())]
    pending = ground.engine.export(ground.stack)["deployment"].get("pending_operations")
    return wrong + [f"{name} {after}: pending {one['resource']['urn']}" for one in pending or []]


def _fail(ground: Ground, name: str, fault: Fault) -> bool:
    """Let a fault strike an operation; return whether it did: the operation may be through before."""
    faults.order(ground.journal, [fault])
    try:
        getattr(ground, name)()
    except (EngineError, AssertionError):
        struck = not faults.ordered(ground.journal)
        assert struck, f"{name} failed before {fault} struck"
    else:
        struck = not faults.ordered(ground.journal)
        faults.order(ground.journal, [])
        assert not struck or name == "destroy", f"{name} did not notice {fault}"
        return struck
    if fault.kind is Kind.KILL_ENGINE:
        ground.engine.cancel(ground.stack)
    if fault.kind in NEEDS_RECOVERY and name != "destroy":
        ground.recover()
    return True
