"""Which customers a change can touch, told by the paths that it touches. Reads no customer's file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from xgen_infra.folder import stack_files
from xgen_infra.vendor.publish import Git, GitError

Why = Literal["added", "file", "program"]
NOTHING = "0" * 40
"""What GitLab names as the commit before a branch's first one (GitLab documentation, CI_COMMIT_BEFORE_SHA)."""
_STACK_FILE = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")
_FOR_NOBODY = (
    ".ci",
    ".gitlab",
    ".gitattributes",
    ".gitignore",
    ".gitlab-ci.yml",
    "LICENSE",
    "Makefile",
    "bench",
    "ci",
    "docs",
    "renovate.json",
    "requirements/audit.in",
    "requirements/audit.txt",
    "requirements/dev.txt",
    "schemas",
    "tests",
    "tools",
)
"""Files and folders that reach no customer. Whatever is not named here, nor Markdown at the top, counts as the
program: a path that nobody thought of touches too many rather than too few."""


class AffectedError(Exception):
    """The two sides of a change cannot be compared; the message says what to do."""


@dataclass(frozen=True)
class Customer:
    """A customer that a change can touch: by the stack's own file, new or changed, or by the program alone."""

    stack: str
    why: Why


@dataclass(frozen=True)
class Affected:
    """Whom a change touches. `base` is the commit compared with, None where everything is new.

    `program` are the paths that touch everybody; `deleted` are stacks whose file is gone; `total` counts the
    customers that there are.
    """

    base: str | None
    customers: tuple[Customer, ...]
    deleted: tuple[str, ...]
    program: tuple[str, ...]
    total: int

    @property
    def everybody(self) -> bool:
        """Whether the program itself has changed."""
        return self.base is None or bool(self.program)

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks, in the order of their names."""
        return tuple(one.stack for one in self.customers)

    def share(self, number: int, of: int) -> Affected:
        """Return every `of`-th customer, beginning with the `number`-th, which counts from one."""
        chosen = self.customers[number - 1 :: of]
        return Affected(self.base, chosen, self.deleted, self.program, self.total)


def affected(folder: Path, revision: str, *, exactly: bool = False) -> Affected:
    """Return whom the working tree, committed or not, touches compared with a revision.

    Compared is the merge base of the revision and HEAD: what was done on this branch. With `exactly` it is the
    revision itself: what has to be done to come from there to here, even where history was rewritten.
    Raises AffectedError, GitError, and Refused where a stack has two files.
    """
    stacks = tuple(stack_files(folder))
    if revision == NOTHING:
        everybody = tuple(Customer(stack, "program") for stack in stacks)
        return Affected(None, everybody, (), (), len(stacks))
    git = Git(folder)
    base = _commit(git, revision) if exactly else _merge_base(git, revision)
    changed = set(_changed(git, base))
    before = {found["stack"] for found in map(_STACK_FILE.fullmatch, _listed(git, base)) if found}
    own = {found["stack"] for found in map(_STACK_FILE.fullmatch, changed) if found}
    program = tuple(sorted(path for path in changed if _is_program(path)))
    customers = tuple(_customers(stacks, before, own, everybody=bool(program)))
    return Affected(base, customers, tuple(sorted(before - set(stacks))), program, len(stacks))


def _customers(
    stacks: Iterable[str], before: set[str], own: set[str], *, everybody: bool
) -> Iterator[Customer]:
    for stack in stacks:
        if stack not in before:
            yield Customer(stack, "added")
        elif stack in own:
            yield Customer(stack, "file")
        elif everybody:
            yield Customer(stack, "program")


def _is_program(path: str) -> bool:
    parts = PurePosixPath(path)
    if _STACK_FILE.fullmatch(path) or (len(parts.parts) == 1 and parts.suffix == ".md"):
        return False
    return not any(parts.is_relative_to(place) for place in _FOR_NOBODY)


def _changed(git: Git, base: str) -> Iterator[str]:
    """Yield the paths that differ below the folder, and those that Git does not know yet and does not ignore."""
    diff = git.run("diff", "--no-renames", "--no-ext-diff", "--name-only", "--relative", "-z", base, "--")
    new = git.run("ls-files", "--others", "--exclude-standard", "-z")
    yield from (path for path in (diff + new).decode(errors="surrogateescape").split("\0") if path)


def _listed(git: Git, base: str) -> list[str]:
    """Return the names that a commit has directly in the folder."""
    return git.run("ls-tree", "--name-only", "-z", base).decode(errors="surrogateescape").split("\0")


def _commit(git: Git, revision: str) -> str:
    try:
        return git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except GitError as error:
        if "not a git repository" in str(error):
            raise
        raise AffectedError(
            f"there is no commit '{revision}' in this clone: name a branch, tag or commit that `git log` knows; "
            "fetch it first where the clone is shallow (git fetch --unshallow; in a pipeline GIT_DEPTH: 0)"
        ) from None


def _merge_base(git: Git, revision: str) -> str:
    commit = _commit(git, revision)
    try:
        return git.text("merge-base", commit, "HEAD")
    except GitError:
        raise AffectedError(
            f"'{revision}' and HEAD have no commit in common in this clone: fetch the rest of their history "
            "(git fetch --unshallow; in a pipeline GIT_DEPTH: 0)"
        ) from None
