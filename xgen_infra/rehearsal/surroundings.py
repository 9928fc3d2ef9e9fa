"""What every world shares, however its clusters and clouds are made."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from xgen_infra.rehearsal.tools import Tool

PASSPHRASE = "rehearsal"  # noqa: S105 - it seals canaries only
STAND_INS = ("kubernetes", "aws", "eks")
PORTS = "ports.json"
"""The file in which the stand-ins say where each of them answers."""
HOST_READY = "XGEN_LANGUAGE_HOST"
"""The variable that names the file of a language host that was started ahead of the engine."""
_LANGUAGE = "pulumi-language-python"


def programs_on_path(root: Path, binaries: Mapping[Tool, Path], *, sealed: bool = False) -> str:
    """Return a PATH on which the rehearsal's own programs come first, under their plain names.

    Behind them come the caller's, or, where it is `sealed`, only those of the system.
    """
    folder = root / "bin"
    folder.mkdir(exist_ok=True)
    for tool, binary in binaries.items():
        link = folder / tool.value
        link.unlink(missing_ok=True)
        link.symlink_to(binary)
    return os.pathsep.join([str(folder), os.defpath if sealed else os.environ.get("PATH", os.defpath)])


_HOST_IS_READY = f"""\
answer() {{ [ -s "$1" ] && cat "$1" && exec tail --pid="$PPID" -f /dev/null; }}
answer "${HOST_READY}"
"""
_ASK = """\
asked={folder}/$$
hosts=$(cat {folder}/pid 2>/dev/null)
if [ -n "$hosts" ] && kill -0 "$hosts" 2>/dev/null; then
  rm -f "$asked.port"
  : >"$asked.engine"
  while [ ! -e "$asked.port" ] && kill -0 "$hosts" 2>/dev/null; do sleep 0.02; done
  answer "$asked.port"
fi
"""


def install_language(folder: Path, hosts: Path | None = None) -> None:
    """Write the Python language host's executable into a folder that is to come first on PATH.

    It answers the engine with the port of a host that is there already, where HOST_READY names a file of one; else it
    asks the process that forks hosts, where that runs and `hosts` is its folder (rehearsal/hosts.py); else it is one.
    """
    script = folder / _LANGUAGE
    source = shlex.quote(str(Path(__file__).parents[2]))
    ask = _ASK.format(folder=shlex.quote(str(hosts))) if hosts else ""
    command = f"exec {shlex.quote(sys.executable)} -m xgen_infra.rehearsal.standins.language"
    script.write_text(f'#!/bin/sh\n{_HOST_IS_READY}{ask}PYTHONPATH={source} {command} "$@"\n')
    script.chmod(0o755)
