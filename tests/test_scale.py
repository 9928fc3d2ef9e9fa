"""A verb that reads every customer's file does as much for the hundredth as for the fiftieth.

Calls of functions are counted and not seconds, so that one run says the same as the next; `python -m bench scale` has
the seconds and the memory of a thousand customers.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from authoring.folder import xgen_here

from bench.check import OF_ALL, OF_ONE
from bench.customers import write

SIZES = (20, 60, 100)
MORE = 1.05
"""What the second forty may cost of the first: sorting grows by a logarithm."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [write(tmp_path_factory.mktemp("customers") / str(size), size) for size in SIZES]


def calls(action: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.runcall(action)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def peak(action: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def run(folder: Path, words: tuple[str, ...]) -> None:
    done = xgen_here(folder, *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", OF_ALL, ids=lambda words: words[0])
@pytest.mark.parametrize("cost", [calls, peak])
def test_forty_more_customers_cost_what_the_forty_before_did(
    folders: list[Path], words: tuple[str, ...], cost: Callable[[Callable[[], object]], int]
) -> None:
    run(folders[0], words)
    small, middle, large = (cost(partial(run, folder, words)) for folder in folders)
    assert small < middle < large
    assert large - middle <= MORE * (middle - small), (small, middle, large)


def test_what_is_said_of_one_customer_costs_the_same_whoever_stands_beside_it(folders: list[Path]) -> None:
    run(folders[0], OF_ONE)
    small, large = (calls(partial(run, folder, OF_ONE)) for folder in (folders[0], folders[-1]))
    assert small < large < 1.01 * small


def test_a_cost_that_grows_with_the_square_is_seen() -> None:
    def squared(count: int) -> Callable[[], object]:
        return lambda: [max(one, other) for one in range(count) for other in range(count)]

    small, middle, large = (calls(squared(size)) for size in SIZES)
    assert large - middle > MORE * (middle - small)
