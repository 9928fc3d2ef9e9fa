from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.folder import read_site
from xgen_infra.rehearsal.memory import MemoryWorld, memory_world
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryWorld]:
    """A site on K3s whose services are releases; nothing is up yet."""
    site = read_site(ROOT, "lotteimall")[1].model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("memory")
    with memory_world(site, ROOT / "Pulumi.lotteimall.yaml", root, ensure(MEMORY_TOOLS, print)) as made:
        yield made
