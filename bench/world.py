"""A rehearsal's world for a bench, from one of the samples."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xgen_infra.folder import read_site
from xgen_infra.rehearsal.rehearse import fresh_root
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world

ROOT = Path(__file__).parents[1]


@contextmanager
def sample(stack: str, **changes: object) -> Iterator[World]:
    """Start the world of a sample stack; `changes` are fields of its site."""
    file, site = read_site(ROOT, stack)
    site = site.model_copy(update=changes)
    root = fresh_root(f"bench-{stack}")
    try:
        with world(site, file.path.resolve(), root, ensure(tools_of(site), print)) as made:
            yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)
