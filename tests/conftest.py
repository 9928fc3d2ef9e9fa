"""What several folders of tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from xgen_infra.rehearsal.tools import Tool, ensure

# A change is judged by its own lines, not by the draw: XGEN_RANDOM=1 looks for what no run has tried yet.
settings.register_profile("repeatable", derandomize=True, deadline=None)
if not os.environ.get("XGEN_RANDOM"):
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def helm() -> Path:
    """The pinned Helm, built into the cache by the first run."""
    return ensure({Tool.HELM}, print)[Tool.HELM]
