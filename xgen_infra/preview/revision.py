"""The program and files of another revision, out of the Git repository into a folder of their own."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from xgen_infra.vendor.publish import Git, GitError


@dataclass(frozen=True)
class Revision:
    """A revision: `asked` as the user named it, `commit` its full id, `folder` where its files are."""

    asked: str
    commit: str
    folder: Path


def check_out(project: Path, asked: str, folder: Path) -> Revision:
    """Write the files of a revision of a project's repository into a folder; raises GitError.

    Neither the work tree nor the repository is touched: no checkout, no worktree entry, no hook runs.
    """
    git = Git.around(project)
    try:
        commit = git.text("rev-parse", "--verify", "--end-of-options", f"{asked}^{{commit}}").strip()
    except GitError as error:
        raise GitError(
            f"this clone has no revision {asked!r}: check its name, or fetch it (a shallow clone in CI: "
            f"git fetch origin {asked}). {error}"
        ) from None
    prefix = project.resolve().relative_to(git.folder.resolve()).as_posix()
    tree = commit if prefix == "." else f"{commit}:{prefix}"
    packed = git.run("archive", "--format=tar", tree)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise GitError(f"{asked} holds a file that leads out of the repository: {error}") from None
    return Revision(asked, commit, folder)
