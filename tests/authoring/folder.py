"""A folder of customers' files, and the `xgen` command in it, with a terminal or without one."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from xgen_infra.cli import main
from xgen_infra.folder import read_site
from xgen_infra.passphrase import Vault
from xgen_infra.stackfile import StackFile

ROOT = Path(__file__).parents[2]
XGEN = Path(sys.executable).with_name("xgen")
PASSPHRASE = "a passphrase of a test"
GIVEN = {"XGEN_REGISTRY_PASSWORD": "canary-registry-8d1", "XGEN_GIT_PASSWORD": "canary-git-77f"}
EKS = [
    *("--kind", "eks", "--account", "123456789012", "--region", "ap-northeast-2"),
    *("--repo-url", "http://gitlab.acme.example/xgen/xgen-infra.git"),
    *("--management-vpc", "vpc-0a1b2c3d4e5f60718", "--management-cidr", "10.20.0.0/16"),
    *("--management-route-table", "rtb-0a1b2c3d4e5f60718"),
    *("--management-security-group", "sg-0a1b2c3d4e5f60718", "--data-host", "10.20.1.10"),
]
K3S = ["--kind", "k3s", "--repo-url", "https://gitlab.mart.example/xgen/xgen-infra.git"]


def folder_of(path: Path, *stacks: str) -> Path:
    """Copy the project's file and the samples of these names."""
    for name in ("Pulumi.yaml", *(f"Pulumi.{stack}.yaml" for stack in stacks)):
        shutil.copy(ROOT / name, path)
    return path


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "XGEN_"))}
    return {**kept, "TERM": "dumb", "COLUMNS": "100", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, **more}


def xgen(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command where nobody can be asked."""
    return subprocess.run(
        [XGEN, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def xgen_here(
    folder: Path, *arguments: str, given: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as `xgen` does, in this process: many refusals in little time. `given` is its standard input."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(os, "environ", environment(**variables))
        patch.setattr(sys, "argv", ["xgen", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def secrets_in(folder: Path, stack: str, passphrase: str = PASSPHRASE) -> dict[str, str]:
    """Decrypt a file's secrets, by their name."""
    file = StackFile.read(folder / f"Pulumi.{stack}.yaml")
    vault = Vault.open(passphrase, file.data["encryptionsalt"])
    return {key.partition(":")[2]: vault.decrypt(file.config[key]["secure"]) for key in file.secure}


def site_in(folder: Path, stack: str) -> object:
    return read_site(folder, stack)[1]


class Terminal:
    """The command at a terminal, with somebody who replies."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.shown = ""
        self._read_to = 0
        self._main, side = pty.openpty()
        self._process = subprocess.Popen(
            [XGEN, *arguments],
            cwd=folder,
            env=environment(**variables),
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)

    def reply(self, question: str, answer: str, *, hidden: bool = False) -> None:
        """Wait for a question and reply to it; a hidden reply is typed when the terminal has stopped to echo."""
        self._until(question)
        while hidden and termios.tcgetattr(self._main)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(self._main, f"{answer}\n".encode())

    def _until(self, words: str) -> None:
        limit = time.monotonic() + 60
        while (found := self.shown.find(words, self._read_to)) < 0:
            assert time.monotonic() < limit, f"never asked {words!r}:\n{self.shown}"
            assert self._read(), f"ended before it asked {words!r}:\n{self.shown}"
        self._read_to = found + len(words)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._main], [], [], 60)
        try:
            text = os.read(self._main, 65536) if ready else b""
        except OSError:  # the other side is closed
            return False
        self.shown += text.decode(errors="replace").replace("\r\n", "\n")
        return bool(text)

    def end(self) -> int:
        """Return the exit status."""
        while self._read():
            pass
        os.close(self._main)
        return self._process.wait(60)
