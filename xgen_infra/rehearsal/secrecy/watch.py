"""Watches the arguments of every process of this machine while a rehearsal runs."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

_PERIOD = 0.02
_YOUNG = 0.5
_LOOKS = 3
"""A process is looked at again until it is as old as so many seconds, and as so many looks: a fork shows its parent's arguments
until it runs its own."""


@dataclass
class Watch:
    """Keeps the arguments of each process that lived for a look; `looks` counts them, `processes` whom they saw.

    A process that began and ended between two looks, 20 ms apart, was not seen. In a `with` block it looks from a
    thread of its own.
    """

    looks: int = 0
    processes: int = 0
    _seen: dict[int, tuple[float, int]] = field(default_factory=dict)
    _arguments: dict[bytes, None] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="arguments", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def arguments(self) -> bytes:
        """Return the arguments seen so far: one process a line, NUL between arguments."""
        return b"\n".join(tuple(self._arguments))

    def look(self) -> None:
        """Look once at whoever is new."""
        now, running = time.monotonic(), psutil.pids()
        gone = self._seen.keys() - set(running)
        for pid in gone:
            del self._seen[pid]
        for pid in running:
            if pid not in self._seen:
                self.processes += 1
            since, look = self._seen.setdefault(pid, (now, self.looks))
            if now - since < _YOUNG or self.looks - look < _LOOKS:
                with contextlib.suppress(psutil.Error, OSError):
                    words = psutil.Process(pid).cmdline()
                    self._arguments["\0".join(words).encode(errors="surrogateescape")] = None
        self.looks += 1

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            self.look()
