"""A state that cannot be read, because the disk of a file backend was full: the newest whole one takes its place.

The engine writes a file backend's state to a file beside it and renames that even when the disk was full, so that what
is there is cut off. It keeps whole ones: the one before (`<stack>.json.bak`), and one of each operation below `backups`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from xgen_infra.engine import Engine, EngineError
from xgen_infra.recovery.errors import RecoveryError
from xgen_infra.stackfile import PROJECT_FILE

_UNREADABLE = "failed to load checkpoint"


def mend_state(engine: Engine, stack: str, say: Callable[[str], None]) -> None:
    """Where a file backend's state of a stack is cut off, put the newest whole one there; the cut one is kept.

    Raises RecoveryError where there is none, where somebody is at work on the stack, and for another backend; OSError
    where there is still no room, and nothing is changed then. EngineError for anything else that the engine says.
    """
    try:
        engine.export(stack)
    except EngineError as error:
        if _UNREADABLE not in str(error):
            raise
        said = str(error)
    else:
        return
    url = urlsplit(json.loads(engine.run("whoami", "--json"))["url"])
    if url.scheme != "file":
        raise RecoveryError(
            f"the state of {stack} cannot be read ({said}). Put an earlier version of it back: a bucket that "
            '`xgen bootstrap` made keeps them (Amazon S3 documentation, "Restoring previous versions")'
        )
    folder = Path(unquote(url.netloc + url.path)).expanduser() / ".pulumi"
    project = yaml.safe_load((engine.project / PROJECT_FILE).read_text(encoding="utf-8"))["name"]
    _mend(folder, project, stack, say)


def _mend(folder: Path, project: str, stack: str, say: Callable[[str], None]) -> None:
    if any((folder / "locks" / "organization" / project / stack).glob("*")):
        raise RecoveryError(
            f"the state of {stack} cannot be read, and somebody holds its lock: wait until that operation is through. "
            f"If nobody works on it: xgen recover {stack} --unlock"
        )
    backups = folder / "backups" / project / stack
    state = folder / "stacks" / project / f"{stack}.json"
    whole = sorted((taken, file) for file in _earlier(state, backups) if (taken := _time(file)))
    if not whole:
        raise RecoveryError(
            f"the state of {stack} is cut off and there is no whole one in {state.parent} or {backups}: put one there "
            "from a backup of that disk, or adopt what is there with pulumi import"
        )
    taken, newest = whole[-1]
    part = state.with_suffix(".part")
    shutil.copyfile(newest, part)
    kept = backups / f"{stack}.{time.time_ns()}.cut"
    backups.mkdir(parents=True, exist_ok=True)
    state.rename(kept)
    part.rename(state)
    say(f"the state was cut off: that of {taken} is in its place ({newest.name}); the cut one is {kept}")


def _earlier(state: Path, backups: Path) -> Iterator[Path]:
    yield from state.parent.glob(f"{state.name}.bak")
    yield from backups.glob("*.json")


def _time(file: Path) -> str:
    """Return when a state was written, as the engine notes it; empty for one that is cut off or holds nothing."""
    try:
        state: Any = json.loads(file.read_bytes())
        return str(state["checkpoint"]["latest"]["manifest"]["time"])
    except (ValueError, KeyError, TypeError):
        return ""
