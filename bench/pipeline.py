"""What `xgen pipeline` costs for a thousand customers: time, memory, and whether both grow with their number alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.build_plan import customers
from bench.measure import Figure

_ROOT = Path(__file__).parents[1]
_FEW, _MANY = 250, 1000
_PROGRAM = """
import resource, sys, time
from xgen_infra.cli import main
sys.argv = ["xgen", "-C", sys.argv[1], "pipeline", "--output", "build/child.yml"]
started = time.perf_counter()
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def of_customers() -> Iterator[Figure]:
    """Yield seconds and MiB for a thousand customers, and what one of them costs against one of a quarter as many."""
    few, _ = _written(_FEW)
    many, peak = _written(_MANY)
    yield Figure(f"child pipeline of {_MANY} customers", many, unit="s")
    yield Figure(f"peak memory of the child pipeline of {_MANY} customers", peak, unit="MiB")
    yield Figure(f"one of {_MANY} customers / one of {_FEW}", (many / _MANY) / (few / _FEW), "≤ 1.3")


def _written(number: int) -> tuple[float, float]:
    """Return seconds and MiB of one run in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as folder:
        customers(Path(folder), number)
        words = [sys.executable, "-c", _PROGRAM, folder]
        done = subprocess.run(words, cwd=_ROOT, check=True, capture_output=True, text=True)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)
