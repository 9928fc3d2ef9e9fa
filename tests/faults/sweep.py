"""Lives in which every call of every operation fails once: all of a life in one way, as many at once as are made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from xgen_infra.engine import EngineError
from xgen_infra.rehearsal.standins import faults
from xgen_infra.rehearsal.standins.faults import Kind
from xgen_infra.rehearsal.standins.journal import read

from .cycle import NEEDS_RECOVERY, OPERATIONS, Call, Ground, Moment, differences

SPARE = 3
"""Attempts beyond one for each call: an operation that needs more makes no progress."""
HOLD = {"up": 3.0, "change": 3.0, "destroy": 1.0}
"""Seconds for which a failure is held back: all calls that can be made beside one another fail in one attempt.

As long as the program takes to register what it declares; a removal has everything at hand.
"""
_WIDE = ("--parallel", "32")
_STRUCK = ("FaultError", "PartialFaultError")


@dataclass
class Sweep:
    """An operation that is repeated until no call of it is left that has not failed once."""

    ground: Ground
    kind: Kind
    operation: str
    calls: Sequence[Call]
    attempts: int = 0
    left: list[Call] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        """Say it as docs/reliability.md does."""
        seconds = time.monotonic() - self.started
        failed = len(self.calls) - len(self.left)
        return (
            f"{failed} of {len(self.calls)} calls of {self.operation} failed by {self.kind} "
            f"in {self.attempts} attempts, {seconds:.0f} s"
        )

    def run(self) -> None:
        """Repeat the operation until it gets through; `left` are the calls that it made no more.

        Raises AssertionError where it fails without a fault, succeeds in spite of one, or makes no progress.
        """
        self.left = list(self.calls)
        through = False
        while not through:
            self.attempts += 1
            assert self.attempts <= len(self.calls) + SPARE, f"{self}: no progress; left: {self._told()}"
            through = self._attempt()
        faults.order(self.ground.journal, [])

    def _attempt(self) -> bool:
        """Do the operation with a fault ordered for each call that has not failed yet; return whether it is through."""
        journal = self.ground.journal
        before, began = len(read(journal)), time.monotonic()
        faults.order(journal, [call.fault(self.kind, HOLD[self.operation]) for call in self.left])
        said = self._said()
        struck = self._strikes(before)
        assert not (lost := self.ground.lost()), f"{self}: {struck}: {lost}"
        print(
            f"  {self.operation}, {self.kind}, attempt {self.attempts}: {len(struck)} failed, {len(self.left)} left, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
        if said is None:
            assert not struck or self.operation == "destroy", f"{self.operation} did not notice {struck}"
            return True
        assert struck, f"{self}: fails without a fault: {said}"
        self._mend()
        return False

    def _said(self) -> str | None:
        """Do the operation; return why it failed, or None."""
        try:
            getattr(self.ground, self.operation)()
        except (EngineError, AssertionError) as error:
            return str(error)
        return None

    def _strikes(self, before: int) -> list[Call]:
        """Return the calls that failed since the journal had so many entries, and take them off what is left.

        A call that was under way when its engine was killed may end after it: it is waited for.
        """
        self.ground.rest()
        ended = [one for one in read(self.ground.journal)[before:] if one["outcome"].startswith(_STRUCK)]
        struck = [call for one in ended if (call := Call.of(one)) in self.left]
        self.left = [call for call in self.left if call not in struck]
        return struck

    def _mend(self) -> None:
        """Do what a person does before the next attempt."""
        if self.kind is Kind.KILL_ENGINE:
            self.ground.engine.cancel(self.ground.stack)
        if self.kind in NEEDS_RECOVERY and self.operation != "destroy":
            self.ground.recover()

    def _told(self) -> str:
        return ", ".join(map(str, self.left))


def sweep(ground: Ground, expected: Moment, kind: Kind) -> None:
    """Live one life in which each call of each operation fails once in this way.

    After each operation everything is as after an undisturbed one.
    """
    ground.empty()
    ground.back()
    for operation in OPERATIONS:
        swept = Sweep(replace(ground, options=_WIDE), kind, operation, expected.calls[operation])
        swept.run()
        print(swept, flush=True)
        wrong = list(_wrong(swept, expected))
        assert not wrong, "\n".join(wrong)
    ground.back()


def _wrong(swept: Sweep, expected: Moment) -> Iterator[str]:
    for line in differences(swept.ground, expected, swept.operation):
        yield f"{swept.operation} {swept.kind}: {line}"
    for call in swept.left:
        yield f"{swept.operation} {swept.kind}: {call} was made no more, so it has not failed"
