"""The engine's own difference between a revision and the working tree, in a world in memory, without a credential."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from xgen_infra.delivery.layout import CHART_FOLDER
from xgen_infra.engine import EngineError
from xgen_infra.findings import Refused
from xgen_infra.folder import UnknownSiteError, read_site, stack_files
from xgen_infra.preview.plan import HIDDEN, Plan, planned
from xgen_infra.preview.rendered import RenderError, difference, refuse_broken_chart, rendered
from xgen_infra.preview.revision import Revision
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.canary import Canaries
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.memory import MemoryWorld, Program, memory_world
from xgen_infra.rehearsal.processes import ProcessError
from xgen_infra.rehearsal.tools import Tool
from xgen_infra.site import Site

_RESEALED = (
    "The seal of the file (its salt or key) changed, and every secret with it: that a secret is shown as changed "
    "does not mean that its value did."
)
_NEW = "The file is new: this is the first `up` of a new stack."


@dataclass(frozen=True)
class Subject:
    """What is compared: the working tree `project` with `base`; `binaries` as a world in memory needs them.

    `pack` are the engine's options for the policy pack. It judges the working tree alone: what the base does is done.
    `hosts` import the programs before the engine runs them.
    """

    project: Path
    base: Revision
    binaries: Mapping[Tool, Path]
    pack: tuple[str, ...] = ()
    hosts: LanguageHosts | None = None

    def texts(self, text: str) -> str:
        """Return a message without the folders in which the two revisions lie."""
        return text.replace(f"{self.base.folder}/", "").replace(f"{self.project}/", "")


def stacks(subject: Subject) -> tuple[set[str], set[str]]:
    """Return the stacks at the base, and those of the working tree."""
    return set(stack_files(subject.base.folder)), set(stack_files(subject.project))


def preview_against(subject: Subject, stack: str, progress: Callable[[str], None]) -> SitePreview:
    """Preview one stack; what fails of it is said in the result. Raises UnknownSiteError for one that is nowhere."""
    before, now = stacks(subject)
    if stack not in before | now:
        read_site(subject.project, stack)
    if stack not in now:
        return SitePreview(stack, "removed")
    started = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="xgen-preview-"))
    run = _Run(subject, stack, stack in before, root, progress)
    try:
        found = run.done()
    except (EngineError, RenderError, ProcessError, Refused, UnknownSiteError) as error:
        found = SitePreview(stack, "failed", problem=run.texts(str(error)))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return replace(found, seconds=round(time.monotonic() - started, 1))


class _Run:
    """One stack's preview: the values are rendered beside the engine's runs."""

    def __init__(
        self, subject: Subject, stack: str, existed: bool, root: Path, progress: Callable[[str], None]
    ) -> None:
        self.subject, self.stack, self.existed, self.root = subject, stack, existed, root
        self.say = progress
        self.notes: list[str] = []
        self.problem = ""
        self._canaries: Canaries | None = None

    def texts(self, text: str) -> str:
        """Return a message as it may be shown: without folders, and without canaries that a program printed."""
        for one in self._canaries.all if self._canaries else ():
            text = text.replace(one, HIDDEN)
        return self.subject.texts(text)

    def done(self) -> SitePreview:
        with ThreadPoolExecutor(1) as beside:
            values = beside.submit(self._values)
            plan, refused = self._plan()
            return self._told(plan, refused, values)

    def _told(self, plan: Plan, refused: str, values: Future[dict[str, str]]) -> SitePreview:
        outcome, problem = "refused" if refused or plan.stopped else "previewed", self.texts(refused)
        violations = (replace(one, message=self.texts(one.message)) for one in plan.violations)
        warnings = tuple(map(self.texts, plan.warnings))
        plan = replace(plan, violations=tuple(violations), warnings=warnings)
        found = None
        try:
            found = values.result()
        except RenderError as error:
            outcome, problem = "failed", self.texts(str(error))
        if self.problem:
            outcome, problem = "failed", "\n".join(filter(None, [self.problem, problem]))
        return SitePreview(self.stack, outcome, plan, problem, tuple(self.notes), found)  # type: ignore[arg-type]

    def _plan(self) -> tuple[Plan, str]:
        site = self._site(self.subject.project)
        also: tuple[Site, ...] = ()
        now = Program(self.subject.project, stack_files(self.subject.project)[self.stack])
        first = now
        if self.existed:
            source = stack_files(self.subject.base.folder)[self.stack]
            first = Program(self.subject.base.folder, source)
            with suppress(Refused):
                also = (self._site(self.subject.base.folder),)
        self.say(f"{self.stack}: a world in memory")
        with memory_world(
            site,
            first.source,
            self.root / "world",
            self.subject.binaries,
            project=first.project,
            also=also,
            hosts=self.subject.hosts,
            hasty=True,
        ) as world:
            self._canaries = world.file.shared
            if self.existed:
                world.prepare(now)
                self._bring_up(world, now)
            else:
                self.notes.append(_NEW)
            self.say(f"{self.stack}: preview at the working tree")
            return planned(world.engine, world.stack, *self.subject.pack)

    def _bring_up(self, world: MemoryWorld, now: Program) -> None:
        self.say(f"{self.stack}: up at {self.subject.base.asked}")
        try:
            world.engine.up(world.stack)
        except EngineError as error:
            world.reset()
            said = self.texts(str(error))
            self.problem = (
                f"At {self.subject.base.asked} the program itself fails, so there is nothing to compare with; "
                f"what is shown is a first up of the working tree. It said:\n{said}"
            )
        if world.turn(now):
            self.notes.append(_RESEALED)

    def _site(self, folder: Path) -> Site:
        return read_site(folder, self.stack)[1]

    def _values(self) -> dict[str, str]:
        base, out = self.subject.base, self.root / "values"
        new = rendered(self.subject.project, self.stack, self.root / "head", out)
        helm, site = self.subject.binaries[Tool.HELM], self._site(self.subject.project)
        refuse_broken_chart(helm, out / CHART_FOLDER, site, self.root / "head")
        if not self.existed:
            return difference({}, new)
        try:
            return difference(
                rendered(base.folder, self.stack, self.root / "base", self.root / "old-values"), new
            )
        except RenderError:
            self.notes.append(f"The program at {base.asked} cannot render its values: they are not compared.")
            return {}
