"""Ports on the loopback address that no other rehearsal on this machine takes."""

from __future__ import annotations

import fcntl
import random
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from xgen_infra.rehearsal.go import cache_dir

# Below 32768, where Linux by default takes the local ports of outgoing connections from.
RANGE = range(20_000, 30_000)
_held: dict[int, IO[str]] = {}


class PortError(Exception):
    """There are not enough free ports."""


def free_ports(count: int, *, cache: Path | None = None) -> list[int]:
    """Return ports that nothing listens on, reserved until `release` or until this process ends.

    A reservation is a locked file in the cache folder: it holds between two rehearsals that have chosen
    their ports but not bound them yet, and disappears with the process. PortError when there are too few.
    """
    folder = (cache or cache_dir()) / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[int] = []
    for port in random.sample(RANGE, len(RANGE)):
        if len(chosen) == count:
            break
        if handle := _reserve(folder, port):
            _held[port] = handle
            chosen.append(port)
    if len(chosen) < count:
        release(chosen)
        raise PortError(
            f"{count} free ports were asked for between {RANGE.start} and {RANGE.stop}; end what uses them."
        )
    return chosen


def release(ports: Iterable[int]) -> None:
    """Give reservations back; ports that are not reserved here are passed over."""
    for port in ports:
        if handle := _held.pop(port, None):
            handle.close()


def listening(port: int) -> Callable[[], bool]:
    """Return a question that answers whether something accepts connections on this port of 127.0.0.1."""

    def ask() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    return ask


def _reserve(folder: Path, port: int) -> IO[str] | None:
    handle = (folder / str(port)).open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        handle.close()
        return None
    return handle
