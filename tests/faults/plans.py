"""Which faults are tried: all of them, or those that a seed fixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from xgen_infra.rehearsal.standins.faults import Fault

from .cycle import KINDS

SEED = 20261125


def dice(number: int = 0) -> random.Random:
    """Return what fixes a sample: the same in every run."""
    return random.Random(SEED + number)  # noqa: S311 - which faults are tried is no secret


def every(calls: Mapping[str, int]) -> Iterator[dict[str, Fault]]:
    """Yield lives in which, taken together, every call of every operation fails in every way once."""
    lists = {name: [(kind, call) for call in range(1, n + 1) for kind in KINDS] for name, n in calls.items()}
    for number in range(max(map(len, lists.values()))):
        yield {name: Fault(*pairs[number]) for name, pairs in lists.items() if number < len(pairs)}
