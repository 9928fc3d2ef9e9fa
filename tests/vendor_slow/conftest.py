"""Real registries under the names that the customers' files give, and the programs the slow tests run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.rehearsal.tools import Tool, ensure

from .world import World, world


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests to `make test-vendor`, which names their folder."""
    del collection_path
    named = any("vendor_slow" in str(word) for word in config.invocation_params.args)
    return None if named else True


@pytest.fixture(scope="session")
def tools() -> dict[Tool, Path]:
    return ensure({Tool.REGISTRY, Tool.CRANE}, print)


@pytest.fixture(scope="module")
def registries(tools: dict[Tool, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), tools) as running:
        yield running
