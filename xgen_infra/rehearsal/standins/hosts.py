"""`python -m xgen_infra.rehearsal.standins.hosts FOLDER`: language hosts of a process that has the SDK (rehearsal/hosts.py).

The process imports the SDK and forks a host for each file of FOLDER. `NAME.json` asks for one ahead of the engine: it
imports its program at once. `PID.engine` asks for one that an engine waits for, in the place of the process PID, which
that engine started: the host has its environment (proc(5)), writes where it writes, and ends when it ends.
Each writes its port to NAME.port and runs one program. Where a host ends before that, the file is empty.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from xgen_infra.rehearsal.standins import language, sdk

_TICK = 0.02


def main() -> None:
    """Fork hosts as they are asked for, until who started this is gone."""
    folder = Path(sys.argv[1])
    parent = os.getppid()
    _load()
    hosts: dict[int, Path] = {}
    while os.getppid() == parent:
        for file in sorted(folder.iterdir()):
            if file.suffix in {".json", ".engine"}:
                asked = file.read_bytes()
                file.unlink()
                hosts[_forked(file, asked)] = file
        with suppress(ChildProcessError):
            ended, _ = os.waitpid(-1, os.WNOHANG)
            if ended:
                _forget(hosts.pop(ended))
        time.sleep(_TICK)
    (folder / "pid").unlink(missing_ok=True)


def _load() -> None:
    """Import what programs import, but for what is a program's own: it has its own copy, perhaps of another revision."""
    # What is imported stays, in every fork.
    gc.disable()
    if "--cloud" in sys.argv:
        sdk.load(sdk.MODULES)
    import_module("xgen_infra.stack")
    language.forget()
    gc.freeze()


def _forked(file: Path, asked: bytes) -> int:
    """Fork a host; return its process id."""
    this = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        if file.suffix == ".json":
            _ahead(this, file.with_suffix(".port"), **json.loads(asked))
        _instead_of(int(file.stem), file.with_suffix(".port"))
    finally:
        os._exit(1)


def _ahead(parent: int, ready: Path, project: str, environment: dict[str, str]) -> NoReturn:
    _have(environment)
    language.import_program(Path(project))
    _offer(language.start(language.Host(ready)), ready)
    language.stay(parent)


def _instead_of(process: int, ready: Path) -> NoReturn:
    """Be the host that an engine takes another process for."""
    other = os.pidfd_open(process)
    environment = os.fsdecode(Path(f"/proc/{process}/environ").read_bytes())
    for stream in (1, 2):
        opened = os.open(f"/proc/{process}/fd/{stream}", os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, stream)
        os.close(opened)
    _have(dict(one.split("=", 1) for one in environment.split("\0") if one))
    _offer(language.start(language.Host()), ready)
    select.select([other], [], [])
    os._exit(0)


def _have(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _offer(port: int, ready: Path) -> None:
    part = ready.with_suffix(".offer")
    part.write_text(f"{port}\n")
    part.rename(ready)


def _forget(file: Path) -> None:
    """Say that a host has ended: who still waits for one does so in vain."""
    ready = file.with_suffix(".port")
    if file.suffix == ".engine" and ready.exists():
        ready.unlink()
    else:
        ready.touch()


if __name__ == "__main__":
    main()
