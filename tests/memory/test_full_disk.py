"""A file backend whose disk is full while the engine writes: `xgen recover` brings the state back, and `up` goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xgen_infra.engine import Engine, EngineError
from xgen_infra.recovery import Recovered, Recovery, RecoveryError, mend_state
from xgen_infra.rehearsal.memory import MemoryWorld
from xgen_infra.rehearsal.tools import Tool

pytestmark = pytest.mark.e2e
ROOM = 60_000
"""Bytes that a state may have."""


def cramped(world: MemoryWorld, folder: Path, room: int) -> Engine:
    """The engine where no file can grow beyond `room` bytes (getrlimit(2), RLIMIT_FSIZE): a write then fails half way."""
    script = folder / "pulumi"
    script.write_text(
        f"#!{sys.executable}\nimport os, resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        f"os.execv({str(world.binaries[Tool.PULUMI])!r}, sys.argv)\n"
    )
    script.chmod(0o700)
    return Engine(world.engine.project, script, world.engine.environment, alone=True)


def recovered(world: MemoryWorld) -> tuple[list[str], Recovered]:
    """Recover as `xgen recover` does, but for Helm's records, which a cluster in memory has none of."""
    said: list[str] = []
    mend_state(world.engine, world.stack, said.append)
    return said, Recovery(world.engine, world.stack).run(charts=False)


def test_a_state_that_was_cut_off_comes_back_and_what_was_made_meanwhile_is_found(
    world: MemoryWorld, tmp_path: Path
) -> None:
    world.engine.up(world.stack)
    undisturbed = world.contents()
    world.reset()
    state = next((world.root / "state").rglob(f"stacks/*/{world.stack}.json"))

    # The engine tries each write for half a minute; one step at a time, few are under way.
    with pytest.raises(EngineError, match="file too large"):
        cramped(world, tmp_path, ROOM).up(world.stack, "--parallel", "1")
    with pytest.raises(json.JSONDecodeError):
        json.loads(state.read_bytes())
    cut = state.read_bytes()
    with pytest.raises(EngineError, match="failed to load checkpoint"):
        world.engine.up(world.stack)

    (said,), found = recovered(world)
    assert said.startswith("the state was cut off: that of 20")
    assert [one.read_bytes() for one in state.parents[2].rglob("*.cut")] == [cut]
    assert not found.foreign
    assert not found.unasked
    assert recovered(world) == ([], Recovered())
    world.engine.up(world.stack)
    assert world.contents().names == undisturbed.names
    assert not world.engine.up(world.stack).changed


def test_a_state_that_somebody_may_be_writing_is_left_alone(world: MemoryWorld) -> None:
    world.engine.up(world.stack)
    state = next((world.root / "state").rglob(f"stacks/*/{world.stack}.json"))
    whole = state.read_bytes()
    state.write_bytes(whole[:1000])
    lock = world.root / "state/.pulumi/locks/organization" / state.parent.name / world.stack / "one.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("{}")
    with pytest.raises(
        RecoveryError, match=f"somebody holds its lock: .* xgen recover {world.stack} --unlock"
    ):
        recovered(world)
    assert state.read_bytes() == whole[:1000]
    lock.unlink()
    assert recovered(world)[1] == Recovered()
    assert not world.engine.up(world.stack).changed


def test_a_cluster_that_does_not_answer_is_no_bug_of_the_command(world: MemoryWorld) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "recover", world.stack, "--yes"],
        cwd=world.engine.project,
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"xgen: the cluster of {world.stack} does not answer: ")
