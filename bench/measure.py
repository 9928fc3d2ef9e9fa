"""What a bench yields, and how it takes time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure: `value` is a ratio unless `unit` says otherwise; `goal` is the most that it should be."""

    what: str
    value: float
    goal: float | None = None
    unit: str = ""

    @property
    def missed(self) -> bool:
        """Whether the value is beyond its goal."""
        return self.goal is not None and self.value > self.goal

    @property
    def hoped(self) -> str:
        """The goal as printed; empty where there is none."""
        return "" if self.goal is None else f"<= {self.goal:g}{' missed' if self.missed else ''}"

    @property
    def shown(self) -> str:
        """The value as printed."""
        return f"{self.value:.2f}{f' {self.unit}' if self.unit else ''}"


def seconds(action: Callable[[], object]) -> float:
    """Return how long a call took."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def alternating(
    first: Callable[[], object], second: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Return the median seconds of two calls, made by turns so that both see the same machine; one round warms up."""
    first()
    second()
    pairs = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
