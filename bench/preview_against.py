"""What `xgen preview --against` of one customer costs, against a plain `pulumi preview` of the same stack."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure, alternating
from bench.world import ROOT
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.memory import memory_world
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

_STACK = "aww"
_ROUNDS = 3


def against_plain() -> Iterator[Figure]:
    """Yield the seconds of the command, and how many plain previews of the running stack take as long."""
    command = [sys.executable, "-m", "xgen_infra.cli", "preview", _STACK, "--against", "HEAD"]
    file, site = read_site(ROOT, _STACK)
    with (
        tempfile.TemporaryDirectory(prefix="xgen-bench-") as folder,
        memory_world(site, file.path.resolve(), Path(folder), ensure(MEMORY_TOOLS, print)) as made,
    ):
        made.engine.up(made.stack)
        ours, plain = alternating(
            lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True),
            lambda: made.engine.preview(made.stack),
            _ROUNDS,
        )
    yield Figure(f"xgen preview {_STACK} --against / pulumi preview {_STACK}", ours / plain, 3)
    yield Figure(f"xgen preview {_STACK} --against", ours, 15, unit="s")
