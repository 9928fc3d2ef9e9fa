"""One recording of the sample site for all tests that only read it."""

from __future__ import annotations

import pytest

from .recording import Recording
from .sites import built


@pytest.fixture(scope="session")
def aww() -> Recording:
    return built()
