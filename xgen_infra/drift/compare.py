"""Compares a whole stack: what the engine's state has, and what releases and Argo CD made inside the cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kubernetes import client

from xgen_infra.drift import inside
from xgen_infra.drift.model import Drift, Unseen
from xgen_infra.drift.refresh import refresh
from xgen_infra.engine import Engine, EngineError
from xgen_infra.health.access import UnreachableError, cluster
from xgen_infra.secrecy import redact
from xgen_infra.site import Site


def compare(site: Site, engine: Engine, kubeconfig: Path | None = None) -> Drift:
    """Compare one stack. Nothing is changed: no state, no resource, no object.

    What cannot be reached is `unseen`; no exception tells of it.
    """
    drift = Drift(site.stack)
    try:
        done = refresh(engine, site.stack)
    except (EngineError, OSError) as error:
        drift.unseen.append(Unseen(f"the stack {site.stack}", redact.text(str(error))))
        return drift
    drift.compared = sum(1 for urn in done.read if done.resources.get(urn, {}).get("custom"))
    drift.differences += done.differences
    drift.unseen += done.unseen
    if not done.resources:
        return drift
    state = list(done.resources.values())
    _inside(
        drift,
        "objects of the Helm releases",
        lambda api: inside.releases(drift, api, state),
        site,
        engine,
        kubeconfig,
    )
    if site.delivery == "argocd":
        _inside(drift, "Applications", lambda api: inside.applications(drift, api), site, engine, kubeconfig)
    return drift


def _inside(
    drift: Drift,
    what: str,
    look: Callable[[client.ApiClient], None],
    site: Site,
    engine: Engine,
    kubeconfig: Path | None,
) -> None:
    try:
        with cluster(site, kubeconfig, engine) as api:
            look(api)
    except UnreachableError as error:
        drift.unseen.append(Unseen(what, redact.text(str(error))))
