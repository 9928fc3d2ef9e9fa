"""What several folders of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from xgen_infra.rehearsal.tools import Tool, ensure


@pytest.fixture(scope="session")
def helm() -> Path:
    """The pinned Helm, built into the cache by the first run."""
    return ensure({Tool.HELM}, print)[Tool.HELM]
