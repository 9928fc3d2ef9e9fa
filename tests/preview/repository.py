"""A Git repository with the files of this tree, and the `xgen` command run in it by its own code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WHO = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | {
    f"GIT_{role}_{part}": f"{role.lower()}@test.example"
    for role in ("AUTHOR", "COMMITTER")
    for part in ("NAME", "EMAIL")
}
_SEEN = (
    "*.yaml",
    "*.py",
    "charts",
    "ci",
    "docs",
    "policy",
    "requirements",
    "schemas",
    "tools",
    "xgen_infra",
    "CHANGELOG.md",
)


class Repository:
    """A clone of this tree's files; `edit` changes one, `commit` records all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = ["git", "ls-files", "-co", "--exclude-standard", "--", *_SEEN]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in names.splitlines():
            if (ROOT / name).is_file():
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place)
        (folder / ".gitignore").write_text("__pycache__\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("The tree")

    def git(self, *words: str) -> str:
        env = {**os.environ, **_WHO}
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that has to be there."""
        file = self.folder / name
        text = file.read_text()
        assert old in text, (name, old)
        file.write_text(text.replace(old, new))

    def xgen(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "xgen_infra.cli", *words],
            cwd=self.folder,
            env={**os.environ, **_WHO, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
