"""A browser for the pages that `tests/pages/run.sh` wrote. Runs in an environment of its own, without xgen_infra."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests to `make test-pages`, which makes the pages first."""
    del collection_path, config
    return None if "XGEN_PAGES" in os.environ else True


@pytest.fixture(scope="session")
def folder() -> Path:
    return Path(os.environ["XGEN_PAGES"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=os.environ["XGEN_CHROMIUM"], args=FLAGS)
        yield launched
        launched.close()
