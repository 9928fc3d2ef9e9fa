"""Brings a site's content to a branch of the customer's repository: forward only, never over a stranger's commit.

Nothing is kept between two runs: each looks at the branch as it is. One that was interrupted is simply run again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xgen_infra import catalog
from xgen_infra.mirror.content import changed
from xgen_infra.mirror.credentials import Credential, environment
from xgen_infra.mirror.history import MIRROR, PATH, TREE, Foreign, foreign_commits
from xgen_infra.site.parts import Source
from xgen_infra.vendor.publish import Git, GitError

_THEIRS = "refs/mirror/theirs"
_TRIES = 5


class MirrorError(Exception):
    """The customer's branch is not as it should be: what was found, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What a push changes. `parent` is the branch's head, None where the branch is not there yet.

    `foreign` are the commits that others made since the last mirror; `changes` are ("added" | "changed" |
    "removed", path) below the source's folder.
    """

    branch: str
    parent: str | None
    changes: tuple[tuple[str, str], ...]
    foreign: tuple[Foreign, ...]
    commit: str | None = None

    @property
    def head(self) -> str | None:
        """The branch's head afterwards."""
        return self.commit or self.parent


@dataclass(frozen=True)
class Mirror:
    """One site's branch, opened for reading and for one commit. `stack` marks whose commits these are."""

    git: Git
    source: Source
    stack: str
    env: Mapping[str, str]

    def publish(self, files: Mapping[str, bytes], *, over: str | None = None, dry_run: bool = False) -> Plan:
        """Make the branch's folder hold exactly `files`; return what was, or would be, changed.

        `over` names the branch's head with the strangers' commits that may be built upon; their content below
        the folder is replaced, their history stays. Raises MirrorError, GitError.
        """
        stored = self._store(files)
        for _ in range(_TRIES):
            plan = self._plan(stored)
            if not plan.changes:
                return plan
            self._permit(plan, over)
            if dry_run:
                return plan
            commit = self._commit(plan, stored)
            try:
                self._git("push", "--quiet", self.source.repo_url, f"{commit}:refs/heads/{plan.branch}")
            except GitError:
                if self._head() == plan.parent:
                    raise
                continue
            return Plan(plan.branch, plan.parent, plan.changes, plan.foreign, commit)
        raise MirrorError(f"others kept pushing to {self.source.target_revision}: try again")

    def _plan(self, stored: Mapping[str, str]) -> Plan:
        """Return what publishing would change, and whose commits are in the way."""
        branch = self.source.target_revision
        if self._head() is None:
            return Plan(branch, None, tuple(changed({}, stored)), ())
        quietly = ("--quiet", "--no-tags", "--no-write-fetch-head")
        self._git("fetch", *quietly, self.source.repo_url, f"+refs/heads/{branch}:{_THEIRS}")
        head = self._git("rev-parse", _THEIRS).decode().strip()
        foreign = foreign_commits(self.git, head, self.stack, dict(self.env))
        return Plan(branch, head, tuple(changed(self._there(head), stored)), tuple(foreign))

    def _permit(self, plan: Plan, over: str | None) -> None:
        if not plan.foreign:
            return
        if over and len(over) >= 7 and (plan.parent or "").startswith(over):  # noqa: PLR2004
            return
        listed = "\n".join(f"  {one.text}" for one in plan.foreign[:10])
        more = f"\n  and {len(plan.foreign) - 10} more" if len(plan.foreign) > 10 else ""  # noqa: PLR2004
        moved = (
            f"--over names {over}, but the branch's head is {plan.parent}: it has moved since.\n"
            if over
            else ""
        )
        where = f"below {self.source.folder}" if self.source.folder else "in the whole repository"
        raise MirrorError(
            f"{moved}{self.source.repo_url}, branch {plan.branch}, has commits that this mirror did not make:\n"
            f"{listed}{more}\nTake what they change into Pulumi.{self.stack}.yaml. Then, to put the mirror on top of "
            f"them, which replaces what they hold {where}: xgen mirror {self.stack} --over {plan.parent}"
        )

    def _head(self) -> str | None:
        """Return the branch's head at the remote; raises MirrorError where the revision is no branch."""
        name, url = self.source.target_revision, self.source.repo_url
        listed = self._git("ls-remote", url, f"refs/heads/{name}", f"refs/tags/{name}").decode().split("\n")
        refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in listed if line)}
        if name == "HEAD" or f"refs/tags/{name}" in refs:
            raise MirrorError(
                f"source.targetRevision {name} is no branch of {url}: a mirror needs one that it can move forward"
            )
        return refs.get(f"refs/heads/{name}")

    def _there(self, commit: str) -> dict[str, str]:
        """Return what a commit holds in the folder: object by path; a link or submodule counts as neither."""
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", commit).decode()
        entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
        prefix = f"{self.source.folder}/" if self.source.folder else ""
        return {
            path.removeprefix(prefix): meta.split()[2] if meta.startswith("100644 ") else meta
            for meta, path in entries
            if path.startswith(prefix)
        }

    def _store(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Store the files' contents; return object by path."""
        with tempfile.TemporaryDirectory(dir=self.git.folder) as folder:
            places = [Path(folder) / str(number) for number in range(len(files))]
            for place, data in zip(places, files.values(), strict=True):
                place.write_bytes(data)
            given = "".join(f"{place}\n" for place in places).encode()
            stored = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", content=given)
        return dict(zip(files, stored.decode().split(), strict=True))

    def _commit(self, plan: Plan, stored: Mapping[str, str]) -> str:
        """Make the commit: the parent's tree with exactly these files in the folder."""
        folder = self.source.folder
        prefix = f"{folder}/" if folder else ""
        gone = [f"0 {'0' * 40}\t{prefix}{path}" for _, path in plan.changes]
        added = [f"100644 {stored[path]}\t{prefix}{path}" for _, path in plan.changes if path in stored]
        with tempfile.TemporaryDirectory(dir=self.git.folder) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if plan.parent:
                self._git("read-tree", plan.parent, env=index)
            entries = "".join(f"{line}\n" for line in [*gone, *added]).encode()
            self._git("update-index", "--index-info", content=entries, env=index)
            whole = self._git("write-tree", env=index).decode().strip()
            part = [f"--prefix={prefix}"] if prefix else []
            made = self._git("write-tree", *part, env=index).decode().strip()
        words = ["commit-tree", whole, *(["-p", plan.parent] if plan.parent else []), "-F", "-"]
        message = _message(plan, self.stack, folder, made)
        return self._git(*words, content=message.encode(), env=_identity()).decode().strip()

    def _git(self, *words: str, content: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        return self.git.run(*words, content=content, env={**self.env, **(env or {})})


@contextmanager
def opened(source: Source, stack: str, credential: Credential) -> Iterator[Mirror]:
    """Open a site's mirror in a temporary repository, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="xgen-mirror-") as folder:
        work, private = Path(folder) / "work", Path(folder) / "private"
        for place in (work, private):
            place.mkdir(mode=0o700)
        git = Git(work)
        env = {"GIT_DIR": str(work / "git"), **environment(source, credential, private)}
        git.run("init", "--quiet", "--bare", "--template=", str(work / "git"), env=env)
        yield Mirror(git, source, stack, env)


def _identity() -> dict[str, str]:
    """Return who commits where the environment does not say so."""
    who = {"NAME": "xgen mirror", "EMAIL": "xgen-mirror@localhost"}
    return {
        name: value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in who.items()
        if not os.environ.get(name := f"GIT_{role}_{part}")
    }


def _message(plan: Plan, stack: str, folder: str, tree: str) -> str:
    services = sorted(Path(path).stem for _, path in plan.changes if path.startswith("values/"))
    parts = ["chart"] if any(path.startswith("charts/") for _, path in plan.changes) else []
    named = "the six services" if len(services) == len(catalog.NAMES) else ", ".join(services)
    parts += [f"values of {named}"] if services else []
    subject = " and ".join(parts) or "what others added"
    verb = "Remove" if not parts else "Publish"
    trailers = f"{MIRROR}: {stack}\n{PATH}: {folder or '.'}\n{TREE}: {tree}\n"
    return f"{verb} {subject}\n\nFrom Pulumi.{stack}.yaml.\n\n{trailers}"
