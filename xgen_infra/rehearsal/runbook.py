"""The runbook of a rehearsed stack: written from its real outputs, and its checks run on the rehearsal's cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.standins.aws.world import ROOT_KEY_ID
from xgen_infra.rehearsal.world import World

_SECONDS = 300.0
"""How long an autoscaler may take until it has its first metrics."""


def try_runbook(world: World, phase: Phase) -> None:
    """Write the runbook as a person would, look for secrets in it, and run its checks."""
    outputs = json.dumps(world.engine.outputs(world.stack))
    with tempfile.TemporaryDirectory(prefix="xgen-runbook-") as folder:
        # Nothing of the customer's file is there.
        done = _xgen(world, Path(folder), "runbook", "-", "--output", "page.html", given=outputs)
        done_too = _xgen(world, Path(folder), "runbook", "-", "--output", "page.md", given=outputs)
        written = {path.name: path.read_text() for path in sorted(Path(folder).iterdir())}
    wrong = (done.stderr + done_too.stderr)[-300:]
    all_there = {"page.html", "page.md", "page.svg"} <= written.keys()
    phase.check(
        "written from the outputs alone",
        done.returncode == done_too.returncode == 0 and all_there,
        f"{sum(map(len, written.values())) // 1024} KiB" if all_there else wrong,
    )
    canaries = world.file.canaries
    leaked = [key for key, value in canaries.items() if any(value in text for text in written.values())]
    phase.check("no secret is in it", not leaked, leaked or f"{len(canaries)} searched for")
    steps: list[dict[str, Any]] = []

    def good() -> bool:
        checked = _xgen(world, world.root, "runbook", world.stack, "--check", "--json")
        steps[:] = json.loads(checked.stdout)["steps"] if checked.stdout else []
        return checked.returncode == 0 and bool(steps) and all(map(_good, steps))

    ended = until(good, _SECONDS, interval=2.0)
    bad = [f"{step['step']} {step['state']}: {step['saw']}" for step in steps if not _good(step)]
    phase.check("every check of it is ok", ended, "; ".join(bad) or f"{len(steps)} of {len(steps)} steps")


def _good(step: Mapping[str, Any]) -> bool:
    """Whether a check is ok. The emulator's user is of one account: at sites of another AWS cannot be asked."""
    foreign = step["state"] == "not run" and "credentials here are of account" in step["saw"]
    return step["state"] == "ok" or foreign


def _xgen(world: World, folder: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(folder), *words],
        env={**os.environ, **world.environment, **_aws(world)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    with (world.root / "logs" / "runbook.log").open("a") as log:
        log.write(f"$ xgen {' '.join(words)}\n{done.stdout}{done.stderr}\n")
    return done


def _aws(world: World) -> Mapping[str, str]:
    """Return what makes AWS' clients ask the emulator, as the emulator's own user."""
    if world.aws_endpoint is None:
        return {}
    return {
        "AWS_ENDPOINT_URL": world.aws_endpoint,
        "AWS_ACCESS_KEY_ID": ROOT_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    }
