"""The few rclone commands of the backup scripts, over folders: `store:a/b` is $STORE/a/b; FAIL names one that fails."""

from __future__ import annotations

import fnmatch
import itertools
import os
import shutil
import sys
import time
from pathlib import Path

DAY = 86400


def place(name: str) -> Path:
    """Return the path of an argument."""
    return Path(os.environ["STORE"], name.removeprefix("store:")) if name.startswith("store:") else Path(name)


def main(command: str, *arguments: str) -> int:
    """Run one command as rclone would; every call is noted in $STORE.calls."""
    with Path(os.environ["STORE"] + ".calls").open("a") as calls:
        calls.write(command + "\n")
    if command == os.environ.get("FAIL"):
        print(f"{command}: connection refused", file=sys.stderr)
        return 1
    flags = dict(itertools.pairwise(arguments))
    bare = {"--checksum", "--one-way", "--files-only"}
    taking = {"--include", "--min-age"}
    names = [
        word
        for before, word in zip(("", *arguments), arguments, strict=False)
        if word not in bare | taking and before not in taking
    ]
    paths = [place(name) for name in names]
    pattern = flags.get("--include", "*")
    if command == "mkdir":
        paths[0].mkdir(parents=True, exist_ok=True)
    elif command == "copyto":
        paths[1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths[0], paths[1])
    elif command == "check":
        mine = {path.name for path in paths[0].iterdir() if fnmatch.fnmatch(path.name, pattern)}
        return int(any((paths[0] / n).read_bytes() != (paths[1] / n).read_bytes() for n in mine))
    elif command == "lsf":
        print("\n".join(path.name for path in paths[0].glob(pattern)))
    elif command == "delete":
        oldest = time.time() - int(flags["--min-age"].removesuffix("d")) * DAY
        for path in paths[0].glob(pattern):
            if path.stat().st_mtime < oldest:
                path.unlink()
    else:
        print(f"unknown command {command}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
