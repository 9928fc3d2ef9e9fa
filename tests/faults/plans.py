"""Which faults are tried: all of them, or those that a seed fixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from xgen_infra.rehearsal.standins.faults import Fault

from .cycle import KINDS, Ground, Moment, chained, disturbed

SEED = 20261125
FAULTS = {"up": 8, "change": 2, "destroy": 6}
LEAST = 15
"""One of a sample may come after the last call of its operation; more must not."""


def try_a_sample(ground: Ground, expected: Moment) -> None:
    """Live one life in which every kind of fault strikes several times; the same faults in every run."""
    dice = random.Random(SEED)  # noqa: S311 - which faults are tried is no secret
    struck, wrong = chained(ground, expected, FAULTS, dice)
    assert not wrong, "\n".join(wrong)
    assert len(struck) >= LEAST
    assert {fault.kind for fault in struck} == set(KINDS)


def try_every_one(ground: Ground, expected: Moment) -> None:
    """Live lives in which, taken together, every call fails in every way once."""
    wrong = [line for plan in every(expected.calls) for line in disturbed(ground, expected, plan)]
    assert not wrong, "\n".join(wrong)


def every(calls: Mapping[str, int]) -> Iterator[dict[str, Fault]]:
    """Yield lives in which, taken together, every call of every operation fails in every way once."""
    lists = {name: [(kind, call) for call in range(1, n + 1) for kind in KINDS] for name, n in calls.items()}
    for number in range(max(map(len, lists.values()))):
        yield {name: Fault(*pairs[number]) for name, pairs in lists.items() if number < len(pairs)}
