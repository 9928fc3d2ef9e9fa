"""Which faults `make test` tries: a sample that a seed fixes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from xgen_infra.rehearsal.standins.faults import CHANGING

from .cycle import KINDS, Ground, Moment, chained

SEED = 20261125
FAULTS = {"up": 8, "change": 2, "destroy": 6}
LEAST = 15
"""One of a sample may come after the last call of its operation; more must not."""
QUESTIONS = {
    "up": ("Configure", "Construct", "Invoke", "Check"),
    "change": ("Diff",),
    "destroy": ("Configure",),
    "refresh": ("Read",),
}
"""Calls that change nothing, by the operation of which one is refused."""


def try_a_sample(
    ground: Ground, expected: Moment, questions: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Live one life in which every kind of fault strikes several times; the same faults in every run.

    With `questions`, one call of each of those is refused as well, and each has to make its operation fail.
    """
    dice = random.Random(SEED)  # noqa: S311 - which faults are tried is no secret
    found, wrong = chained(ground, expected, FAULTS, dice, questions or {})
    struck = [fault for fault in found if fault.methods == CHANGING]
    assert not wrong, "\n".join(wrong)
    asked = [(method,) for methods in (questions or {}).values() for method in methods]
    assert [fault.methods for fault in found if fault not in struck] == asked
    assert len(struck) >= LEAST
    assert {fault.kind for fault in struck} == set(KINDS)
