"""Starts and ends the process that plays AWS (standins/aws/emulator).

One server serves every account and region of a rehearsal; what it holds dies with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from xgen_infra.rehearsal import ports
from xgen_infra.rehearsal.standins.aws.emulator.networks import ExistingNetwork, dump

_START_SECONDS = 180.0  # far more than it needs: a machine may have other work
_STOP_SECONDS = 5.0


class MotoServerError(RuntimeError):
    """The server did not come up; the message carries the end of its log."""


@dataclass(frozen=True)
class Tls:
    """Certificate and key (PEM files) of a second listener, for clients that insist on https."""

    port: int
    certificate: Path
    key: Path


@dataclass(frozen=True)
class MotoServer:
    """What to run: `command()` for a supervisor, `running(...)` for a test."""

    port: int
    root: Path
    tls: Tls | None = None
    enforce_iam: bool = True
    networks: tuple[ExistingNetwork, ...] = ()

    @property
    def url(self) -> str:
        """The plain-HTTP endpoint of every service."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Give the argument vector; writes the list of existing networks beside the log if there are any."""
        argv = [sys.executable, "-m", "xgen_infra.rehearsal.standins.aws.emulator", "--port", str(self.port)]
        if self.tls is not None:
            argv += ["--tls-port", str(self.tls.port)]
            argv += ["--certificate", str(self.tls.certificate), "--key", str(self.tls.key)]
        if self.networks:
            listed = self.root / "networks.json"
            dump(listed, list(self.networks))
            argv += ["--networks", str(listed)]
        return argv if self.enforce_iam else [*argv, "--open"]

    def is_up(self) -> bool:
        """Whether the server answers."""
        return ports.listening(self.port)()


@contextmanager
def running(
    root: Path | None = None,
    *,
    enforce_iam: bool = True,
    networks: Sequence[ExistingNetwork] = (),
    tls: Tls | None = None,
) -> Iterator[MotoServer]:
    """Run a server on a free port; its log is `moto.log` under `root`. Raises MotoServerError."""
    with tempfile.TemporaryDirectory() as spare:
        place = root or Path(spare)
        port = free_port()
        server = MotoServer(port, place, tls, enforce_iam, tuple(networks))
        process = start(server)
        try:
            yield server
        finally:
            stop(process)
            ports.release([port])


def start(server: MotoServer) -> psutil.Popen:
    """Start the server and wait until it answers. Raises MotoServerError."""
    log = server.root / "moto.log"
    with log.open("ab") as sink:
        process = psutil.Popen(server.command(), stdout=sink, stderr=sink, env=_environment())
    deadline = time.monotonic() + _START_SECONDS
    while not server.is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            tail = log.read_text(errors="replace")[-2000:]
            raise MotoServerError(f"the AWS emulator did not come up on port {server.port}:\n{tail}")
        time.sleep(0.02)
    return process


def stop(process: psutil.Popen) -> None:
    """End the server; accepts one that has ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.kill()
            process.wait(_STOP_SECONDS)


def free_port() -> int:
    """Give a free port, reserved for this process. Raises ports.PortError."""
    return ports.free_ports(1)[0]


def _environment() -> dict[str, str]:
    """Without the caller's AWS settings: the emulator has no use for anyone's credentials."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
