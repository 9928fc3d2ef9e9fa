"""Starts the servers of a rehearsal and ends them, whatever happens to the rehearsal itself."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

import psutil

from xgen_infra.rehearsal import groups
from xgen_infra.rehearsal.groups import Record

_POLL = 0.05
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ProcessError(Exception):
    """A server did not start, or ended by itself; the message names it and quotes its log."""


class Process:
    """A running server: the leader of its own session and process group."""

    def __init__(self, popen: subprocess.Popen[bytes], record: Record, log: Path, file: Path) -> None:
        self.name = record.name
        self.pid = popen.pid
        self.log = log
        self._popen = popen
        self._record = record
        self._file = file

    def returncode(self) -> int | None:
        return self._popen.poll()

    def tail(self, lines: int = 15) -> str:
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - 16_384))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])

    def end(self, *, force: bool = False) -> None:
        """End the process and its group: SIGTERM, then SIGKILL after its grace, or at once by `force`."""
        grace = 0.0 if force else self._record.grace
        groups.end(self.pid, grace, lambda: self._popen.poll() is None)
        self._file.unlink(missing_ok=True)


class Supervisor:
    """Owns the servers of one rehearsal; leaving the `with` block ends them, the last started first.

    Logs are <root>/logs/<name>.log, records <root>/run/*.json. Entering ends what a killed run left in the
    same root, and refuses a root in use. Leaving raises ProcessError where a server has ended by itself and
    nothing has told so yet. In the main thread SIGTERM and SIGHUP end the block by SystemExit,
    SIGINT by KeyboardInterrupt.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._processes: dict[str, Process] = {}
        self._lock: IO[str] | None = None
        self._number = 0
        self._deferring = 0
        self._pending: int | None = None
        self._previous: dict[int, object] = {}
        self._told: set[int] = set()

    def __enter__(self) -> Self:
        for folder in (self.root, self.root / "logs", self.root / "run"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (self.root / "run" / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ProcessError(
                f"Another rehearsal is running in {self.root}. End it first, or use another folder."
            ) from None
        self._lock = lock
        stop_leftovers(self.root)
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        untold = next((one for one in self._ended() if one.pid not in self._told), None)
        try:
            with self._deferred():
                self.stop_all()
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)  # type: ignore[arg-type]
            self._previous = {}
            if self._lock:
                self._lock.close()
        if untold and (error is None or isinstance(error, Exception)):
            then = f"\nWhat failed then: {error}" if error else ""
            raise ProcessError(f"{_how_it_ended(untold)}{then}") from error

    @property
    def processes(self) -> Mapping[str, Process]:
        """The servers started and not stopped, by name, in the order of their start."""
        return dict(self._processes)

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        ready: Callable[[], bool],
        timeout: float,
        cwd: Path | None = None,
        grace: float = 5.0,
    ) -> Process:
        """Start a server and wait until it is ready; ProcessError when it ends or is not ready in time."""
        process = self.spawn(name, argv, env=env, cwd=cwd, grace=grace)
        self.wait(ready, timeout, what=name)
        return process

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        grace: float = 5.0,
    ) -> Process:
        """Start a server without waiting for it. `env` is its whole environment; `grace` seconds are its to end in."""
        if name in self._processes:
            raise ProcessError(f"{name} is running already.")
        log = self.root / "logs" / f"{name}.log"
        self._number += 1
        file = self.root / "run" / f"{self._number:03}-{name}.json"
        with self._deferred(), _append(log) as output:
            try:
                popen = subprocess.Popen(
                    [str(word) for word in argv],
                    env=dict(env),
                    cwd=cwd or self.root,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessError(f"{name} could not be started: {error}.") from error
            try:
                started = psutil.Process(popen.pid).create_time()
            except psutil.NoSuchProcess:
                started = 0.0
            record = Record(name, popen.pid, started, grace)
            file.write_text(json.dumps(asdict(record)))
            process = self._processes[name] = Process(popen, record, log, file)
        return process

    def wait(self, ready: Callable[[], bool], timeout: float, *, what: str) -> None:
        """Wait until `ready` answers true; ProcessError when any server ends meanwhile, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self.check()
            if ready():
                return
            if time.monotonic() > deadline:
                process = self._processes.get(what)
                quote = f" The end of {process.log}:\n{process.tail()}" if process else ""
                raise ProcessError(f"{what} was not ready after {timeout:.0f} s.{quote}")
            time.sleep(_POLL)

    def check(self) -> None:
        """Raise ProcessError when a server has ended by itself."""
        for process in self._ended():
            self._told.add(process.pid)
            raise ProcessError(_how_it_ended(process))

    def _ended(self) -> list[Process]:
        return [process for process in self._processes.values() if process.returncode() is not None]

    def stop(self, name: str, *, force: bool = False) -> None:
        """End one server; by `force` it is killed at once. ProcessError when there is none of that name."""
        if name not in self._processes:
            raise ProcessError(f"{name} is not running.")
        with self._deferred():
            self._processes[name].end(force=force)
            del self._processes[name]

    def stop_all(self) -> None:
        """End every server, the last started first."""
        with contextlib.ExitStack() as stack:
            for name in self._processes:
                stack.callback(self.stop, name)

    def release(self) -> None:
        """Leave the servers running when the block ends; `stop_leftovers` of the same root ends them."""
        self._processes.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._deferring:
            self._pending = number
        else:
            _interrupt(number)

    @contextlib.contextmanager
    def _deferred(self) -> Iterator[None]:
        """Let a signal wait: a process is recorded once started, and stopping is not left half-way."""
        self._deferring += 1
        try:
            yield
        finally:
            self._deferring -= 1
        if self._pending is not None and not self._deferring:
            number, self._pending = self._pending, None
            _interrupt(number)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block by SystemExit, where they would end this process on the spot."""
    numbers = [signal.SIGTERM, signal.SIGHUP]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    changed = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, lambda received, _: _interrupt(received))
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def stop_leftovers(root: Path) -> list[str]:
    """End the servers that a killed or released run left in `root`; return their names.

    A pid that has been given to another process since is left alone: pid and start time must both agree.
    """
    stopped = []
    for file in sorted((root / "run").glob("*.json"), reverse=True):
        try:
            record = Record(**json.loads(file.read_text()))
        except (ValueError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if groups.is_ours(record):
            groups.end(record.pid, record.grace, lambda pid=record.pid: groups.runs(pid))  # type: ignore[misc]
            stopped.append(record.name)
        file.unlink(missing_ok=True)
    return stopped


def clean_environment(root: Path, **extra: str) -> dict[str, str]:
    """Return a whole environment for a server: a plain PATH, a HOME and TMPDIR inside `root`, and `extra`."""
    home, temporary = root / "home", root / "tmp"
    for folder in (home, temporary):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONFAULTHANDLER": "1",
    } | extra


def _append(log: Path) -> IO[bytes]:
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _interrupt(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _how_it_ended(process: Process) -> str:
    """Say it; a negative status is the number of the signal that ended it."""
    status = process.returncode() or 0
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return f"{process.name} ended by itself ({how}). The end of {process.log}:\n{process.tail()}"
