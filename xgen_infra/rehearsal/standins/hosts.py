"""`python -m xgen_infra.rehearsal.standins.hosts FOLDER`: language hosts ahead of the engine (rehearsal/hosts.py).

The process imports the SDK and forks a host for each program that a file of FOLDER asks for; the host imports its
program, writes its port to a file, and runs the program once. Where a host ends before that, the file is empty.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from xgen_infra.rehearsal.standins import language, sdk

_TICK = 0.02


def main() -> None:
    """Fork hosts as they are asked for, until who started this is gone."""
    folder = Path(sys.argv[1])
    # What is imported stays, in every fork.
    gc.disable()
    if "--cloud" in sys.argv:
        sdk.load(sdk.MODULES)
    gc.freeze()
    parent, this = os.getppid(), os.getpid()
    hosts: dict[int, Path] = {}
    while os.getppid() == parent:
        for file in sorted(folder.glob("*.json")):
            asked = json.loads(file.read_text(encoding="utf-8"))
            file.unlink()
            child = os.fork()
            if not child:
                _become(this, asked["project"], asked["environment"], asked["ready"])
            hosts[child] = Path(asked["ready"])
        with suppress(ChildProcessError):
            ended, _ = os.waitpid(-1, os.WNOHANG)
            if ended:
                hosts.pop(ended).touch()
        time.sleep(_TICK)


def _become(parent: int, project: str, environment: dict[str, str], ready: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    language.import_program(Path(project))
    language.serve(parent, Path(ready))


if __name__ == "__main__":
    main()
