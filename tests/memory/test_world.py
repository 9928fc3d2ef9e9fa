"""The world in memory: the real engine against clusters and AWS that live in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xgen_infra.engine import EngineError
from xgen_infra.rehearsal.go import cache_dir
from xgen_infra.rehearsal.memory import MemoryWorld
from xgen_infra.rehearsal.standins import faults, journal
from xgen_infra.rehearsal.standins.faults import Fault, Kind

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def test_a_stack_comes_up_changes_nothing_twice_and_survives_a_fault(world: MemoryWorld) -> None:
    world.engine.up(world.stack)
    undisturbed = world.contents()
    assert "release xgen/xgen-core" in undisturbed.names
    assert "apps/v1 Deployment xgen/xgen-core" in undisturbed.names
    assert "v1 PersistentVolumeClaim xgen-system/data-postgres-0" in undisturbed.names
    assert not world.engine.up(world.stack).changed

    world.reset()
    assert world.contents().names == ()
    faults.order(world.records, [Fault(Kind.PARTIAL, call=9)])
    with pytest.raises(EngineError, match="ordered fault"):
        world.engine.up(world.stack)
    assert [entry for entry in journal.read(world.records) if "PartialFault" in entry["outcome"]]
    world.engine.up(world.stack)
    assert world.contents().names == undisturbed.names
    assert not faults.ordered(world.records)


def test_a_preview_by_the_callers_own_engine_is_told_in_the_same_words(world: MemoryWorld) -> None:
    world.engine.up(world.stack)
    world.file.change(("services", "xgen-core"), {"replicas": 3})
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "preview", world.stack, "--json"],
        cwd=ROOT,
        env={**world.environment, "XGEN_CACHE": str(cache_dir())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (site,) = json.loads(done.stdout)["sites"]
    assert [(change["op"], change["name"]) for change in site["plan"]["changes"]] == [
        ("update", "releases-xgen-core")
    ]
    assert site["plan"]["policies"]
