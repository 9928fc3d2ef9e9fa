"""What tests do to one running customer, by use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.planting import SPACE
from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.world import World
from xgen_infra.secrecy import Search

STACK = "lotteimall"
KEY = "xgen-infra:postgresPassword"


def xgen(made: World, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(made.root), *words],
        env={**os.environ, **made.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert not Search(made.file.canaries).in_text("what it said", done.stdout + done.stderr)
    return done


@contextmanager
def told(view: ClusterView, value: str) -> Iterator[None]:
    """An event whose message holds a secret."""
    event = {
        "metadata": {"name": "leaks", "namespace": SPACE},
        "involvedObject": {"kind": "Pod", "namespace": SPACE, "name": "x"},
        "message": f"connection as {value} refused",
        "reason": "Leak",
        "type": "Warning",
    }
    view.core.create_namespaced_event(SPACE, event)
    try:
        yield
    finally:
        view.core.delete_namespaced_event("leaks", SPACE)
