"""The steps of a handover. Each looks at what is there, so a run that was interrupted is simply begun again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from kubernetes import client

from xgen_infra import catalog, naming
from xgen_infra.engine import Engine
from xgen_infra.handover import marks, records
from xgen_infra.handover.difference import beyond_delivery, differences
from xgen_infra.health import Judge, Verdict
from xgen_infra.site import Site

_SECONDS = 20
_PERIOD = 1.0
_SHOWN = 8
_ARGO = ("argoproj.io", "v1alpha1", naming.ARGOCD_NAMESPACE, "applications")


class HandoverError(Exception):
    """A handover would not be one, or did not end; every pod runs on, and it can be begun again."""


@dataclass(frozen=True)
class Handover:
    """One site's handover. `publish` mirrors its content; `connect` gives a client of its cluster; `say` tells."""

    site: Site
    engine: Engine
    connect: Callable[[], AbstractContextManager[client.ApiClient]]
    publish: Callable[[], str]
    say: Callable[[str], None] = field(default=lambda _line: None)

    def run(self, *, seconds: float = 600, restarts: bool = False) -> bool:
        """Hand the six releases over; return whether every pod that ran before runs on.

        Without `restarts` nothing is begun where the file or the chart says something else than what runs.
        Raises HandoverError, and what the engine, Git and the cluster raise.
        """
        with self.connect() as api:
            before = self._pods(api)
            running = records.records(api, self.site.namespace)
        if not running and not before:
            raise HandoverError(
                f"nothing of {self.site.stack} runs: there is nothing to hand over, only to deploy"
            )
        self._refuse_pending(running)
        self._refuse_restarts(running, restarts=restarts)
        self.say(f"git: {self.publish()}")
        self._refuse_more()
        result = self.engine.up(self.site.stack)
        self.say(f"stack: {dict(result.changes)}")
        with self.connect() as api:
            self._wait(api, seconds)
            self._claim(api, seconds)
            for service in catalog.NAMES:
                self._release(api, service)
            after = self._pods(api)
        self.say(f"pods: {len(before & after)} of {len(before)} run on")
        return before <= after

    def _refuse_pending(self, running: dict[str, records.Record]) -> None:
        unsettled = [f"{name} ({one.status})" for name, one in running.items() if one.status != "deployed"]
        if unsettled:
            raise HandoverError(
                f"Helm has not finished with {', '.join(unsettled)}: write delivery: helm, run pulumi up, then "
                "hand over"
            )

    def _refuse_restarts(self, running: dict[str, records.Record], *, restarts: bool) -> None:
        found = differences(self.site, running)
        if found and not restarts:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise HandoverError(
                f"what runs is not what Pulumi.{self.site.stack}.yaml says: {'; '.join(found[:_SHOWN])}{more}. Pods "
                "would restart. Bring it up with delivery: helm first, or let them restart by --restarts"
            )

    def _refuse_more(self) -> None:
        more = beyond_delivery(self.engine.preview(self.site.stack))
        if more:
            raise HandoverError(
                f"pulumi up would change more than who delivers: {', '.join(more[:_SHOWN])}. Bring that up with "
                "delivery: helm first"
            )

    def _claim(self, api: client.ApiClient, seconds: float) -> None:
        """Have Argo CD apply what it found to be as it should be, and so never put its name on.

        An operation's sync options stand in place of the Application's, which leave such objects out.
        """
        custom = client.CustomObjectsApi(api)
        sync = {"prune": False, "syncOptions": ["ServerSideApply=true"]}
        body = {"operation": {"initiatedBy": {"username": "xgen handover"}, "sync": sync}}
        left = self._untracked(api)
        for service in left:
            custom.patch_namespaced_custom_object(*_ARGO, service, body, _request_timeout=_SECONDS)
        deadline = time.monotonic() + seconds
        while left := self._untracked(api):
            if time.monotonic() > deadline:
                names = "; ".join(f"{service}: {', '.join(objects)}" for service, objects in left.items())
                raise HandoverError(
                    f"not Argo CD's after {seconds:g} s: {names}. The pods run on; run this again"
                )
            time.sleep(_PERIOD)

    def _untracked(self, api: client.ApiClient) -> dict[str, list[str]]:
        found = {name: marks.untracked(api, self._resources(api, name), name) for name in catalog.NAMES}
        return {name: objects for name, objects in found.items() if objects}

    def _resources(self, api: client.ApiClient, service: str) -> list[dict[str, str]]:
        application = client.CustomObjectsApi(api).get_namespaced_custom_object(
            *_ARGO, service, _request_timeout=_SECONDS
        )
        found: list[dict[str, str]] = application["status"].get("resources") or []
        return found

    def _wait(self, api: client.ApiClient, seconds: float) -> None:
        judge = Judge(api, self.site)
        judge.ask_argocd()
        verdicts = judge.wait(seconds, self._told)
        bad = [verdict for verdict in verdicts if not verdict.good]
        if bad:
            reasons = "; ".join(f"{one.service}: {one.state} {' '.join(one.reasons)}".strip() for one in bad)
            raise HandoverError(
                f"Argo CD has not taken over after {seconds:g} s: {reasons}. The pods run on; mend it and run this again"
            )

    def _told(self, verdict: Verdict) -> None:
        self.say(f"{verdict.service}: {verdict.state}")

    def _release(self, api: client.ApiClient, service: str) -> None:
        """Take Helm's marks off what Argo CD owns now, then Helm's records: the records go last."""
        taken = marks.take_off(api, self._resources(api, service), service)
        gone = records.delete(api, self.site.namespace, service)
        if taken or gone:
            self.say(f"{service}: Helm let go of {taken} objects; {gone} of its records are gone")

    def _pods(self, api: client.ApiClient) -> frozenset[str]:
        listed = client.CoreV1Api(api).list_namespaced_pod(self.site.namespace, _request_timeout=_SECONDS)
        return frozenset(
            pod.metadata.uid
            for pod in listed.items
            if (pod.metadata.labels or {}).get("app.kubernetes.io/name") in catalog.NAMES
            and not pod.metadata.deletion_timestamp
        )
