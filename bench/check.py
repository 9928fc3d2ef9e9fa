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
_FEW, _MANY = 100, 1000
_ROUNDS = 5


def as_customers_grow() -> Iterator[Figure]:
    """Yield time and memory of check, build-plan and explain for ten times as many customers."""
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as name:
        few, many = write(Path(name) / "few", _FEW), write(Path(name) / "many", _MANY)
        for verb in (["check"], ["build-plan", "--json"], ["explain", "eks7", "xgen-core", "POSTGRES_HOST"]):
            words = f"{verb[0]} of {_MANY} customers"
            one, other = _fastest(few, verb), _fastest(many, verb)
            yield Figure(f"{words} / of {_FEW}", other / one, "<= 11")
            yield Figure(words, other, unit="s")
            grown = _peak(many, verb) / _peak(few, verb)
            yield Figure(f"{words} / of {_FEW}: memory", grown, "<= 11")


def against_validators() -> Iterator[Figure]:
    """Yield the ratios to `cue vet` and to the Rust `jsonschema` command, where cargo is there to build it."""
    cue = ensure([Tool.CUE], print)[Tool.CUE]
    rust = rust_jsonschema()
    with tempfile.TemporaryDirectory(prefix="xgen-bench-") as name:
        folder = write(Path(name), _MANY)
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
    goals = {"cue vet": "<= 0.5", "jsonschema (Rust)": "<= 3"}
    for what, time in zip(theirs, others, strict=True):
        yield Figure(f"check of {_MANY} customers / {what}", ours / time, goals[what])
        yield Figure(f"{what} of {_MANY} customers", time, unit="s")
    yield Figure(f"check of {_MANY} customers", ours, unit="s")


def rust_jsonschema() -> Path | None:
    """Return the Rust command `jsonschema`, built into the cache; None, which is said, where cargo is missing."""
    home = cache_dir() / "bench" / "jsonschema-cli"
    made = sorted((home / "bin").glob("jsonschema*"))
    cargo = shutil.which("cargo")
    if not made and cargo:
        print("building the Rust jsonschema command (minutes, once)")
        subprocess.run(
            [cargo, "install", "--quiet", "--locked", "jsonschema-cli", "--root", home], check=True
        )
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


def _fastest(folder: Path, words: Sequence[str]) -> float:
    """Return the least of several times: what the machine does besides only ever adds."""
    return min(seconds(lambda: _xgen(folder, words)) for _ in range(_ROUNDS))


def _by_turns(actions: Sequence[Callable[[], None]]) -> list[float]:
    rounds = [[seconds(action) for action in actions] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _peak(folder: Path, words: Sequence[str]) -> int:
    """Return a run's peak memory in KiB."""
    with subprocess.Popen([_XGEN, *words], cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    peak: resource.struct_rusage = usage
    return peak.ru_maxrss
