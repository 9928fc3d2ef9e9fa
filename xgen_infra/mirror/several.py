"""The mirrors of several sites: each for itself, so that what stops one stops no other, and all are accounted for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xgen_infra.engine import Engine
from xgen_infra.findings import Refused
from xgen_infra.folder import chosen_files, read_site, stack_files
from xgen_infra.git import git_address
from xgen_infra.mirror import credentials
from xgen_infra.mirror.publish import publish, said
from xgen_infra.mirror.push import MirrorError, Plan
from xgen_infra.site import Site
from xgen_infra.vendor.publish import GitError

_AT_ONCE = 4
State = Literal["pushed", "up to date", "would push", "not mirrored", "failed", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What became of one site. `text` says it in words; `plan` is None where nothing could be planned."""

    stack: str
    state: State
    text: str
    plan: Plan | None = None

    @property
    def good(self) -> bool:
        """Whether the customer's branch is as the file says, or would be."""
        return self.state not in {"failed", "interrupted"}


def mirror_all(
    folder: Path, stacks: Sequence[str], tell: Callable[[Outcome], None], *, dry_run: bool = False
) -> list[Outcome]:
    """Mirror sites, a few at a time; return what became of each, in the order given. Each is told when it is done.

    A site whose file is wrong, whose branch others have changed, or whose server is not reached fails alone. Where
    this is interrupted, the sites that were not finished say so; run again, it does what is left. Raises
    UnknownSiteError, and MirrorError where one credential of the environment would go to several hosts.
    """
    chosen_files(stack_files(folder), tuple(stacks), folder)
    _one_host(folder, stacks)
    outcomes: dict[str, Outcome] = {}
    with _stoppable(), ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures: dict[str, Future[Outcome]] = {
            stack: pool.submit(_one, folder, stack, dry_run=dry_run) for stack in dict.fromkeys(stacks)
        }
        try:
            for stack, future in futures.items():
                outcomes[stack] = future.result()
                tell(outcomes[stack])
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            for stack, future in futures.items():
                if stack not in outcomes:
                    outcomes[stack] = _interrupted(stack, future)
                    tell(outcomes[stack])
    return list(outcomes.values())


def _interrupted(stack: str, future: Future[Outcome]) -> Outcome:
    if future.done() and not future.cancelled() and future.result().good:
        return future.result()
    return Outcome(stack, "interrupted", "it was interrupted before this site was done: run it again")


def _one(folder: Path, stack: str, *, dry_run: bool) -> Outcome:
    try:
        _, site = read_site(folder, stack)
        if site.delivery != "argocd":
            return Outcome(stack, "not mirrored", f"delivery is {site.delivery}: nothing of it goes by Git")
        plan = publish(site, Engine(folder), dry_run=dry_run)
    except (Refused, MirrorError, GitError) as error:
        return Outcome(stack, "failed", str(error))
    state: State = "up to date" if not plan.changes else "would push" if dry_run else "pushed"
    return Outcome(stack, state, said(plan, site.source.repo_url, dry_run=dry_run), plan)


def _one_host(folder: Path, stacks: Sequence[str]) -> None:
    """Refuse to offer one customer's credential to another's server."""
    given = [
        name
        for name in (credentials.PASSWORD, credentials.SSH_KEY, credentials.SSH_KEY_FILE)
        if os.environ.get(name)
    ]
    if not given:
        return
    hosts = {git_address(site.source.repo_url) for site in _right(folder, stacks)}
    if len(hosts) > 1:
        named = ", ".join(sorted(host for host, _ in hosts))
        raise MirrorError(
            f"{given[0]} is one credential, and these sites are at several hosts ({named}): leave it unset, so that "
            "each site's own comes from its stack, or mirror them one at a time"
        )


def _right(folder: Path, stacks: Sequence[str]) -> Iterator[Site]:
    for stack in stacks:
        try:
            yield read_site(folder, stack)[1]
        except Refused:
            continue


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let GitLab's and a terminal's stop end this in the same way, with an account of what was done."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
