"""Python programs whose pins contradict the program's own: each lock in an environment of its own, made on demand."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from xgen_infra.rehearsal.go import ToolError, cache_dir, locked

LOCKS = Path(__file__).parents[2] / "requirements"


def environment(name: str, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """Return the folder of the programs that requirements/<name>.txt pins; made on first use, kept in the cache.

    Raises ToolError where the packages cannot be had.
    """
    lock = LOCKS / f"{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:12]
    folder = cache_dir() / name / digest
    with locked(
        cache_dir() / "locks" / f"{name}-{digest}",
        lambda seconds: progress(f"{name}: another process installs it, {seconds:.0f} s"),
    ):
        if not (folder / "ready").exists():
            progress(f"{name}: installing its packages, once")
            venv.create(folder, with_pip=True, clear=True)
            _install(folder, lock)
            (folder / "ready").touch()
    return folder / "bin"


def _install(folder: Path, lock: Path) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", *quiet, "-r", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(
            f"installing {lock.name} failed:\n{done.stderr[-2000:]}\n"
            "What to do: check the network, or set PIP_INDEX_URL to an index that this machine reaches, "
            "and run it again."
        )
