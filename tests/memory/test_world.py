"""The world in memory: the real engine against clusters and AWS that live in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.engine import EngineError
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.go import cache_dir
from xgen_infra.rehearsal.memory import MemoryWorld, memory_world
from xgen_infra.rehearsal.standins import faults, journal
from xgen_infra.rehearsal.standins.faults import Fault, Kind
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryWorld]:
    _, site = read_site(ROOT, "lotteimall")
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("memory")
    with memory_world(site, ROOT / "Pulumi.lotteimall.yaml", root, ensure(MEMORY_TOOLS, print)) as world:
        yield world


def test_a_stack_comes_up_changes_nothing_twice_and_survives_a_fault(made: MemoryWorld) -> None:
    made.engine.up(made.stack)
    undisturbed = made.contents()
    assert "release xgen/xgen-core" in undisturbed.names
    assert "apps/v1 Deployment xgen/xgen-core" in undisturbed.names
    assert "v1 PersistentVolumeClaim xgen-system/data-postgres-0" in undisturbed.names
    assert not made.engine.up(made.stack).changed

    made.reset()
    assert made.contents().names == ()
    faults.order(made.records, [Fault(Kind.PARTIAL, call=9)])
    with pytest.raises(EngineError, match="ordered fault"):
        made.engine.up(made.stack)
    assert [entry for entry in journal.read(made.records) if "PartialFault" in entry["outcome"]]
    made.engine.up(made.stack)
    assert made.contents().names == undisturbed.names
    assert not faults.ordered(made.records)


def test_a_preview_by_the_callers_own_engine_is_told_in_the_same_words(made: MemoryWorld) -> None:
    made.engine.up(made.stack)
    made.file.change(("services", "xgen-core"), {"replicas": 3})
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "preview", made.stack, "--json"],
        cwd=ROOT,
        env={**made.environment, "XGEN_CACHE": str(cache_dir())},
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
