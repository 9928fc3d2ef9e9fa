"""One life of a stack in which each operation fails once: brought up, changed, removed; and what is there each time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from random import Random
from typing import Any, Self

from xgen_infra.engine import Engine, EngineError
from xgen_infra.rehearsal.canary import RehearsalFile
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.standins import faults
from xgen_infra.rehearsal.standins.faults import Fault, Kind
from xgen_infra.rehearsal.standins.journal import read, under_way

KINDS = (Kind.ERROR, Kind.TIMEOUT, Kind.PARTIAL, Kind.KILL_ENGINE)
NEEDS_RECOVERY = {Kind.TIMEOUT, Kind.KILL_ENGINE}
"""After these something may exist that the engine was not told of."""
OPERATIONS = ("up", "change", "destroy")
CHANGED = "xgen-core"
_SECONDS = 300
_NTH = 2
"""Which call of a method is refused: as many are made of each by every operation."""


@dataclass(frozen=True)
class Call:
    """A call that changes something, by what the journal tells of it."""

    provider: str
    method: str
    urn: str

    def __str__(self) -> str:
        """Return `Create aws:ec2/vpc:Vpc network-vpc`."""
        return f"{self.method} {self.type} {self.name}"

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Return the call of an entry of the journal."""
        return cls(entry["provider"], entry["method"], entry["urn"])

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[-1]

    def fault(self, kind: Kind, hold: float) -> Fault:
        """Return the fault that strikes this call, and none but its equals below another parent."""
        provider, token, name = (escape(part) for part in (self.provider, self.type, self.name))
        return Fault(kind, provider=provider, type=token, name=name, methods=(self.method,), hold=hold)


@dataclass(frozen=True)
class Moment:
    """The state of things after each operation of an undisturbed life, and the calls that each took.

    `known` are the URNs of the stack's state: what a removal leaves there is what is protected.
    """

    up: Any
    changed: Any
    gone: Any
    calls: Mapping[str, Sequence[Call]]
    known: Mapping[str, frozenset[str]]


@dataclass
class Ground:
    """A running world: its engine, its records of calls, and what is there, in a comparable form.

    `anew` empties it, `settle` waits for what goes by itself; `options` are those of `pulumi up`. `kept` tells of
    everything that holds the customer's data what makes it this one and no other of its name.
    """

    engine: Engine
    stack: str
    file: RehearsalFile
    journal: Path
    project: Path
    look: Callable[[], Any]
    apart: Callable[[Any, Any], list[str]]
    anew: Callable[[], None]
    kept: Callable[[], Mapping[str, str]]
    settle: Callable[[], None] = field(default=lambda: None)
    options: tuple[str, ...] = ()
    data: dict[str, str] = field(default_factory=dict)

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
        self.engine.up(self.stack, *self.options)

    def change(self) -> None:
        """Change one service's variable and the registry's password generation: a release and a Secret."""
        self.file.change(("services", CHANGED, "vars"), {"FAULTS_CHANGED": "yes"})
        self.file.change(("generations",), {"registry": 2})
        self.engine.up(self.stack, *self.options)

    def back(self) -> None:
        self.file.change(("services", CHANGED, "vars"), {})
        self.file.change(("generations",), {})

    def destroy(self) -> None:
        self.xgen("destroy", self.stack, "--yes")

    def recover(self) -> None:
        self.xgen("recover", self.stack, "--yes")

    def calls(self) -> list[Call]:
        return [Call.of(entry) for entry in read(self.journal) if entry["method"] in faults.CHANGING]

    def refresh(self) -> None:
        self.engine.refresh(self.stack)

    def known(self) -> frozenset[str]:
        resources = self.engine.export(self.stack)["deployment"].get("resources") or []
        return frozenset(one["urn"] for one in resources)

    def rest(self) -> None:
        """Wait until no call is under way: one that was when its engine was killed ends after it."""
        assert until(lambda: not under_way(self.journal), _SECONDS), under_way(self.journal)

    def now(self) -> Any:
        self.settle()
        return self.look()

    def drifted(self) -> list[str]:
        """Return what of the contents is not as the state has it: of each resource, everything that a refresh reads."""
        try:
            self.engine.refresh(self.stack, "--expect-no-changes")
        except EngineError as error:
            steps = error.result.changed if error.result else ()
            return [f"not as the state has it: {step}" for step in steps] or [f"refresh: {error}"]
        return []

    def empty(self) -> None:
        """Begin a new world: what held data in the old one is forgotten."""
        self.anew()
        self.data.clear()

    def lost(self) -> list[str]:
        """Return what once held data and is gone or another since, whichever operation took it."""
        now = self.kept()
        said = [
            f"data lost: {name}: {'another' if name in now else 'gone'}"
            for name, identity in sorted(self.data.items())
            if now.get(name) != identity
        ]
        self.data.update(now)
        return said


