"""The customer's repository on the rehearsal's Git server."""

from __future__ import annotations

import subprocess
from pathlib import Path


def create_repository(root: Path, path: str) -> Path:
    """Make an empty bare repository that takes pushes, forward only, as a protected branch does."""
    repository = root / path.strip("/")
    repository.mkdir(parents=True, exist_ok=True)
    for words in (
        ("init", "--quiet", "--bare", "--initial-branch=main", "."),
        ("config", "http.receivepack", "true"),
        ("config", "receive.denyNonFastForwards", "true"),
        ("config", "receive.denyDeletes", "true"),
        ("config", "gc.auto", "0"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True)
    return repository
