"""Brings one file's change to a branch of a remote Git repository while others do the same. Touches no work tree."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from xgen_infra.findings import without_login

_SECONDS = 120
# What git says when another push came first, or when it met a lock that another git holds.
_OVERTAKEN = re.compile(
    r"\[rejected\]|cannot lock ref|failed to update ref|incorrect old value|Unable to create .*\.lock|"
    r"reference already exists|shallow file has changed"
)
_PASSING = re.compile(
    r"Could not resolve host|Connection (?:refused|timed out|reset)|Failed to connect|early EOF|remote end hung up|"
    r"returned error: (?:429|50[0-9])|Operation timed out"
)
_REFUSED = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|Permission denied|returned error: 40[13]"
)


class GitError(Exception):
    """Git did not do what was asked for: one line of what happened, then what to do."""


class _OvertakenError(GitError):
    """Another commit reached the branch first, or the network failed for a moment."""


@dataclass(frozen=True)
class Git:
    """A clone; `folder` is the top of its work tree."""

    folder: Path

    @classmethod
    def around(cls, folder: Path) -> Git:
        """Return the clone in which a folder lies; raises GitError where it lies in none."""
        top = cls(folder).run("rev-parse", "--show-toplevel").decode().rstrip("\n")
        return cls(Path(top))

    def run(self, *words: str, content: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """Run git; raises GitError with what it said, without any login of a URL."""
        outcome = self._process(words, content, env)
        if outcome.returncode:
            said = without_login((outcome.stderr + outcome.stdout).decode(errors="replace")).strip()
            raise _said(words[0], said)
        return outcome.stdout

    def text(self, *words: str) -> str:
        """Run git and return its answer as one stripped text."""
        return self.run(*words).decode().strip()

    def configured(self, name: str) -> str:
        """Return a setting; empty where it is not set."""
        return self._process(("config", "--get", name), b"", None).stdout.decode().strip()

    def _process(
        self, words: tuple[str, ...], content: bytes, env: dict[str, str] | None
    ) -> subprocess.CompletedProcess[bytes]:
        # Housekeeping by one of several processes at once would take another's new objects for garbage.
        command = ("git", "-c", "gc.auto=0", "-c", "maintenance.auto=false", *words)
        quiet = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            return subprocess.run(
                command,
                cwd=self.folder,
                input=content,
                env={**os.environ, **quiet, **(env or {})},
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except FileNotFoundError:
            raise GitError("git is missing: install it with the system's package manager") from None
        except subprocess.TimeoutExpired:
            raise _OvertakenError(f"git {words[0]} did not end within {_SECONDS} s: try again") from None


def _said(verb: str, said: str) -> GitError:
    brief = " | ".join(line for line in said.splitlines() if line.strip() and not line.startswith("hint:"))
    if _OVERTAKEN.search(said):
        return _OvertakenError(f"others kept changing the branch ({brief}): try again")
    if _REFUSED.search(said):
        return GitError(
            f"git {verb} was not allowed ({brief}): check the credential that Git uses for this remote"
        )
    if _PASSING.search(said):
        return _OvertakenError(f"git {verb} did not reach the remote ({brief}): try again")
    if "hook declined" in said or "protected branch" in said:
        return GitError(
            f"the remote refuses the commit ({brief}): allow the pushing user to push to that branch, or name another"
        )
    return GitError(f"git {verb} failed ({brief})")


def branch_of(git: Git, remote: str) -> str:
    """Return the branch that is checked out, or, where none is (a build's checkout), the remote's default."""
    current = git.text("branch", "--show-current")
    if current:
        return current
    head = git.run("ls-remote", "--symref", remote, "HEAD").decode()
    found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", head, re.MULTILINE)
    if not found:
        raise GitError(f"no branch is checked out, and {remote} names no default: give one by --branch")
    return found[1]


@dataclass(frozen=True)
class Change:
    """One file's change: its path in the repository, the edit of its text, and the commit's message."""

    path: str
    edit: Callable[[str], str]
    message: str


def push(git: Git, remote: str, branch: str, change: Change, *, seconds: float = _SECONDS) -> str | None:
    """Make a change on top of a remote branch; return the commit, None where the text says it already.

    The edit is made anew on what the branch holds at that moment, so that two changes of neighbouring lines never
    conflict. Whoever is overtaken tries again after a random wait, for at most `seconds`. Raises GitError.
    """
    tries = Retrying(
        retry=retry_if_exception_type(_OvertakenError),
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.3, max=5),
        reraise=True,
    )
    return tries(_once, git, remote, branch, change)


def _once(git: Git, remote: str, branch: str, change: Change) -> str | None:
    # A name of its own: FETCH_HEAD would be shared by every process of this clone.
    mark = f"refs/xgen/{uuid4().hex}"
    git.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, f"+refs/heads/{branch}:{mark}")
    try:
        tip = git.text("rev-parse", mark)
        commit = _commit(git, tip, change)
        if commit is not None:
            git.run("push", "--quiet", "--porcelain", remote, f"{commit}:refs/heads/{branch}")
        return commit
    finally:
        git.run("update-ref", "-d", mark)


def _commit(git: Git, tip: str, change: Change) -> str | None:
    entry = git.text("ls-tree", "--full-tree", tip, "--", change.path)
    if not entry:
        raise GitError(f"{change.path} is not on the remote branch: push the file first")
    try:
        text = git.run("cat-file", "blob", entry.split()[2]).decode()
    except UnicodeDecodeError:
        raise GitError(f"{change.path} on the remote branch is not UTF-8: mend it there") from None
    edited = change.edit(text)
    if edited == text:
        return None
    blob = git.run("hash-object", "-w", "--stdin", content=edited.encode()).decode().strip()
    with tempfile.TemporaryDirectory(prefix="xgen-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.run("read-tree", tip, env=index)
        git.run("update-index", "--cacheinfo", f"{entry.split()[0]},{blob},{change.path}", env=index)
        tree = git.run("write-tree", env=index).decode().strip()
    sign = ("-S",) if git.configured("commit.gpgsign") == "true" else ()
    words = ("commit-tree", tree, "-p", tip, *sign, "-F", "-")
    return git.run(*words, content=change.message.encode(), env=identity(git)).decode().strip()


def identity(git: Git) -> dict[str, str]:
    """Return who commits where nobody has said so, as in a build."""
    if git.configured("user.email"):
        return {}
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "xgen promote"), ("EMAIL", "xgen-promote@localhost"))
        if f"GIT_{role}_EMAIL" not in os.environ
    }
