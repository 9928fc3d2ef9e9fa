"""What several folders of tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from xgen_infra.rehearsal.hosts import LanguageHosts, language_hosts
from xgen_infra.rehearsal.tools import Tool, ensure

# A change is judged by its own lines, not by the draw: XGEN_RANDOM=1 looks for what no run has tried yet.
settings.register_profile("repeatable", derandomize=True, deadline=None)
if not os.environ.get("XGEN_RANDOM"):
    settings.load_profile("repeatable")

# Begun by `&` in a shell without job control, this process ignores Ctrl-C, and so would every one that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def helm() -> Path:
    """The pinned Helm, built into the cache by the first run."""
    return ensure({Tool.HELM}, print)[Tool.HELM]


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageHosts]:
    """A process that has the SDK: language hosts of engines are forked from it."""
    with language_hosts(tmp_path_factory.mktemp("hosts"), cloud=True) as made:
        yield made


LONGEST = (
    "e2e/test_rehearsal.py",
    "faults/test_eks.py",
    "e2e/test_two_customers.py",
    "faults/test_k3s.py",
    "handover/test_handover.py",
    "e2e/test_secrecy.py",
    "e2e/test_support.py",
    "e2e/test_adoption.py",
    "standins/test_eks_engine.py",
    "memory/test_full_disk.py",
    "k3s/test_engine.py",
    "preview/test_preview.py",
)
"""The files that take minutes each: begun first, so that no process ends with all of them while another has none."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by how long they take; within a file nothing changes."""
    root = Path(__file__).parent
    places = {root / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
