"""Whose commits are on the customer's branch.

A mirror's commit says so in three trailers: for which stack, in which folder, and the tree that it put there. One
whose folder holds another tree (an amended commit, for instance) is a stranger's, whatever its message says.
"""

from __future__ import annotations

from dataclasses import dataclass

from xgen_infra.vendor.publish import Git, GitError

MIRROR, PATH, TREE = "Xgen-Mirror", "Xgen-Path", "Xgen-Tree"
_FORMAT = "%x1e" + "%x1f".join(
    [
        "%H",
        "%h",
        "%an",
        "%as",
        "%s",
        *(f"%(trailers:key={key},valueonly,separator=%x2C)" for key in (MIRROR, PATH, TREE)),
    ]
)


@dataclass(frozen=True)
class Foreign:
    """A commit that no mirror made."""

    commit: str
    text: str


@dataclass(frozen=True)
class _Entry:
    commit: str
    text: str
    stack: str
    path: str
    tree: str


def foreign_commits(git: Git, head: str, stack: str, env: dict[str, str]) -> list[Foreign]:
    """Return the commits since this stack's last mirror that no mirror made, the newest first.

    Where the stack was never mirrored to this branch: all that no mirror made. `env` is git's.
    """
    entries = _log(git, head, env)
    last = next((one for one in entries if one.stack == stack and _genuine(git, one, env)), None)
    if last and last.commit == head:
        return []
    since = _log(git, f"{last.commit}..{head}", env) if last else entries
    return [Foreign(one.commit, one.text) for one in since if not (one.stack and _genuine(git, one, env))]


def _log(git: Git, revisions: str, env: dict[str, str]) -> list[_Entry]:
    text = git.run("log", f"--format={_FORMAT}", revisions, "--", env=env).decode(errors="replace")
    entries = []
    for record in text.split("\x1e")[1:]:
        commit, short, author, date, subject, stack, path, tree = record.rstrip("\n").split("\x1f")
        entries.append(_Entry(commit, f"{short} {date} {author}: {subject}", stack, path, tree))
    return entries


def _genuine(git: Git, entry: _Entry, env: dict[str, str]) -> bool:
    """Whether a commit's folder holds the tree that its message names."""
    place = "" if entry.path == "." else entry.path
    try:
        return git.run("rev-parse", f"{entry.commit}:{place}", env=env).decode().strip() == entry.tree
    except GitError:
        return False