def undisturbed(ground: Ground) -> Moment:
    """Live one life without any fault."""
    seen, calls, known = {}, {}, {}
    for name in OPERATIONS:
        before = len(ground.calls())
        getattr(ground, name)()
        calls[name] = ground.calls()[before:]
        seen[name] = ground.now()
        known[name] = ground.known()
        assert not (said := ground.lost()), said
    assert ground.data, "nothing here holds data"
    ground.back()
    return Moment(seen["up"], seen["change"], seen["destroy"], calls, known)


def chained(
    ground: Ground,
    expected: Moment,
    counts: Mapping[str, int],
    dice: Random,
    questions: Mapping[str, Sequence[str]],
) -> tuple[list[Fault], list[str]]:
    """Live one life in which each operation fails so many times, further on each time, before it gets through.

    Before that it fails once for each of its `questions`, the methods of calls that change nothing; a refresh at the
    end does so too. What converges from the last of them has converged from all. Returns the faults that struck and
    what differed.
    """
    struck: list[Fault] = []
    refused: list[Fault] = []
    wrong = []
    for name in OPERATIONS:
        before, mine = len(ground.calls()), []
        refused += _refused(ground, name, questions.get(name, ()))
        for left in range(counts[name], 0, -1):
            remaining = max(len(expected.calls[name]) - (len(ground.calls()) - before), 1)
            fault = Fault(KINDS[len(struck) % len(KINDS)], dice.randint(1, max(remaining // left, 1)))
            if _fail(ground, name, fault):
                mine.append(fault)
                struck.append(fault)
                wrong += [f"{name} {fault}: {line}" for line in ground.lost()]
        wrong += _ends_well(ground, expected, name, ", ".join(map(str, mine)))
    ground.back()
    if later := _refused(ground, "refresh", questions.get("refresh", ())):
        ground.refresh()
        wrong += differences(ground, expected, OPERATIONS[-1])
    return [*struck, *refused, *later], wrong


def _refused(ground: Ground, name: str, questions: Sequence[str]) -> list[Fault]:
    """Let an operation fail by a question that is refused, for each of them; return those that struck."""
    asked = [Fault(Kind.ERROR, _NTH, methods=(method,)) for method in questions]
    return [fault for fault in asked if _fail(ground, name, fault)]


def _ends_well(ground: Ground, expected: Moment, name: str, after: str) -> list[str]:
    """Do the operation once more; return what is not as it should be after what happened."""
    getattr(ground, name)()
    return [f"{name} {after}: {line}" for line in differences(ground, expected, name)]


def differences(ground: Ground, expected: Moment, name: str) -> list[str]:
    """Return what is not as after the undisturbed operation: what exists, what the state knows, what is pending.

    What every resource says of itself has to be what the state says of it.
    """
    goals = {"up": expected.up, "change": expected.changed, "destroy": expected.gone}
    wrong = [*ground.lost(), *ground.apart(goals[name], ground.now())]
    known, before = ground.known(), expected.known[name]
    wrong += [f"only in the undisturbed state: {urn}" for urn in sorted(before - known)]
    wrong += [f"only in this state: {urn}" for urn in sorted(known - before)]
    pending = ground.engine.export(ground.stack)["deployment"].get("pending_operations")
    wrong += [f"pending: {one['resource']['urn']}" for one in pending or []]
    return wrong + ground.drifted()


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
        ground.rest()
        ground.engine.cancel(ground.stack)
    if fault.kind in NEEDS_RECOVERY and name != "destroy":
        ground.recover()
    return True
