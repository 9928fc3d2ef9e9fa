"""Promotes what was built: resolves it in the site's registry and pins it in the customer's file."""

from __future__ import annotations

import difflib
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra.folder import read_site, stack_files, vendor_in
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile
from xgen_infra.vendor import inventory, publish
from xgen_infra.vendor.credentials import credential
from xgen_infra.vendor.pins import Pin, PromoteError, pinned_text, resolve, wanted
from xgen_infra.vendor.publish import Change, Git, GitError
from xgen_infra.vendor.targets import Registry, arch_of
from xgen_infra.yaml_edit import edit_file, read_text


@dataclass(frozen=True)
class Promotion:
    """One stack's pins, resolved and not yet written."""

    file: StackFile
    site: Site
    vendor: Any
    pins: tuple[Pin, ...]

    @property
    def message(self) -> str:
        """The commit's message."""
        what = self.pins[0].service if len(self.pins) == 1 else f"{len(self.pins)} services"
        lines = "\n".join(f"{pin.service}: {pin.asked} is {pin.digest}" for pin in self.pins)
        return f"Pin {what} of {self.site.stack}\n\n{lines}\n"

    def text(self, before: str) -> str:
        """Return a text of the file with the pins in it."""
        return pinned_text(before, self.file, self.site, self.pins, self.vendor)

    def diff(self) -> str:
        """Return what would change in the file, as a unified diff; empty where nothing would."""
        before = read_text(self.file.path)
        lines = difflib.unified_diff(
            before.splitlines(keepends=True),
            self.text(before).splitlines(keepends=True),
            f"a/{self.file.path.name}",
            f"b/{self.file.path.name}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> bool:
        """Write the pins into the file; return whether it said something else."""
        with _alone(self.file.path.parent):
            before = read_text(self.file.path)
            after = self.text(before)
            if after != before:
                edit_file(self.file.path, after)
        return after != before

    def commit(self) -> str | None:
        """Write and commit the file alone, on the branch that is checked out; return the commit, None without one."""
        path = self.file.path
        git = Git.around(path.parent)
        with _alone(path.parent):
            if git.text("status", "--porcelain", "--", str(path.resolve())):
                raise PromoteError(
                    f"{path} has changes that are not committed: commit them first, or leave --commit out"
                )
            before = read_text(path)
            after = self.text(before)
            if after == before:
                return None
            edit_file(path, after)
            try:
                words = ("commit", "--quiet", "--only", "--file=-", "--", str(path.resolve()))
                git.run(*words, content=self.message.encode(), env=publish.identity(git))
            except GitError:
                edit_file(path, before)
                raise
        return git.text("rev-parse", "HEAD")

    def push(self, remote: str, branch: str | None) -> tuple[str | None, str]:
        """Pin on the remote's branch; return the commit (None where it was pinned already) and the branch.

        Files and branch of this clone stay as they are.
        """
        git = Git.around(self.file.path.parent)
        path = self.file.path.resolve().relative_to(git.folder.resolve())
        chosen = branch or publish.branch_of(git, remote)
        change = Change(path.as_posix(), self.text, self.message)
        return publish.push(git, remote, chosen, change), chosen


def stacks_of(folder: Path, name: str) -> tuple[str, ...]:
    """Return the stacks that a name means: that stack, or those which a build of the site of that name pins.

    Raises UnknownSiteError where it is neither, Refused where the site's files are wrong.
    """
    return (name,) if name in stack_files(folder) else inventory.read(folder).target(name).pinned_stacks


def promotion(folder: Path, stack: str, arguments: Sequence[str], arch: str | None = None) -> Promotion:
    """Resolve images for one stack in its registry. `arguments` are SERVICE=REF; without any, all six.

    Raises PromoteError with every reason, RegistryError where there is no usable credential, Refused,
    UnknownSiteError.
    """
    file, site = read_site(folder, stack)
    wants = wanted(site, arguments)
    platform = f"linux/{arch or arch_of(site.images.tag)}"
    pins = resolve(site, wants, credential(Registry.of(site)), platform)
    return Promotion(file, site, vendor_in(folder), tuple(pins))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other promotions of this folder waiting; leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
