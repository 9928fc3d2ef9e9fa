"""Process groups of servers: which of them still run, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

# psutil derives a start time from the clock; a step of the clock moves it.
_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True)
class Record:
    """What a later run must know to end a process: its pid, when that pid was started, how long it may take."""

    name: str
    pid: int
    started: float
    grace: float


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_ours(record: Record) -> bool:
    """Whether what runs by a record's pid, or in its group, is what was recorded."""
    try:
        return bool(abs(psutil.Process(record.pid).create_time() - record.started) < _CLOCK_TOLERANCE)
    except psutil.NoSuchProcess:
        # A pid is not given out while a process group bears it, so what is left of that group is ours.
        return bool(_members(record.pid))


def _members(group: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end(group: int, grace: float, leads: Callable[[], bool]) -> None:
    """Send SIGTERM to a process group, wait `grace` seconds for all of it to end, then SIGKILL."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if number == signal.SIGTERM and not grace:
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        deadline = time.monotonic() + patience
        while leads() or _members(group):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return
