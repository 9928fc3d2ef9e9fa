"""One emulator of AWS for all tests that use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xgen_infra.rehearsal.moto_server import running

from .aws_bench import MANAGEMENT, Bench, world


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("aws")
    with running(root, networks=[MANAGEMENT]) as server:
        yield Bench(world(root, server.url))
