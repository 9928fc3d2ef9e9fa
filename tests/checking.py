"""What the tests of `xgen check` share: sample files, marked mutations, and a folder to check."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from xgen_infra.findings import Finding
from xgen_infra.folder import check_folder

SAMPLES = Path(__file__).parent / "stackfiles"
HERE = "@@"


def sample(stack: str) -> str:
    """Return a good file's text."""
    return (SAMPLES / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Wrong:
    """One mistake in a sample: `old` (unique in it) becomes `new`, in which @@ stands before the wrong place.

    `path` is the finding's, and `says` a part of its message.
    """

    stack: str
    old: str
    new: str
    path: str
    says: str

    @property
    def marked(self) -> str:
        text = sample(self.stack)
        assert text.count(self.old) == 1, f"{self.old!r} stands {text.count(self.old)} times in {self.stack}"
        return text.replace(self.old, self.new)

    @property
    def text(self) -> str:
        return self.marked.replace(HERE, "")

    @property
    def place(self) -> tuple[int, int]:
        before = self.marked[: self.marked.index(HERE)]
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def __str__(self) -> str:
        return f"{self.stack}-{self.path}-{self.says}".replace(" ", "_")[:80]


def folder_with(folder: Path, files: dict[str, str]) -> Path:
    """Write customers' files by stack beside the samples' Pulumi.yaml."""
    shutil.copy(SAMPLES / "Pulumi.yaml", folder)
    for stack, text in files.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(text, encoding="utf-8")
    return folder


def findings(folder: Path, files: dict[str, str]) -> tuple[Finding, ...]:
    """Return what a check finds in files of these texts."""
    return check_folder(folder_with(folder, files)).findings
