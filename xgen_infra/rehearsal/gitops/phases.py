"""The phases of a rehearsal in which Git and Argo CD deliver: what the file says reaches pods without the engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from kubernetes.client.exceptions import ApiException

from xgen_infra import catalog, naming
from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.rehearsal.gitops.observe import TRACKING, Scene, leaks, seconds_until
from xgen_infra.rehearsal.gitops.start import POLL_SECONDS
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.processes import ProcessError
from xgen_infra.rehearsal.report import Phase

if TYPE_CHECKING:
    from xgen_infra.rehearsal.phases import Rehearsal

CHANGED: catalog.ServiceName = "xgen-core"
PINNED: catalog.ServiceName = "xgen-workflow"
FIXED: catalog.ServiceName = "xgen-mcp-station"
LOADED: catalog.ServiceName = "xgen-frontend"
"""The services of which each phase changes something, so that none hides another's effect."""
DIGEST = "sha256:" + "1c" * 32
_PATIENCE = ("5", "20", "90")
_SECONDS = 300.0
"""How long anything may take that a machine with other work does late."""


class GitOpsPhases:
    """The phases on one rehearsal, in order."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._report, self._console = rehearsal.report, rehearsal.console
        self._world = rehearsal.world
        self._scene = Scene(rehearsal.world, rehearsal.view)

    def first(self) -> None:
        """Mirror for the first time, and see six Applications become Synced and Healthy."""
        begun, stack = time.time(), self._world.stack
        with self._phase("xgen mirror") as phase:
            mirrored = self._scene.xgen("mirror", stack)
            phase.check("the branch is made", mirrored.status == 0, mirrored.said.splitlines()[-1])
        with self._phase("six Applications Synced and Healthy") as phase:
            synced = self._since_push(lambda: self._scene.synced_to(self._scene.head()), _SECONDS)
            phase.check("Synced to the commit", synced is not None, f"{synced} s after it was pushed")
            self._published(phase)
            again = self._scene.xgen("mirror", stack)
            phase.check("a second mirror has nothing to do", "nothing to do" in again.said, again.said)
            self._owned(phase)
            healthy = seconds_until(self._scene.all_good, _SECONDS, begun)
            phase.check("Healthy", healthy is not None, self._scene.states())
            self._figure("seconds from up to six Healthy, mirror included", healthy)
            self._rehearsal.delivered(phase)
            judged = self._scene.xgen("wait", stack, "--timeout", f"{_SECONDS:.0f}")
            said = next((line for line in judged.said.splitlines() if line.startswith("ok")), judged.said)
            phase.check("xgen wait says so", judged.status == 0, said)

    def upgraded(self) -> None:
        """Mirror what another revision of the program makes, and see the six follow."""
        with self._phase("xgen mirror by the working tree") as phase:
            mirrored = self._scene.xgen("mirror", self._world.stack)
            phase.check("published", mirrored.status == 0, mirrored.said.splitlines()[-1])
            synced = until(lambda: self._scene.synced_to(self._scene.head()), _SECONDS)
            good = until(self._scene.all_good, _SECONDS)
            phase.check("Synced and Healthy", synced and good, self._scene.states())

    def changes(self) -> None:
        """Change the file, the cluster and the repository; see each carried, healed or withstood."""
        self._values()
        self._image()
        self._by_hand()
        self._scaling()
        self._broken()

    def _values(self) -> None:
        file, namespace = self._world.file, self._world.site.namespace
        with self._phase("values and replicas changed through Git alone") as phase:
            before = self._rehearsal.view.pods(namespace)
            file.change(("services", CHANGED, "vars"), {"REHEARSAL_CHANGED": "yes"})
            file.change(("services", FIXED), {"replicas": 3, "autoscaling": {"enabled": False}})
            self._mirror()
            taken = self._since_push(self._changed)
            phase.check(
                "the value is in the container", taken is not None, f"{taken} s after the push, by polling"
            )
            self._figure(f"seconds from commit to applied, at a poll of {POLL_SECONDS} s", taken)
            self._published(phase)
            pruned = until(lambda: FIXED not in self._scene.autoscalers(), _SECONDS)
            phase.check("what Git no longer has is pruned", pruned, f"autoscaler of {FIXED} gone: {pruned}")
            ready = until(lambda: self._ready(FIXED) == "3/3", _SECONDS)
            phase.check("the replicas are the file's", ready, f"{FIXED}: {self._ready(FIXED)}")
            settled = until(lambda: self._whole(CHANGED), _SECONDS)
            restarted = {
                pod.service
                for pod in self._rehearsal.view.pods(namespace)
                if pod.uid not in {old.uid for old in before}
            }
            phase.check(
                "only those services' pods are new",
                settled and restarted <= {CHANGED, FIXED},
                sorted(restarted),
            )

    def _image(self) -> None:
        site, file = self._world.site, self._world.file
        pinned = naming.image(site, PINNED, "", DIGEST)
        with self._phase("an image pinned, and rolled back by taking the line out") as phase:
            text, before = file.path.read_text(), self._scene.image(PINNED)
            file.change(("services", PINNED, "image"), {"digest": DIGEST})
            self._mirror()
            taken = until(lambda: self._runs(PINNED, pinned), _SECONDS)
            phase.check("the pods run the digest", taken, self._scene.image(PINNED))
            file.path.write_text(text)
            self._mirror()
            back = self._since_push(lambda: self._runs(PINNED, before))
            phase.check(
                "the pods run what they ran before", back is not None, f"{before}, {back} s after the push"
            )

    def _by_hand(self) -> None:
        namespace = self._world.site.namespace
        with self._phase("a change by hand is healed") as phase:
            expected = self._scene.image(CHANGED)
            by_hand = {"name": CHANGED, "image": "example.invalid/by-hand:1"}
            self._rehearsal.view.apps.patch_namespaced_deployment(
                CHANGED, namespace, {"spec": {"template": {"spec": {"containers": [by_hand]}}}}
            )
            healed = seconds_until(lambda: self._scene.image(CHANGED) == expected, _SECONDS)
            phase.check("the image is Git's again", healed is not None, f"{expected}, after {healed} s")
            self._figure("seconds until a change by hand is healed", healed)
            self._rehearsal.view.core.delete_namespaced_config_map(f"{CHANGED}-env", namespace)
            back = seconds_until(self._changed, _SECONDS)
            phase.check("an object that was deleted is there again", back is not None, f"after {back} s")

    def _scaling(self) -> None:
        """Let a service be busy: the autoscaler adds a pod, and Argo CD leaves it alone."""
        spec = self._world.site.service(LOADED)
        if not spec.scale.autoscaling or spec.scale.max_replicas == spec.scale.min_replicas:
            return
        low = spec.scale.min_replicas
        with self._phase("the autoscaler and Argo CD do not fight") as phase:
            begun = self._replicas()
            self._scene.load(LOADED, spec.limits.cpu)
            more = seconds_until(lambda: self._replicas() > low, _SECONDS)
            phase.check(
                "load adds a pod",
                begun == low and more is not None,
                f"{begun} to {self._replicas()}, {more} s",
            )
            high, seen = self._replicas(), set[str]()
            watched = time.time() + 2.5 * POLL_SECONDS
            while time.time() < watched:
                seen |= {f"{self._scene.applications()[LOADED].sync}, {self._replicas() >= high}"}
                time.sleep(0.3)
            phase.check(
                "nobody takes it away, and nothing is out of sync", seen == {"Synced, True"}, sorted(seen)
            )
            self._scene.load(LOADED, None)
            less = seconds_until(lambda: self._replicas() == low, _SECONDS)
            phase.check("without load it goes", less is not None, f"{high} to {self._replicas()}, {less} s")

    def _broken(self) -> None:
        stack = self._world.stack
        with self._phase("a broken chart in Git") as phase:
            phase.check("nothing is in motion", until(self._settled, _SECONDS), "as many pods as wanted")
            before, good = self._scene.uids(), self._scene.head()
            with self._scene.stranger() as clone:
                template = (
                    clone / self._world.site.source.folder / "charts/xgen-service/templates/deployment.yaml"
                )
                broken = (
                    f'{{{{- if eq .Values.name "{CHANGED}" }}}}{{{{ fail "broken by hand" }}}}{{{{ end }}}}\n'
                )
                template.write_text(broken + template.read_text())
            self._blamed(phase, "broken by hand")
            time.sleep(2 * POLL_SECONDS)
            phase.check(
                "the pods run on", self._scene.uids() == before, f"{len(before)} pods, the same as before"
            )
            refused = self._scene.xgen("mirror", stack)
            head = self._scene.head()
            phase.check(
                "xgen mirror refuses to go over a stranger's commit",
                refused.status == 1 and head[:7] in refused.said and head != good,
                refused.said.splitlines()[-1][:120],
            )
            self._mirror("--over", head)
            healed = until(lambda: self._scene.synced_to(self._scene.head()), _SECONDS)
            same = self._scene.uids() == before
            self._published(phase)
            phase.check(
                "told to, it mends the chart; the pods never noticed", healed and same, self._scene.states()
            )

    def _blamed(self, phase: Phase, why: str) -> None:
        """Check that `xgen wait` comes to blame one Application: Argo CD may still be looking at the others."""
        for patience in _PATIENCE:
            judged = self._scene.xgen("wait", self._world.stack, "--timeout", patience)
            blamed = [line for line in judged.said.splitlines() if why in line]
            named = [line.split()[1] for line in judged.said.splitlines() if line.startswith("FAIL")]
            right = judged.status == 1 and named == [f"{CHANGED}:"] and bool(blamed)
            if right:
                break
        phase.check(
            "xgen wait names the Application and why",
            right,
            f"{named} {blamed[0].strip()[-160:] if blamed else judged.said[-160:]}",
        )

    # What the phases look at

    def _settled(self) -> bool:
        return self._rehearsal.all_ready() and self._scene.settled()

    def _phase(self, name: str) -> AbstractContextManager[Phase]:
        return self._report.phase(name, self._console)

    def _figure(self, name: str, value: float | None) -> None:
        if value is not None:
            self._report.figures[name] = value

    def _mirror(self, *options: str) -> None:
        done = self._scene.xgen("mirror", self._world.stack, *options)
        if done.status:
            raise ProcessError(f"xgen mirror failed: {done.said}")

    def _since_push(self, happened: Callable[[], bool], limit: float = _SECONDS) -> float | None:
        return seconds_until(happened, limit, self._scene.pushed_at())

    def _published(self, phase: Phase) -> None:
        """Check that the branch holds exactly what the file says, and no secret in any object."""
        _, site = read_site(self._world.root, self._world.stack)
        folder = site.source.folder
        listed = self._scene.git(
            "ls-tree", "-r", "--name-only", "--full-tree", f"{self._scene.head()}:{folder}"
        )
        files = content(site)
        same = set(listed.splitlines()) == files.keys() and all(
            self._scene.git("show", f"{self._scene.head()}:{folder + '/' if folder else ''}{path}").encode()
            == data.strip()
            for path, data in files.items()
            if path.startswith("values/")
        )
        phase.check("the branch is what the file says", same, f"{len(files)} files")
        found = leaks(self._scene.objects(), self._world.file.canaries)
        phase.check(
            "no secret is in any object", not found, found or f"{len(self._world.file.canaries)} searched for"
        )

    def _owned(self, phase: Phase) -> None:
        marks = {
            name: (self._scene.deployment(name).metadata.annotations or {}).get(TRACKING, "")
            for name in catalog.NAMES
        }
        owned = all(mark.startswith(f"{name}:") for name, mark in marks.items())
        phase.check("the workloads are Argo CD's", owned, marks[CHANGED])
        left = self._scene.releases()
        phase.check("no Helm release beside them", not left, left or "none")

    def _changed(self) -> bool:
        try:
            seen = self._rehearsal.view.environment(self._world.site.namespace, CHANGED)
        except ApiException:
            return False
        return seen.get("REHEARSAL_CHANGED") == "yes"

    def _ready(self, service: str) -> str:
        return self._rehearsal.view.ready_services(self._world.site.namespace).get(service, "0/0")

    def _whole(self, service: str) -> bool:
        ready, _, wanted = self._ready(service).partition("/")
        return ready == wanted != "0"

    def _runs(self, service: str, image: str) -> bool:
        pods = self._rehearsal.view.pods(self._world.site.namespace)
        running = {pod.image for pod in pods if pod.service == service}
        return self._whole(service) and running == {image}

    def _replicas(self) -> int:
        return int(self._scene.deployment(LOADED).spec.replicas or 0)
