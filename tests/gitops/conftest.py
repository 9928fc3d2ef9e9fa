"""A customer's Git server, and a folder of customers' files that names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from xgen_infra.rehearsal.gitops.git_server import GitServer
from xgen_infra.rehearsal.gitops.repository import create_repository
from xgen_infra.rehearsal.gitops.settings import GitSettings
from xgen_infra.rehearsal.ports import free_ports, release

ROOT = Path(__file__).parents[2]
PASSWORD = "p/+&|'\"# a$b c"
USERNAME = "xgen-mirror"
PATH_ = "/xgen/xgen-infra.git"
URL = f"http://gitlab.aww.example{PATH_}"


@dataclass(frozen=True)
class Remote:
    """The customer's repository: the port of the server that stands for its host, and the bare one behind it."""

    port: int
    bare: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.bare, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def head(self, branch: str = "main") -> str:
        return self.git("rev-parse", branch)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        listed = self.git("ls-tree", "-r", "--name-only", "--full-tree", revision).splitlines()
        show = ["git", "cat-file", "blob"]
        return {
            path: subprocess.run(
                [*show, f"{revision}:{path}"], cwd=self.bare, capture_output=True, check=True
            ).stdout
            for path in listed
        }

    def objects(self) -> bytes:
        names = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").encode()
        return subprocess.run(
            ["git", "cat-file", "--batch"], cwd=self.bare, input=names, capture_output=True, check=True
        ).stdout

    def commit(self, clone: Path, change: Callable[[Path], object], *, amend: bool = False) -> str:
        """Let somebody else clone, change and push; return the commit."""
        shutil.rmtree(clone, ignore_errors=True)
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@aww.example"]
        clone.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "clone", "--quiet", str(self.bare), str(clone)], check=True, capture_output=True
        )
        change(clone)
        subprocess.run(["git", *who, "add", "--all"], cwd=clone, check=True)
        words = ["commit", "--quiet", *(["--amend", "--no-edit"] if amend else ["--message", "By hand"])]
        subprocess.run(["git", *who, *words], cwd=clone, check=True)
        self.git("config", "receive.denyNonFastForwards", "false")
        subprocess.run(["git", "push", "--quiet", "--force", "origin", "HEAD:main"], cwd=clone, check=True)
        self.git("config", "receive.denyNonFastForwards", "true")
        return self.head()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with served(tmp_path / "served") as made:
        yield made


def hold_pushes(remote: Remote, folder: Path) -> tuple[Path, Path]:
    """Let a push wait and then be refused; return what appears when one waits, and what lets it go on (made by then).

    Taking the hook away, `remote.bare / "hooks" / "pre-receive"`, lets pushes through again.
    """
    reached, released = folder / "reached", folder / "released"
    hook = remote.bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {reached}\nwhile [ ! -e {released} ]; do sleep 0.05; done\nexit 1\n")
    hook.chmod(0o755)
    return reached, released


class served:  # noqa: N801 - reads as a verb
    """A Git server in this process, with `certificates` as in GitSettings."""

    def __init__(self, root: Path, certificates: Mapping[str, tuple[str, str]] | None = None) -> None:
        self._root, self._certificates = root, certificates or {}

    def __enter__(self) -> Remote:
        (self._port,) = free_ports(1)
        bare = create_repository(self._root, PATH_)
        settings = GitSettings(self._port, str(self._root), USERNAME, PASSWORD, dict(self._certificates))
        self._server = GitServer(settings)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return Remote(self._port, bare)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        release([self._port])


@dataclass
class Customers:
    """A folder of Pulumi.yaml and customers' files; `xgen` runs there."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def file(self, stack: str) -> Path:
        return self.folder / f"Pulumi.{stack}.yaml"

    def edit(self, stack: str, old: str, new: str) -> None:
        text = self.file(stack).read_text()
        assert old in text
        self.file(stack).write_text(text.replace(old, new, 1))

    def xgen(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self.env(**environment), capture_output=True, text=True, check=False
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "xgen_infra.cli", "-C", str(self.folder), *words]

    def env(self, **environment: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "XGEN_"))}
        return {**kept, "PYTHONPATH": str(ROOT), **self.environment, **environment}


@pytest.fixture
def customers(tmp_path: Path, remote: Remote) -> Customers:
    """The sample customers; the host of aww's repository is the Git server here."""
    folder = tmp_path / "customers"
    folder.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.aww.yaml", "Pulumi.lotteimall.yaml", "Pulumi.main.yaml"):
        shutil.copy(ROOT / name, folder)
    return Customers(folder, {"XGEN_GIT_PASSWORD": PASSWORD, **through(remote.port)})


def through(port: int, origin: str = "http://gitlab.aww.example") -> dict[str, str]:
    """Return the environment in which git finds a customer's host at a port of this machine."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{origin}/.proxy",
        "GIT_CONFIG_VALUE_0": f"http://127.0.0.1:{port}",
    }
