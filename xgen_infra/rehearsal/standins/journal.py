"""A record of every call that the engine makes to the stand-ins, and faults to order."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAULT_FILE = "fault.json"
"""In the stand-ins' folder: {"call": n, "kind": "error" | "timeout" | "partial" | "kill", "pid"?: engine's pid}.

The n-th changing call (Create, Update, Delete; counted from 1 since the file was written, over all providers)
fails in that way, once; the file is taken away as it strikes. `error` refuses before anything is done;
`timeout` does the work and then loses the answer; `partial` makes the resource and says that it did not become
ready; `kill` does the work and ends the engine with SIGKILL before it hears of it.
"""


class FaultError(Exception):
    """The ordered fault."""


class PartialFaultError(Exception):
    """The resource was made and, by order, did not become ready."""


class Journal:
    """Appends one JSON line per call to `<folder>/journal.jsonl`."""

    def __init__(self, folder: Path, provider: str) -> None:
        self._file = folder / "journal.jsonl"
        self._fault = folder / FAULT_FILE
        self._provider = provider
        self._lock = threading.Lock()

    @contextmanager
    def call(self, method: str, urn: str) -> Iterator[None]:
        """Time a call and record how it ended; the ordered fault strikes here."""
        fault = self._due(method)
        started, outcome = time.monotonic(), "ok"
        try:
            _before(fault, method, urn)
            yield
            if fault:
                self._after(fault, method, urn)
        except BaseException as error:
            outcome = f"{type(error).__name__}: {str(error)[:200]}"
            raise
        finally:
            self.write(method=method, urn=urn, seconds=round(time.monotonic() - started, 3), outcome=outcome)

    def write(self, **entry: Any) -> None:
        """Append one entry."""
        line = json.dumps({"provider": self._provider, **entry}) + "\n"
        with self._lock, self._file.open("a") as stream:
            stream.write(line)

    def _due(self, method: str) -> dict[str, Any] | None:
        if method not in {"Create", "Update", "Delete"} or not self._fault.exists():
            return None
        with _exclusively(self._fault):
            try:
                fault: dict[str, Any] = json.loads(self._fault.read_text())
            except FileNotFoundError:
                return None
            fault["call"] -= 1
            if fault["call"] > 0:
                self._fault.write_text(json.dumps(fault))
                return None
            self._fault.unlink()
            return fault

    @staticmethod
    def _after(fault: dict[str, Any], method: str, urn: str) -> None:
        match fault["kind"]:
            case "kill":
                os.kill(int(fault["pid"]), signal.SIGKILL)
                raise FaultError("the engine was killed")
            case "partial" if method == "Create":
                raise PartialFaultError(f"ordered fault: {urn} was made and did not become ready")
            case _:
                raise FaultError(f"ordered fault: the answer to {method} of {urn} was lost")


def _before(fault: dict[str, Any] | None, method: str, urn: str) -> None:
    if fault and fault["kind"] == "error":
        raise FaultError(f"ordered fault: {method} of {urn} is refused")


@contextmanager
def _exclusively(file: Path) -> Iterator[None]:
    with file.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
