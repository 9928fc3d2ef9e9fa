"""A record of every call that the engine makes to a stand-in; ordered faults strike here."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from xgen_infra.rehearsal.standins import faults
from xgen_infra.rehearsal.standins.faults import Fault, Kind

FILE = "journal.jsonl"
_UNDER_WAY = "under-way-"
"""One empty file a call."""
_ERROR_LENGTH = 300


class FaultError(Exception):
    """The ordered fault."""


class PartialFaultError(Exception):
    """The resource was made and, by order, did not become ready."""


class Journal:
    """Appends one JSON line per call to `<folder>/journal.jsonl`, and lets the faults ordered there strike.

    A line: {"n", "provider", "method", "urn", "seconds", "outcome": "ok" or the error}, in the order in which
    the calls ended; `n` counts one provider's calls in the order of their start.
    """

    def __init__(self, folder: Path, provider: str) -> None:
        self._folder = folder
        self._provider = provider
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @contextmanager
    def call(
        self, method: str, urn: str, peer: str = "", notes: Mapping[str, Any] | None = None
    ) -> Iterator[None]:
        """Time a call and record how it ended, with what `notes` holds by then.

        `peer` is the caller's address, as gRPC gives it.
        """
        with self._lock:
            number = next(self._numbers)
        mark = self._folder / f"{_UNDER_WAY}{os.getpid()}-{self._provider}-{number}"
        mark.touch()
        fault = faults.due(self._folder, self._provider, method, urn)
        started, outcome = time.monotonic(), "ok"
        try:
            _refuse(fault, method, urn)
            yield
            if fault:
                self._strike(fault, method, urn, peer)
        except BaseException as error:
            outcome = f"{type(error).__name__}: {str(error)[:_ERROR_LENGTH]}"
            raise
        finally:
            self.write(
                n=number,
                method=method,
                urn=urn,
                seconds=round(time.monotonic() - started, 3),
                outcome=outcome,
                **(notes or {}),
            )
            mark.unlink(missing_ok=True)

    def write(self, **entry: Any) -> None:
        """Append one line."""
        line = json.dumps({"provider": self._provider, **entry}) + "\n"
        with self._lock, (self._folder / FILE).open("a") as stream:
            stream.write(line)

    def _strike(self, fault: Fault, method: str, urn: str, peer: str) -> None:
        time.sleep(fault.hold)
        match fault.kind:
            case Kind.KILL_ENGINE:
                # A call that was made beside this one may have ended it already.
                with suppress(ProcessLookupError):
                    os.kill(_process_at(peer), signal.SIGKILL)
                raise FaultError("ordered fault: the engine was killed")
            case Kind.KILL_PROVIDER:
                self.write(method=method, urn=urn, outcome="ordered fault: this process is killed")
                os.kill(os.getpid(), signal.SIGKILL)
            case Kind.PARTIAL if method != "Delete":
                raise PartialFaultError(f"ordered fault: {urn} did not become ready")
            case _:
                raise FaultError(f"ordered fault: the answer to {method} of {urn} was lost")


def read(folder: Path) -> list[dict[str, Any]]:
    """Return what the stand-ins of a folder have recorded."""
    try:
        lines = (folder / FILE).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def under_way(folder: Path) -> list[str]:
    """Return the calls of a folder's stand-ins that have not ended; one may outlive the engine that made it."""
    marks = [path.name.removeprefix(_UNDER_WAY) for path in folder.glob(f"{_UNDER_WAY}*")]
    return [mark for mark in marks if psutil.pid_exists(int(mark.partition("-")[0]))]


def _refuse(fault: Fault | None, method: str, urn: str) -> None:
    if fault and fault.kind is Kind.ERROR:
        time.sleep(fault.hold)
        raise FaultError(f"ordered fault: {method} of {urn} is refused")


def _process_at(peer: str) -> int:
    """Return the process that holds the caller's end of a connection (peer: `ipv4:127.0.0.1:PORT`)."""
    port, mine = int(peer.rsplit(":", 1)[-1]), os.getpid()
    # A port alone names no connection: outgoing ones to several servers may share it.
    found = psutil.net_connections(kind="tcp")
    ends = [(one.pid, one.laddr.port, one.raddr.port) for one in found if one.pid and one.laddr and one.raddr]
    called = {local for pid, local, remote in ends if pid == mine and remote == port}
    for pid, local, remote in ends:
        if pid != mine and local == port and remote in called:
            return pid
    raise FaultError(f"no process was found at {peer}")
