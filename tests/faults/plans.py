"""Which faults are tried: all of them, or a sample that a seed fixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from xgen_infra.rehearsal.standins.faults import Fault, Kind

KINDS = (Kind.ERROR, Kind.TIMEOUT, Kind.PARTIAL, Kind.KILL_ENGINE)
SEED = 20261125


def sample(calls: Mapping[str, int], lives: int, seed: int = SEED) -> Iterator[dict[str, Fault]]:
    """Yield a fault of each operation for each of some lives; every kind comes up equally often."""
    dice = random.Random(seed)  # noqa: S311 - which faults are tried is no secret
    for number in range(lives):
        yield {
            name: Fault(KINDS[(number + place) % len(KINDS)], dice.randint(1, count))
            for place, (name, count) in enumerate(calls.items())
            if count
        }


def every(calls: Mapping[str, int]) -> Iterator[dict[str, Fault]]:
    """Yield lives in which, taken together, every call of every operation fails in every way once."""
    lists = {name: [(kind, call) for call in range(1, n + 1) for kind in KINDS] for name, n in calls.items()}
    for number in range(max(map(len, lists.values()))):
        yield {name: Fault(*pairs[number]) for name, pairs in lists.items() if number < len(pairs)}
