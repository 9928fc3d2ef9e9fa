"""Language hosts of a process that has imported the SDK: most of an operation's time would be imports."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from xgen_infra.rehearsal.processes import Supervisor, clean_environment

_NAME = "hosts"
_SECONDS = 300.0


class LanguageHosts:
    """One process that imports the SDK once, and forks a host for each engine, or ahead of it for one program.

    `folder` is where it is asked (`surroundings.install_language`).
    """

    def __init__(self, supervisor: Supervisor, folder: Path) -> None:
        self.folder = folder
        self._supervisor = supervisor
        self._numbers = itertools.count(1)

    def ask(self, project: Path, environment: Mapping[str, str]) -> Path:
        """Ask for a host of the program in a folder, and return the file that will hold its port.

        The host has that environment and no other, and runs the program once.
        """
        ready = self.folder / f"ahead-{next(self._numbers):04}.port"
        asked = {"project": str(project), "environment": dict(environment)}
        part = ready.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asked), encoding="utf-8")
        part.rename(ready.with_suffix(".json"))
        return ready

    def wait(self, ready: Path) -> None:
        """Wait until a host has imported its program; raises ProcessError. Where there is none now, the file is empty."""
        self._supervisor.wait(ready.exists, _SECONDS, what=_NAME)


@contextmanager
def language_hosts(root: Path, *, cloud: bool) -> Iterator[LanguageHosts]:
    """Begin to start the process, and end it and its hosts afterwards; `cloud`: programs are of sites on EKS."""
    with Supervisor(root) as supervisor:
        yield spawn(supervisor, root, cloud=cloud)


def spawn(supervisor: Supervisor, root: Path, *, cloud: bool) -> LanguageHosts:
    """Begin to start the process among the servers of a world."""
    folder = root / "hosts"
    folder.mkdir(mode=0o700, exist_ok=True)
    argv: list[str | Path] = [sys.executable, "-m", "xgen_infra.rehearsal.standins.hosts", folder]
    argv += ["--cloud"] if cloud else []
    environment = clean_environment(root, PYTHONPATH=str(Path(__file__).parents[2]))
    process = supervisor.spawn(_NAME, argv, env=environment)
    (folder / "pid").write_text(f"{process.pid}\n")
    return LanguageHosts(supervisor, folder)
