"""The phases of a rehearsal: each acts as a person would, then looks at the engine's events and the cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

from rich.console import Console

from xgen_infra import catalog, environment, naming, policy
from xgen_infra.engine import EngineError, Result
from xgen_infra.engine.events import SAME
from xgen_infra.rehearsal.backing import tally
from xgen_infra.rehearsal.brownfield import Brownfield, adopts
from xgen_infra.rehearsal.document import round_trip
from xgen_infra.rehearsal.gitops.phases import GitOpsPhases
from xgen_infra.rehearsal.observe import ClusterView, Pod, until
from xgen_infra.rehearsal.report import Phase, Report
from xgen_infra.rehearsal.runbook import try_runbook
from xgen_infra.rehearsal.secrecy import Watch
from xgen_infra.rehearsal.secrecy import phase as secrecy
from xgen_infra.rehearsal.secrecy.phase import Secrecy
from xgen_infra.rehearsal.world import World
from xgen_infra.removal import Resource, leftovers, resources_of

_READY_SECONDS = 300.0
CHANGED: catalog.ServiceName = "xgen-core"
"""The service of which the rehearsal changes one value."""


class Rehearsal:
    """The phases on one world, in order; each records what it saw."""

    def __init__(self, world: World, report: Report, console: Console, watch: Watch) -> None:
        self.world = world
        self.report = report
        self.console = console
        self.view = ClusterView(world.kubeconfig)
        self._namespaces_before = self.view.namespaces()
        self._brownfield = Brownfield(world, self.view) if adopts(world.site) else None
        self._secrecy = Secrecy(self, watch)

    def before(self) -> None:
        """Let what the file adopts run already."""
        if self._brownfield:
            with self.report.phase("a cluster that runs already", self.console) as phase:
                self._brownfield.seed(phase)

    def preview(self) -> None:
        """Preview first, as a person would."""
        with self.report.phase("pulumi preview", self.console) as phase:
            options, beside = self._secrecy.previews()
            result = self.world.engine.preview(self.world.stack, *options)
            beside.result()
            self._secrecy.comment("preview", result)
            phase.check("nothing is made by a preview", not self._made(), "no resource in the state")
            phase.check("only creations", set(result.changes) <= {"create", "read"}, dict(result.changes))

    def _judged(self, phase: Phase) -> Result:
        """Bring the stack up under the policy pack, which then sees what a preview does not know yet."""
        try:
            result = self.world.engine.up(self.world.stack, *policy.options(folder=self.world.root))
        except EngineError as refused:
            if not refused.result or not refused.result.violations:
                raise
            result = refused.result
        wrong = [str(violation) for violation in result.violations]
        judged = f"{len(result.judged)} policies, {max(result.judged.values(), default=0)} resources"
        phase.check("the policy pack finds nothing", bool(result.judged) and not wrong, wrong or judged)
        return result

    def up(self) -> None:
        """Bring the stack up."""
        with self.report.phase("pulumi up", self.console) as phase:
            result = self._judged(phase)
            created = result.changes.get("create", 0)
            phase.check("everything was created", created > 0 and not result.replaced, dict(result.changes))
            self.report.resources = groups(result)
            self.report.types = tally(step.type for step in result.steps)
            if not self.world.site.eks:
                seen = [step.type for step in result.steps if step.type.startswith(("aws:", "eks:"))]
                phase.check("no AWS resource", not seen, f"{len(seen)} of an AWS type")
            self._outputs(phase)
            if self._brownfield:
                self._brownfield.check(phase)

    def services(self) -> None:
        """See the six services ready, or their Applications."""
        site = self.world.site
        if site.delivery == "argocd":
            with self.report.phase("six Applications", self.console) as phase:
                self._applications(phase)
            GitOpsPhases(self).first()
            if self._brownfield:
                with self.report.phase("what ran already", self.console) as phase:
                    self._brownfield.check(phase)
                    self._brownfield.check_credentials(phase)
                    self._brownfield.check_applications(phase)
            return
        with self.report.phase("six services ready", self.console) as phase:
            ready = until(self.all_ready, _READY_SECONDS)
            phase.check("every replica ready", ready, self.view.ready_services(site.namespace))
            self.delivered(phase)

    def delivered(self, phase: Phase) -> None:
        """See in each container what the file and the resources say."""
        self._wired(phase)
        self._images(phase)

    def document(self) -> None:
        """Store a document as the service would, where there is an object store to answer."""
        door = self.world.s3
        if door is None:
            return
        with self.report.phase("a document by the container's own .env", self.console) as phase:
            round_trip(self.view, self.world.site.namespace, door, phase)

    def again(self) -> None:
        """Run `up` a second time: nothing is to change."""
        with self.report.phase("second pulumi up", self.console) as phase:
            result = self.world.engine.up(self.world.stack)
            seen = [f"{step.op} {step.name} {list(step.diffs)}" for step in result.changed]
            phase.check("nothing changes", not seen, seen or f"{result.changes.get(SAME, 0)} unchanged")

    def change(self) -> None:
        """Change one value in the file; it reaches the cluster and touches only what it must."""
        site = self.world.site
        if site.delivery == "argocd":
            with self.report.phase("pulumi up after a value changed in the file", self.console) as phase:
                self._untouched(phase)
            GitOpsPhases(self).changes()
            return
        with self.report.phase("one value changed in the file", self.console) as phase:
            before = self.view.pods(site.namespace)
            self.world.file.change(("services", CHANGED, "vars"), {"REHEARSAL_CHANGED": "yes"})
            result = self.world.engine.up(self.world.stack)
            self._secrecy.comment("change", result)
            touched = sorted(f"{step.op} {step.name}" for step in result.changed)
            phase.check("one resource is touched", touched == [f"update releases-{CHANGED}"], touched)
            arrived = until(self.all_ready, _READY_SECONDS)
            value = self.view.environment(site.namespace, CHANGED).get("REHEARSAL_CHANGED")
            phase.check(
                "the value is in the container", arrived and value == "yes", f"REHEARSAL_CHANGED={value}"
            )
            restarted = changed_services(before, self.view.pods(site.namespace))
            phase.check("only that service's pods restart", restarted == {CHANGED}, sorted(restarted))

    def _untouched(self, phase: Phase) -> None:
        """See the engine leave to Git what is Git's to carry."""
        self.world.file.change(("services", CHANGED, "vars"), {"REHEARSAL_CHANGED": "yes"})
        touched = [step.name for step in self.world.engine.up(self.world.stack).changed]
        phase.check("the change is Git's to carry: no resource is touched", not touched, touched or "none")

    def runbook(self) -> None:
        """Write the runbook from the stack's outputs, and run its checks."""
        with self.report.phase("xgen runbook", self.console) as phase:
            try_runbook(self.world, phase)

    def refused(self) -> None:
        """See a plain destroy refused where data is protected."""
        before = self._made()
        if not any(resource.protect for resource in before):
            return
        with self.report.phase("plain pulumi destroy is refused", self.console) as phase:
            process = subprocess.run(
                [
                    str(self.world.engine.binary),
                    "destroy",
                    "--yes",
                    "--stack",
                    self.world.stack,
                ],
                cwd=self.world.project,
                env={**os.environ, **self.world.environment},
                capture_output=True,
                text=True,
                check=False,
            )
            said = process.stdout + process.stderr
            why = next((line.strip() for line in said.splitlines() if "protect" in line), said[-200:])
            phase.check("refused for protection", process.returncode != 0 and "protect" in said, why[:100])
            left = len(self._made())
            phase.check("nothing was removed", left == len(before), f"{left} of {len(before)} resources left")

    def secrecy(self) -> None:
        """Search every place for every secret."""
        with self.report.phase(secrecy.NAME, self.console) as phase:
            self._secrecy.phase(phase)

    def secrecy_at_the_end(self) -> None:
        """Search again what has grown since."""
        with self.report.phase("still no secret, at the end", self.console) as phase:
            self._secrecy.last(phase)

    def destroy(self) -> None:
        """Remove the stack by `xgen destroy`."""
        site = self.world.site
        with self.report.phase("xgen destroy", self.console) as phase:
            done = subprocess.run(
                [sys.executable, "-m", "xgen_infra.cli", "destroy", self.world.stack, "--yes"],
                cwd=self.world.project,
                env={**os.environ, **self.world.environment},
                capture_output=True,
                text=True,
                check=False,
            )
            (self.world.root / "logs" / "destroy.log").write_text(done.stdout + done.stderr)
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            phase.check(
                "ends well",
                done.returncode == 0,
                f"status {done.returncode} {last if done.returncode else ''}",
            )
            protected, others = leftovers(resources_of(self.world.engine.export(self.world.stack)))
            kept = dict(Counter(resource.type.rsplit(":", 1)[-1] for resource in protected))
            phase.check("nothing but protected data is left", not others, f"kept: {kept or 'nothing'}")
            adopted = bool(site.k3s and site.k3s.adopt.namespace)
            gone = adopted or until(lambda: site.namespace not in self.view.namespaces(), _READY_SECONDS)
            left = self.view.namespaces() - self._namespaces_before
            phase.check("the six services are gone", gone, f"namespaces left: {sorted(left) or 'none'}")
            if self._brownfield:
                self._brownfield.check_kept(phase)

    def all_ready(self) -> bool:
        """Whether every replica of the six is up to date and ready."""
        site = self.world.site
        least: dict[str, int] = {
            spec.service.name: spec.scale.min_replicas if spec.scale.autoscaling else spec.scale.replicas
            for spec in site.specs
        }
        return self.view.all_ready(site.namespace, least)

    # What the phases look at

    def _made(self) -> list[Resource]:
        return list(resources_of(self.world.engine.export(self.world.stack)))

    def _outputs(self, phase: Phase) -> None:
        outputs = self.world.engine.outputs(self.world.stack)
        secret = [name for name, value in outputs.items() if value == "[secret]"]
        phase.check(
            "outputs, secret ones marked", "kubeconfig" in secret, f"{len(outputs)} outputs, secret: {secret}"
        )

    def _applications(self, phase: Phase) -> None:
        site = self.world.site
        found = self.view.applications()
        phase.check("one per service", set(found) == set(catalog.NAMES), sorted(found))
        expected = {v.name: v.value for v in environment.wired(site) if v.owner == "resource"}
        wrong = [
            name
            for name, app in found.items()
            if app["spec"]["source"]["helm"]["valuesObject"]["outputs"]["env"] != expected
        ]
        phase.check("outputs are wired into each", not wrong, wrong or f"{len(expected)} variables each")
        sources = {app["spec"]["source"]["repoURL"] for app in found.values()}
        phase.check("from the customer's Git", sources == {site.source.repo_url}, sorted(sources))

    def _wired(self, phase: Phase) -> None:
        """Compare each container's environment with the environment's one table and with the canaries."""
        site, canaries = self.world.site, self.world.file.canaries
        wrong = []
        for name in catalog.NAMES:
            seen = self.view.environment(site.namespace, name)
            for variable in environment.wired(site):
                expected = variable.value or canaries.get(f"xgen-infra:{variable.source}")
                value = seen.get(variable.name)
                if value is None or (expected is not None and value != expected):
                    wrong.append(f"{name}: {variable.name}")
        count = len(environment.wired(site)) * len(catalog.NAMES)
        phase.check("every wired variable reaches its container", not wrong, wrong or f"{count} of {count}")

    def _images(self, phase: Phase) -> None:
        site = self.world.site
        expected = {s.service.name: naming.image(site, s.service.name, s.tag, s.digest) for s in site.specs}
        seen = {pod.service: pod.image for pod in self.view.pods(site.namespace)}
        phase.check("images are the site's", seen == expected, seen.get("xgen-frontend"))


def changed_services(before: list[Pod], after: list[Pod]) -> set[str]:
    """Return the services that have a pod that was not there before."""
    known = {pod.uid for pod in before}
    return {pod.service for pod in after if pod.uid not in known}


def groups(result: Result) -> dict[str, int]:
    """Count a run's resources by the provider that made them."""
    return dict(Counter(step.type.split(":", 1)[0] for step in result.steps))
