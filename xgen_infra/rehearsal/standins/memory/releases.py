"""Helm releases in memory: charts are rendered by the real Helm, and nothing is sent to a cluster.

A chart of the project that does not render is refused. One from a repository is not rendered: the repository is on
the network, so the release is recorded with its values and owns no object.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import yaml

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.contract import Props, Request
from xgen_infra.rehearsal.standins.kubernetes import charts
from xgen_infra.rehearsal.standins.kubernetes.charts import Charts, Source
from xgen_infra.rehearsal.standins.kubernetes.helm import NOT_FOUND, Helm, HelmError
from xgen_infra.rehearsal.standins.kubernetes.kinds import CLUSTER_WIDE
from xgen_infra.rehearsal.standins.kubernetes.release import Releases
from xgen_infra.rehearsal.standins.kubernetes.values import values_of
from xgen_infra.rehearsal.standins.memory.cluster import Key, MemoryCluster, Release, key_of
from xgen_infra.rehearsal.standins.memory.clusters import MemoryClusters

_RENDERED: dict[str, str] = {}
_RENDERING = threading.Lock()


class MemoryCharts(Charts):
    """Charts of the project's folder; those of repositories are simulated."""

    def source(self, inputs: Mapping[str, Any]) -> Source:
        """Return where a release's chart is; raises ChartError for a local one that is not there."""
        found = super().source(inputs)
        return found if found.local else Source(found.reference, None, simulated=True)


class MemoryReleases(Releases):
    """Releases on clusters in memory."""

    def __init__(self, clusters: MemoryClusters, program: Path, project: Path, private: Path) -> None:
        super().__init__(clusters, program, MemoryCharts(project), private)
        self._memory = clusters

    def preview(self, req: Request, ident: str, known: Props) -> Props:
        """Show the inputs; refuse a chart of the project that does not render with values that are all known."""
        source = self._charts.source(req.inputs)
        if source.local and not wire.has_unknown(req.inputs):
            self._helm(req).rendered(
                req.inputs["name"], req.inputs["namespace"], source.local, values_of(req.inputs)
            )
        return super().preview(req, ident, known)

    def _helm(self, req: Request) -> MemoryHelm:
        cluster = self._memory.cluster(req.config)
        return MemoryHelm(self._program, Path(), self._private, cluster=cluster)


@dataclass(frozen=True)
class MemoryHelm(Helm):
    """Helm on a cluster in memory: it understands the words that a release is asked with."""

    cluster: MemoryCluster = field(default_factory=MemoryCluster)

    def release(self, namespace: str, name: str) -> Props | None:
        """Return a release as Helm knows it, or None."""
        found = self.cluster.releases.get((namespace, name))
        return json.loads(json.dumps(found.facts)) if found else None

    def run(
        self,
        words: Sequence[str],
        *,
        values: Mapping[str, Any] | None = None,
        repository: Mapping[str, Any] | None = None,
        cancelled: Event | None = None,
    ) -> str:
        """Install, upgrade or uninstall; raises HelmError in Helm's words."""
        del repository, cancelled
        verb, name = words[0], words[1]
        namespace = _flag(words, "--namespace") or "default"
        there = self.cluster.releases.get((namespace, name))
        if verb == "uninstall":
            if there is None:
                raise HelmError(f"uninstall: Release not loaded: {name}: {NOT_FOUND}")
            with self.cluster.lock:
                self._drop(there.owned)
                del self.cluster.releases[(namespace, name)]
            return ""
        if verb == "install" and there is not None:
            raise HelmError("INSTALLATION FAILED: cannot re-use a name that is still in use")
        if verb == "upgrade" and there is None:
            raise HelmError(f'UPGRADE FAILED: "{name}" has no deployed releases')
        self._install(words, namespace, there, dict(values or {}))
        return ""

    def rendered(self, name: str, namespace: str, chart: Path, values: Mapping[str, Any]) -> str:
        """Return the manifests of a chart of the project; raises HelmError where it does not render."""
        text = json.dumps(values, sort_keys=True)
        which = "\0".join((str(self.program), charts.digest(chart), name, namespace, text))
        if which not in _RENDERED:
            with ExitStack() as kept:
                file = self._values(values, kept)
                asked = ["template", name, str(chart), "--namespace", namespace, "--include-crds"]
                made = self._run([*asked, "--values", file])
            with _RENDERING:
                _RENDERED[which] = made
        return _RENDERED[which]

    def _install(self, words: Sequence[str], namespace: str, there: Release | None, values: Props) -> None:
        name, chart = words[1], Path(words[2])
        if "--create-namespace" in words:
            self.cluster.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        if Key("", "Namespace", "", namespace) not in self.cluster.objects:
            raise HelmError(
                f'INSTALLATION FAILED: create: failed to create: namespaces "{namespace}" not found'
            )
        metadata: Props = {"name": words[2], "version": _flag(words, "--version") or "0.0.0"}
        manifest = ""
        if chart.is_absolute():
            metadata = charts.metadata(chart)
            manifest = self.rendered(name, namespace, chart, values)
        with self.cluster.lock:
            owned = self._put(name, namespace, manifest, there)
            if there:
                self._drop([key for key in there.owned if key not in owned])
            facts = {
                "name": name,
                "namespace": namespace,
                "version": int(there.facts["version"]) + 1 if there else 1,
                "info": {"status": "deployed"},
                "config": values,
                "manifest": manifest,
                "chart": {
                    "name": metadata["name"],
                    "version": metadata["version"],
                    "appVersion": metadata.get("appVersion") or "",
                },
            }
            self.cluster.releases[(namespace, name)] = Release(facts, owned)

    def _put(self, name: str, namespace: str, manifest: str, there: Release | None) -> list[Key]:
        owned = []
        mine = set(there.owned) if there else set()
        for document in yaml.load_all(manifest, Loader=yaml.CSafeLoader):
            if not document:
                continue
            if document["kind"] not in CLUSTER_WIDE:
                document["metadata"].setdefault("namespace", namespace)
            key = key_of(document)
            if key not in mine and key in self.cluster.objects:
                raise HelmError(
                    f'Unable to continue with install: {key.kind} "{key.name}" in namespace "{key.namespace}" exists '
                    f'and cannot be imported into the current release: it is not of release "{name}"'
                )
            owned.append(key)
            self.cluster.put(document, "helm")
        return owned

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            if key in self.cluster.objects:
                self.cluster.delete(key)


def _flag(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""
