"""`--from REV`: a stack that REV's program brought up, taken over by the working tree's."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from xgen_infra import catalog, naming
from xgen_infra.engine import Result
from xgen_infra.folder import UnknownSiteError, stack_files
from xgen_infra.load import STACK_FILE_VARIABLE
from xgen_infra.preview.rendered import difference, rendered
from xgen_infra.preview.revision import Revision, check_out
from xgen_infra.rehearsal.gitops.phases import GitOpsPhases
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.phases import Rehearsal
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.world import World

_LINK = "program"
_SECTION = re.compile(r"^### State changes\n(?P<text>.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
_RELEASE_TAGS = "v[0-9]*"
_SETTLED_SECONDS = 300.0


@dataclass(frozen=True)
class Upgrade:
    """What is upgraded: from the program and file of `base` to those of `project`, by way of a folder `link`."""

    project: Path
    source: Path
    base: Revision
    link: Path

    @property
    def base_source(self) -> Path:
        """The customer's file at the base."""
        return self.base.folder / self.source.name

    def arrive(self, world: World) -> None:
        """Put the working tree's program and file in place of the base's."""
        point(self.link, self.project)
        file = world.file.become(self.source)
        file.change(("delivery",), world.site.delivery)
        if world.git and world.site.source.ca_certificate:
            file.change(("source", "caCertificate"), world.git.ca.read_text())
        world.environment[STACK_FILE_VARIABLE] = str(self.source)


def upgrade_from(asked: str, source: Path, root: Path) -> Upgrade:
    """Return the upgrade of a customer's file from a revision; its files are written below `root`.

    Raises GitError for a revision that is not there, UnknownSiteError where it has no such customer.
    """
    project = source.resolve().parent
    base = check_out(project, asked, root / "from")
    if source.name not in {path.name for path in stack_files(base.folder).values()}:
        raise UnknownSiteError(
            f"{asked} has no {source.name}: a new customer has nothing to be upgraded from"
        )
    link = root / _LINK
    point(link, base.folder)
    return Upgrade(project, source.resolve(), base, link)


def point(link: Path, target: Path) -> None:
    """Let a link lead to another folder."""
    link.unlink(missing_ok=True)
    link.symlink_to(target, target_is_directory=True)


def last_release(project: Path) -> str | None:
    """Return the newest release tag (`v1.2.3`) that the working tree descends from; None while there is none."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", _RELEASE_TAGS]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def run(rehearsal: Rehearsal, upgrade: Upgrade) -> None:
    """Bring the stack up at the base, run the working tree's program on it, and judge what that did."""
    rehearsal.up()
    rehearsal.services()
    world, view = rehearsal.world, rehearsal.view
    before = _pods(view, world)
    with rehearsal.report.phase("pulumi up by the working tree", rehearsal.console) as phase:
        upgrade.arrive(world)
        result = world.engine.up(world.stack)
        named = announced(upgrade)
        judge_replacements(phase, result, named)
        phase.check("what changed", True, _changes(result))
    if world.site.delivery == "argocd":
        GitOpsPhases(rehearsal).upgraded()
    with rehearsal.report.phase("pods after the upgrade", rehearsal.console) as phase:
        settled = until(rehearsal.all_ready, _SETTLED_SECONDS) if world.site.delivery == "helm" else True
        phase.check("every replica ready", settled, view.ready_services(world.site.namespace))
        restarted = sorted({owner for uid, owner in _pods(view, world).items() if uid not in before})
        inputs = _touched(result) | _published(upgrade, world)
        phase.check(
            "only pods whose inputs changed were restarted",
            set(restarted) <= inputs,
            f"restarted: {', '.join(restarted) or 'none'}; inputs changed: {', '.join(sorted(inputs)) or 'none'}",
        )
    rehearsal.again()


def announced(upgrade: Upgrade) -> str:
    """Return what CHANGELOG's "State changes" say that they did not say at the base."""
    old = set(_state_changes(upgrade.base.folder / "CHANGELOG.md").splitlines())
    new = _state_changes(upgrade.project / "CHANGELOG.md").splitlines()
    return "\n".join(line for line in new if line not in old)


def _state_changes(changelog: Path) -> str:
    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    return "\n".join(found["text"].strip() for found in _SECTION.finditer(text))


def judge_replacements(phase: Phase, result: Result, named: str) -> None:
    """Hold the replacements and deletions against what the CHANGELOG announces, by name or type in backticks."""
    gone = {step for step in result.steps if step.op in {"replace", "delete", "delete-replaced"}}
    seen = sorted({f"{step.name} ({step.type})" for step in gone})
    silent = sorted(
        {step.name for step in gone if f"`{step.name}`" not in named and f"`{step.type}`" not in named}
    )
    words = f"{', '.join(seen) or 'none'}; not announced: {', '.join(silent) or 'none'}"
    phase.check("no replacement or deletion that CHANGELOG's State changes do not name", not silent, words)


def _changes(result: Result) -> str:
    told = sorted({f"{step.op} {step.name}" for step in result.changed})
    return ", ".join(told) or "nothing"


def _touched(result: Result) -> set[str]:
    """Return the workloads whose own resource the engine changed: six releases, and the data services' sets."""
    names = {step.name for step in result.changed}
    releases = {name for name in catalog.NAMES if f"releases-{name}" in names}
    sets = {name.split("-")[1] for name in names if name.startswith("data-")}
    return {*map(str, releases), *sets}


def _published(upgrade: Upgrade, world: World) -> set[str]:
    """Return the services for which other files go to the customer's Git."""
    if world.site.delivery != "argocd":
        return set()
    root, stack = world.root / "rendered", world.stack
    old = rendered(upgrade.base.folder, stack, root / "old", root / "old-files")
    files = difference(old, rendered(upgrade.project, stack, root / "new", root / "new-files"))
    whole_chart = any(path.startswith("charts/") for path in files)
    return {name for name in catalog.NAMES if whole_chart or f"values/{name}.yaml" in files}


def _pods(view: ClusterView, world: World) -> dict[str, str]:
    """Return the uid of each pod of the stack, and the workload that it is of."""
    found = {pod.uid: pod.service for pod in view.pods(world.site.namespace)}
    for pod in view.core.list_namespaced_pod(naming.DATA_NAMESPACE).items:
        owners = pod.metadata.owner_references or []
        if owners and owners[0].kind == "StatefulSet":
            found[pod.metadata.uid] = owners[0].name
    return found
