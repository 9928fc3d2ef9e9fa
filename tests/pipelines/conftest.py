"""A repository of customers' files, with a history that a test goes on with."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from vendor.folder import eks, k3s, nexus, write, write_stack, xgen, xgen_json

SOMEONE = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Repository:
    """A clone; every method that changes it returns what a caller goes on with."""

    folder: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *SOMEONE, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files: str | None) -> str:
        """Write files (None removes one), commit everything, return the commit."""
        self.put(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Change")
        return self.head

    def put(self, files: dict[str, str | None]) -> None:
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def edit(self, stack: str, **parts: Any) -> None:
        """Change parts of a site's values."""
        kind = eks(7, **parts) if stack == "cloud" else k3s(stack, **parts)
        write_stack(self.folder, stack, kind)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def affected(self, against: str, *words: str) -> Any:
        return xgen_json(self.folder, "affected", "--against", against, *words)

    def stacks(self, against: str, *words: str) -> list[str]:
        return [one["stack"] for one in self.affected(against, *words)["customers"]]

    def xgen(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return xgen(self.folder, *words, status=status)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Three customers, one of them a canary, on branch main, and a program that nobody runs."""
    folder = tmp_path / "clone"
    folder.mkdir()
    sites = {"acorn": k3s("acorn"), "birch": k3s("birch", canary=True), "cloud": eks(7)}
    sites["cloud"]["registry"] = nexus("nexus.cloud.example:5000", credentialId="cloud-credentials")
    write(folder, sites)
    made = Repository(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.put({"xgen_infra/stack.py": "1\n", "docs/page.md": "1\n", ".gitignore": "/build/\n"})
    made.commit()
    return made
