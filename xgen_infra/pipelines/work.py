"""What has to be done for each customer: `up`, the mirror, both, and then the wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xgen_infra import naming
from xgen_infra.findings import Refused, errors
from xgen_infra.folder import examine_path, stack_files, vendor_in
from xgen_infra.pipelines.affected import Affected
from xgen_infra.site import Site
from xgen_infra.stackfile import SITE_KEY, StackFile
from xgen_infra.validate import examine_file
from xgen_infra.vendor.publish import Git, GitError
from xgen_infra.yamlfile import Document

Step = Literal["check", "preview", "up", "mirror", "wait", "drift"]


@dataclass(frozen=True)
class Cloud:
    """Where a customer on EKS keeps the engine's state, and the roles that `xgen bootstrap` made there."""

    backend: str
    region: str
    deploy_role: str
    preview_role: str


@dataclass(frozen=True)
class Work:
    """What is done for one customer, in this order. A file that is wrong is checked, which fails, and no more."""

    stack: str
    steps: tuple[Step, ...]
    canary: bool = False
    cloud: Cloud | None = None


def rollout(folder: Path, found: Affected) -> Iterator[Work]:
    """Yield what brings each customer from the commit compared with to here.

    What only the customer's Git has to carry needs no `up`; a site with releases of its own has no mirror.
    Raises Refused where Pulumi.yaml is wrong.
    """
    before = _Before(folder, found.base) if found.base and not found.program else None
    changed = {one.stack for one in found.customers if one.why == "file"}
    for work, pair in _read(folder, found.stacks):
        if pair is None:
            yield work
            continue
        file, site = pair
        same = before is not None and work.stack in changed and before.has_same_stack(file, site)
        carried: tuple[Step, ...] = ("mirror",) if site.delivery == "argocd" else ()
        yield Work(work.stack, (*(() if same else ("up",)), *carried, "wait"), work.canary, work.cloud)


def one_step(folder: Path, stacks: Iterable[str], step: Step) -> Iterator[Work]:
    """Yield the same single step for each customer; raises Refused where Pulumi.yaml is wrong."""
    for work, pair in _read(folder, stacks):
        yield Work(work.stack, (step,), work.canary, work.cloud) if pair else work


def _read(folder: Path, stacks: Iterable[str]) -> Iterator[tuple[Work, tuple[StackFile, Site] | None]]:
    vendor, files = vendor_in(folder), stack_files(folder)
    for stack in stacks:
        try:
            file, site, findings = examine_path(files[stack], vendor)
        except Refused:
            yield Work(stack, ("check",)), None
            continue
        if site is None or errors(findings):
            yield Work(stack, ("check",)), None
        else:
            yield Work(stack, (), site.canary, _cloud(site)), (file, site)


def _cloud(site: Site) -> Cloud | None:
    if site.eks is None:
        return None
    region, account = site.eks.region, site.eks.account
    deploy, preview = (
        f"arn:{naming.partition(region)}:iam::{account}:role/{naming.aws(site, part)}"
        for part in ("deploy", "preview")
    )
    bucket = naming.state_bucket(site, account)
    return Cloud(f"s3://{bucket}?region={region}", region, deploy, preview)


class _Before:
    """The customers' files as they were at a commit. The program is today's: it has not changed since."""

    def __init__(self, folder: Path, commit: str) -> None:
        self._git, self._commit = Git(folder), commit
        self._vendor = vendor_in(folder)

    def has_same_stack(self, file: StackFile, site: Site) -> bool:
        """Whether the engine would be told the same as before: every resource with the same inputs."""
        if site.delivery == "helm":
            return False
        old = self._file(file)
        if old is None or _beside_the_site(old) != _beside_the_site(file):
            return False
        before, findings = examine_file(old, self._vendor)
        if before is None or errors(findings):
            return False
        if before == site:
            return True
        from xgen_infra.explain.stack import Resources  # noqa: PLC0415 - it loads the engine's SDK

        try:
            return not Resources.of(before).changed(Resources.of(site))
        except Exception:  # noqa: BLE001 - a program that refuses the old file knows no less: `up` decides
            return False

    def _file(self, file: StackFile) -> StackFile | None:
        try:
            blob = self._git.run("cat-file", "blob", f"{self._commit}:./{file.path.name}")
            document = Document.read(blob.decode("utf-8-sig"), file.path.name)
        except (GitError, UnicodeDecodeError, Refused):
            return None
        return StackFile(file.path, file.stack, document)


def _beside_the_site(file: StackFile) -> dict[str, Any]:
    """Return what the engine reads beside the site: secrets and their provider."""
    config = {key: value for key, value in file.config.items() if key != SITE_KEY}
    return {**file.data, "config": config}
