"""`python -m bench [NAME…]`: measure and print; without names, everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module

from rich.console import Console
from rich.table import Table

from bench.measure import Figure

BENCHES: dict[str, str] = {
    "preview": "bench.preview:against_flat",
    "preview-against": "bench.preview_against:against_plain",
    "up": "bench.up:against_helm",
    "memory": "bench.memory:against_imports",
    "scale": "bench.check:as_customers_grow",
    "check": "bench.check:against_validators",
    "build-plan": "bench.build_plan:against_loader",
}
"""Name on the command line -> module:function, which yields figures."""


def main(names: Iterable[str]) -> None:
    """Print one row a figure; end with status 1 where a goal is missed.

    A bench that is not there ends the run with a list of those that are.
    """
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise SystemExit(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    table = Table("bench", "what", "value", "goal", title="Ratios of one run")
    console = Console()
    missed = []
    for name in names or BENCHES:
        module, _, function = BENCHES[name].partition(":")
        bench: Callable[[], Iterable[Figure]] = getattr(import_module(module), function)
        console.print(f"{name} …", style="dim")
        for figure in bench():
            table.add_row(name, figure.what, figure.shown, figure.hoped)
            missed += [figure.what] if figure.missed else []
    console.print(table)
    if missed:
        raise SystemExit(f"goals missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
