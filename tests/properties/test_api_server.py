"""Whatever a valid file says, the API server takes what is made of it: a real one's dry run, fields checked strictly.

Of each file, what Helm renders of the six services, and what the program registers of Kubernetes' kinds and Argo CD's.
How many files are tried: XGEN_FILES (FILES where it is not set).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from standins.definitions import define_argo_cd

from xgen_infra import catalog
from xgen_infra.explain.chart import Chart
from xgen_infra.explain.inputs import Inputs
from xgen_infra.explain.stack import Resources
from xgen_infra.rehearsal.control_plane import plane as control_plane
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.processes import Supervisor
from xgen_infra.rehearsal.tools import ensure

from .sites import inputs, site_of

pytestmark = pytest.mark.e2e
FILES = 8
KINDS = {"Application", "AppProject", "Deployment", "Namespace", "Secret", "StatefulSet"}
"""Kinds that are among what is judged, whichever files are tried."""


class Judge:
    """Asks the API server what it would say of an object."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._kinds: dict[str, dict[str, Any]] = {}
        self._namespaces: set[str] = set()

    def refuses(self, item: dict[str, Any], namespace: str) -> str:
        """Return why an object is refused; empty where it is taken."""
        kind = self.kind(item)
        place = item["metadata"].get("namespace", namespace)
        where = self._in(place) if kind["namespaced"] else ""
        path = f"{_root(item['apiVersion'])}{where}/{kind['name']}?dryRun=All&fieldValidation=Strict"
        try:
            self.api.create(path, item)
        except httpx.HTTPStatusError as error:
            exists = error.response.status_code == httpx.codes.CONFLICT
            return (
                ""
                if exists
                else f"{item['kind']} {item['metadata'].get('name')}: {error.response.json()['message']}"
            )
        return ""

    def kind(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return what the server knows of an object's kind; raises KeyError for one that it does not know."""
        version = item["apiVersion"]
        if version not in self._kinds:
            listed = self.api.get(_root(version))["resources"]
            self._kinds[version] = {one["kind"]: one for one in listed if "/" not in one["name"]}
        found: dict[str, Any] = self._kinds[version][item["kind"]]
        return found

    def _in(self, namespace: str) -> str:
        if namespace not in self._namespaces:
            self._namespaces.add(namespace)
            try:
                self.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            except httpx.HTTPStatusError as error:
                if error.response.status_code != httpx.codes.CONFLICT:
                    raise
        return f"/namespaces/{namespace}"


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    root = tmp_path_factory.mktemp("plane")
    with Supervisor(root) as supervisor:
        binaries = ensure(control_plane.TOOLS, print)
        plane = control_plane.start(supervisor, root, binaries, [], metrics=False)
        api = Api(plane.kubeconfig)
        define_argo_cd(api)
        yield Judge(api)
        api.close()
        supervisor.check()


def test_the_api_server_takes_what_is_made_of_any_valid_file(judge: Judge, helm: Path) -> None:
    judged: Counter[str] = Counter()
    tried = int(os.environ.get("XGEN_FILES", FILES))

    @settings(
        max_examples=tried,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(inputs(10))
    def taken(made: Inputs) -> None:
        objects = [*rendered(made, helm), *registered(made)]
        judged.update(one["kind"] for one in objects)
        refused = [said for one in objects if (said := judge.refuses(one, site_of(made).namespace))]
        assert refused == [], made.raw

    taken()
    print(f"{tried} files, {judged.total()} objects: {judged}")
    assert judged.total() > tried * 20
    assert set(judged) >= KINDS


def registered(made: Inputs) -> Iterator[dict[str, Any]]:
    """Return the objects that the program makes by itself: all that have a kind, Helm's releases apart."""
    for one, item in Resources.of(site_of(made)).inputs.items():
        if one.type.startswith("kubernetes:") and isinstance(item.get("apiVersion"), str):
            yield {**item, "metadata": {"name": one.name, **item["metadata"]}}


def rendered(made: Inputs, helm: Path) -> list[dict[str, Any]]:
    values = [made.values(name) for name in catalog.NAMES]
    batch = [one for one in values if one]
    assert len(batch) == len(catalog.NAMES)
    found = Chart(helm, site_of(made).namespace).render(batch)
    return [one for objects in found for one in objects.values()]
