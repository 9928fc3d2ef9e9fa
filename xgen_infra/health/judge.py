"""Judges the six services of a site by what the cluster shows, under both deliveries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from xgen_infra import catalog, naming
from xgen_infra.health import pods
from xgen_infra.health.applications import REFRESH, State, state_of

_ARGO = ("argoproj.io", "v1alpha1", naming.ARGOCD_NAMESPACE, "applications")
_SECONDS = 20
_PERIOD = 1.0
_SERVER_ERROR = 500
_FORBIDDEN = 403
_NOT_FOUND = 404


@dataclass(frozen=True)
class Verdict:
    """One service: `state` in a few words, `reasons` why it is not good."""

    service: str
    good: bool
    state: str
    reasons: tuple[str, ...] = ()


class Judged(Protocol):
    """What a judge has to know of an installation: a Site, or what its stack's outputs say."""

    @property
    def namespace(self) -> str: ...

    @property
    def delivery(self) -> str: ...


@dataclass
class Judge:
    """Looks at one site's services. `fresh` is whether Argo CD compares with Git anew because it was asked to."""

    api: client.ApiClient
    site: Judged
    fresh: bool = field(default=False, init=False)

    def ask_argocd(self) -> None:
        """Ask Argo CD to look at Git now, so that what it says is no older than this; needs leave to patch."""
        if self.site.delivery != "argocd":
            return
        custom = client.CustomObjectsApi(self.api)
        patch = {"metadata": {"annotations": {REFRESH: "normal"}}}
        self.fresh = True
        for name in catalog.NAMES:
            try:
                custom.patch_namespaced_custom_object(*_ARGO, name, patch, _request_timeout=_SECONDS)
            except ApiException as error:
                if error.status == _FORBIDDEN:
                    self.fresh = False
                elif error.status != _NOT_FOUND:
                    raise

    def wait(self, seconds: float, tell: Callable[[Verdict], None]) -> list[Verdict]:
        """Look until every service is good, or for `seconds`; tell each service's state when it changes.

        An API server that does not answer for a moment is asked again within that time.
        """
        deadline = time.monotonic() + seconds
        told: dict[str, str] = {}
        while True:
            try:
                verdicts = self.look()
            except (HTTPError, ApiException) as error:
                passing = isinstance(error, HTTPError) or (error.status or 0) >= _SERVER_ERROR
                if not passing or time.monotonic() >= deadline:
                    raise
                time.sleep(_PERIOD)
                continue
            for verdict in verdicts:
                if told.get(verdict.service) != verdict.state:
                    tell(verdict)
                told[verdict.service] = verdict.state
            if all(verdict.good for verdict in verdicts) or time.monotonic() >= deadline:
                return verdicts
            time.sleep(min(_PERIOD, max(0.05, deadline - time.monotonic())))

    def look(self) -> list[Verdict]:
        """Return a verdict on each service, in the catalogue's order."""
        deployments = self._objects(client.AppsV1Api(self.api).list_namespaced_deployment)
        running = self._objects(client.CoreV1Api(self.api).list_namespaced_pod)
        applications = self._applications() if self.site.delivery == "argocd" else None
        return [
            self._verdict(
                name, applications, {item["metadata"]["name"]: item for item in deployments}, running
            )
            for name in catalog.NAMES
        ]

    def _verdict(
        self,
        name: str,
        applications: Mapping[str, State] | None,
        deployments: Mapping[str, dict[str, Any]],
        running: list[dict[str, Any]],
    ) -> Verdict:
        words: list[str] = []
        reasons: list[str] = []
        good = True
        if applications is not None:
            application = applications.get(name)
            if application is None:
                return Verdict(name, False, "no Application", ("pulumi up makes it",))
            good = application.good
            words.append(f"{application.sync}, {application.health}")
            words += [f"at {application.revision[:12]}"] if application.revision else []
            reasons += application.reasons
        deployment = deployments.get(name)
        if deployment is None:
            return Verdict(name, False, ", ".join([*words, "no Deployment"]), tuple(reasons))
        rolled = pods.rollout(deployment)
        words.append(f"{rolled.ready} of {rolled.wanted} ready")
        reasons += rolled.problems
        if not rolled.complete:
            reasons += pods.problems(pod for pod in running if _service(pod) == name)
        good = good and rolled.complete
        return Verdict(name, good, ", ".join(words), () if good else tuple(reasons))

    def _objects(self, lister: Any) -> list[dict[str, Any]]:
        listed = lister(self.site.namespace, _request_timeout=_SECONDS)
        objects: list[dict[str, Any]] = self.api.sanitize_for_serialization(listed.items)
        return objects

    def _applications(self) -> dict[str, State]:
        try:
            listed = client.CustomObjectsApi(self.api).list_namespaced_custom_object(
                *_ARGO, _request_timeout=_SECONDS
            )
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return {}
            raise
        return {item["metadata"]["name"]: state_of(item) for item in listed["items"]}


def _service(pod: dict[str, Any]) -> str:
    labels: dict[str, str] = pod["metadata"].get("labels") or {}
    return labels.get("app.kubernetes.io/name", "")
