"""What a rehearsal tells at its end: phases with their seconds, checks with what they saw, what was simulated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and what was seen."""

    name: str
    passed: bool
    saw: str


@dataclass
class Phase:
    """One step of the rehearsal."""

    name: str
    seconds: float = 0.0
    checks: list[Check] = field(default_factory=list)

    def check(self, name: str, passed: bool, saw: object) -> None:
        """Record a check."""
        self.checks.append(Check(name, bool(passed), str(saw)))

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


class PhaseFailedError(Exception):
    """A phase ended with a check that failed: the phases after it have nothing to stand on."""


@dataclass
class Report:
    """The rehearsal of one stack. `error` says why it ended early."""

    stack: str
    site: str
    kind: str
    delivery: str
    folder: Path
    phases: list[Phase] = field(default_factory=list)
    real: list[str] = field(default_factory=list)
    simulated: list[str] = field(default_factory=list)
    resources: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)
    """How many resource types are backed by what."""
    figures: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def passed(self) -> bool:
        """The verdict."""
        return self.error is None and bool(self.phases) and all(phase.passed for phase in self.phases)

    @contextmanager
    def phase(self, name: str, console: Console) -> Iterator[Phase]:
        """Time a phase, say what it is doing, and stop the rehearsal after it if a check failed."""
        phase = Phase(name)
        self.phases.append(phase)
        console.print(f"[bold]{name}[/bold]")
        started = time.monotonic()
        try:
            yield phase
        finally:
            phase.seconds = round(time.monotonic() - started, 1)
            for check in phase.checks:
                mark = "[green]ok[/green]  " if check.passed else "[red]FAIL[/red]"
                console.print(f"  {mark} {check.name}: ", end="")
                console.print(check.saw, markup=False, highlight=False)
            console.print(f"  [dim]{phase.seconds} s[/dim]")
        if not phase.passed:
            raise PhaseFailedError(name)

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps({**asdict(self), "folder": str(self.folder), "passed": self.passed}, indent=2)

    def show(self, console: Console) -> None:
        """Print the report for people."""
        table = Table("phase", "seconds", "checks", title=f"Rehearsal of {self.stack} ({self.kind})")
        for phase in self.phases:
            good = sum(check.passed for check in phase.checks)
            table.add_row(phase.name, f"{phase.seconds:.1f}", f"{good} of {len(phase.checks)}")
        console.print(table)
        for title, lines in (("Real", self.real), ("Simulated", self.simulated)):
            console.print(f"[bold]{title}:[/bold]")
            for line in lines:
                console.print(f"  - {line}", markup=False, highlight=False)
        groups = ", ".join(f"{count} {group}" for group, count in sorted(self.resources.items()))
        console.print(f"[bold]Resources:[/bold] {sum(self.resources.values())} ({groups})", highlight=False)
        backed = ", ".join(f"{count} by {name}" for name, count in self.types.items())
        console.print(f"[bold]Resource types:[/bold] {backed}", highlight=False)
        for name, value in self.figures.items():
            console.print(f"  {name}: {value:g}", markup=False, highlight=False)
        if self.error:
            console.print(f"[red]Ended early:[/red] {self.error}", highlight=False)
        verdict = "[green]passed[/green]" if self.passed else "[red]FAILED[/red]"
        console.print(
            f"[bold]Verdict:[/bold] {verdict}. Logs: {self.folder}", soft_wrap=True, highlight=False
        )
