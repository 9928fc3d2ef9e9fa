"""What `xgen check` costs as customers grow, and against validators of the same files by the generated schema.

Those know neither rules across fields nor across files, nor `secure:` keys that a site needs.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.customers import write
from bench.measure import Figure, seconds
from xgen_infra.rehearsal.go import cache_dir
from xgen_infra.rehearsal.tools import Tool, ensure
from xgen_infra.schema import text as schema_text

_XGEN = Path(sys.executable).with_name("xgen")
FEW, MIDDLE, MANY = 100, 550, 1000
OF_ALL = (("check",), ("build-plan", "--json"), ("pipeline", "--output", "build/child.yml"))
OF_ONE = ("explain", "eks7", "xgen-core", "POSTGRES_HOST")
# renovate: datasource=crate depName=jsonschema-cli
_RUST = "0.60.2"
_SOONER = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
"""With optimisation across crates its build takes over half an hour of two cores, without it a quarter."""
_ROUNDS = 5
_RUNS = 15
"""Differences are compared: one run of a virtual machine takes half as long again as the next."""


def as_customers_grow() -> Iterator[Figure]:
    """Yield CPU time and memory of each verb that reads every file, and what the later customers cost of the earlier.

    A difference leaves the start of Python out, which any ratio of totals hides growth behind.
    """
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as name:
        folders = [write(Path(name) / str(size), size) for size in (FEW, MIDDLE, MANY)]
        for verb in OF_ALL:
            times, memories = zip(*_costs(folders, verb, _RUNS), strict=True)
            yield from _grown(f"{verb[0]} of {MANY} customers", times, "CPU s")
            yield from _grown(
                f"{verb[0]} of {MANY} customers: memory", [one / 1024 for one in memories], "MiB"
            )
        (one, small), (other, large) = _costs([folders[0], folders[-1]], OF_ONE, _ROUNDS)
        words = f"{OF_ONE[0]} of one of {MANY} customers"
        yield Figure(words, other, unit="CPU s")
        yield Figure(f"{words} / of one of {FEW}", other / one, 1.25)
        yield Figure(f"{words} / of one of {FEW}: memory", large / small, 1.25)


def _grown(words: str, costs: Sequence[float], unit: str) -> Iterator[Figure]:
    few, middle, many = costs
    yield Figure(words, many, unit=unit)
    yield Figure(
        f"{words}, the last {MANY - MIDDLE} / the {MIDDLE - FEW} before",
        (many - middle) / (middle - few),
        1.25,
    )


def against_validators() -> Iterator[Figure]:
    """Yield the ratios to `cue vet` and to the Rust `jsonschema` command, where cargo is there to build it."""
    cue = ensure([Tool.CUE], print)[Tool.CUE]
    rust = rust_jsonschema()
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as name:
        folder = write(Path(name), MANY)
        schema = folder / "schema.json"
        schema.write_text(schema_text(), encoding="utf-8")
        files = [path.name for path in sorted(folder.glob("Pulumi.*.yaml"))]
        imported = ["import", "-f", "-p", "customers", "-o", "schema.cue", "jsonschema:", schema.name]
        _run(folder, [str(cue), *imported])
        theirs: dict[str, Callable[[], None]] = {
            "cue vet": lambda: _run(folder, [str(cue), "vet", "-c", "schema.cue", *files])
        }
        if rust:
            instances = [word for file in files for word in ("-i", file)]
            theirs["jsonschema (Rust)"] = lambda: _run(
                folder, [str(rust), "validate", schema.name, *instances]
            )
        ours, *others = _by_turns([lambda: _xgen(folder, ["check"]), *theirs.values()])
    goals = {"cue vet": 0.5, "jsonschema (Rust)": 3}
    for what, time in zip(theirs, others, strict=True):
        yield Figure(f"check of {MANY} customers / {what}", ours / time, goals[what])
        yield Figure(f"{what} of {MANY} customers", time, unit="s")
    yield Figure(f"check of {MANY} customers", ours, unit="s")


def rust_jsonschema() -> Path | None:
    """Return the Rust command `jsonschema`, built into the cache; None, which is said, where cargo is missing."""
    home = cache_dir() / "bench" / f"jsonschema-cli-{_RUST}"
    made = sorted((home / "bin").glob("jsonschema*"))
    cargo = shutil.which("cargo")
    if not made and cargo:
        print("building the Rust jsonschema command (minutes, once)")
        command = [
            cargo,
            "install",
            "--quiet",
            "--locked",
            "jsonschema-cli",
            "--version",
            _RUST,
            "--root",
            str(home),
        ]
        subprocess.run(command, env={**os.environ, **_SOONER}, check=True)
        made = sorted((home / "bin").glob("jsonschema*"))
    if not made:
        print("cargo is missing: not measured against the Rust jsonschema command")
    return made[0] if made else None


def _xgen(folder: Path, words: Sequence[str]) -> None:
    _run(folder, [str(_XGEN), *words])


def _run(folder: Path, command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} refuses a right file: {(done.stdout + done.stderr)[:500]}")


def _by_turns(actions: Sequence[Callable[[], None]]) -> list[float]:
    rounds = [[seconds(action) for action in actions] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _costs(folders: Sequence[Path], words: Sequence[str], runs: int) -> list[tuple[float, int]]:
    """Return of each folder the least CPU seconds of several runs, by turns, and the peak memory in KiB.

    CPU seconds, and the least of them: what the machine does besides only ever adds.
    """
    rounds = [[_usage(folder, words) for folder in folders] for _ in range(runs)]
    return [
        (min(one.ru_utime + one.ru_stime for one in each), max(one.ru_maxrss for one in each))
        for each in zip(*rounds, strict=True)
    ]


def _usage(folder: Path, words: Sequence[str]) -> resource.struct_rusage:
    with subprocess.Popen(
        [_XGEN, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"xgen {' '.join(words)} ended with status {process.returncode}")
    return usage
