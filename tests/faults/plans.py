"""Which faults `make test` tries: a sample that a seed fixes."""

from __future__ import annotations

import random

from .cycle import KINDS, Ground, Moment, chained

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
