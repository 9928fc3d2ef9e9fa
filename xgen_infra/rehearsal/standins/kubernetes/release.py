"""`kubernetes:helm.sh/v3:Release`, by the real Helm."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from xgen_infra.rehearsal.standins import comparison, wire
from xgen_infra.rehearsal.standins.contract import (
    Delta,
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.kubernetes import charts
from xgen_infra.rehearsal.standins.kubernetes.api import UnreachableError
from xgen_infra.rehearsal.standins.kubernetes.charts import ChartError, Charts, Source
from xgen_infra.rehearsal.standins.kubernetes.cluster import Cluster, Clusters, Options
from xgen_infra.rehearsal.standins.kubernetes.facts import facts, status
from xgen_infra.rehearsal.standins.kubernetes.helm import NOT_FOUND, Helm, HelmError
from xgen_infra.rehearsal.standins.kubernetes.manifests import pruned
from xgen_infra.rehearsal.standins.kubernetes.values import merged, values_of
from xgen_infra.rehearsal.standins.kubernetes.words import INSTALL, SECONDS, UPGRADE, chart_words, flag_words

TOKEN = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type token
DIGEST_KEY = "__chart"
_IDENTITY = ("name", "namespace")
_COMPUTED = ("status", "resourceNames", DIGEST_KEY)
_BUSY = "another operation (install/upgrade/rollback) is in progress"


class Releases:
    """Helm releases on the clusters that the provider instances point at; `private` is its owner's alone."""

    def __init__(self, clusters: Clusters, program: Path, found: Charts, private: Path) -> None:
        self._clusters = clusters
        self._program = program
        self._charts = found
        self._private = private

    def resource_type(self) -> ResourceType:
        """Return the resource type."""
        return ResourceType(
            token=TOKEN,
            create=self.create,
            read=self.read,
            update=self.update,
            delete=self.delete,
            check=self.check,
            complete=self.complete,
            diff=self.diff,
            preview=self.preview,
            keeps_nulls=True,
        )

    def check(self, req: Request) -> list[Failure]:
        """Refuse a chart that is not there."""
        if wire.has_unknown(req.inputs):
            return []
        try:
            source = self._charts.source(req.inputs)
            if source.local:
                charts.metadata(source.local)
        except ChartError as error:
            return [Failure("chart", f"{error}; check the chart name and repository configuration")]
        return []

    def complete(self, req: Request) -> Props:
        """State the name, namespace and timeout, the values of all files, and the version of the chart."""
        inputs, cluster = req.inputs, self._clusters.of(req.config)
        found: Props = {"valueYamlFiles": None, "resourceNames": None, "checksum": None}
        if not inputs.get("name"):
            adopted = req.old_inputs.get("name")
            found["name"] = adopted or f"{req.name}-{secrets.token_hex(4)}"
        if not inputs.get("namespace"):
            found["namespace"] = cluster.namespace
        if not inputs.get("skipAwait") and "timeout" not in inputs:
            found["timeout"] = SECONDS
        if inputs.get("valueYamlFiles"):
            found["values"] = values_of(inputs)
        if not wire.has_unknown(inputs) and (version := self._version(inputs)):
            found["version"] = version
        return found

    def diff(self, req: Request, known: Props) -> Delta:
        """Compare with the release as it was seen last, so that somebody else's upgrade shows after a refresh."""
        seen = {key: value for key, value in known.items() if key not in _COMPUTED}
        old = pruned(seen, req.old_inputs) if known else req.old_inputs
        changes = wire.differences(old, req.inputs, strict=True)
        self._warn_of_files(req, known, changes)
        return Delta(changes, comparison.replacing(changes, _IDENTITY, old, req.inputs))

    def preview(self, req: Request, ident: str, known: Props) -> Props:
        """Show the inputs: what Helm makes of them is not known before."""
        del ident, known
        return req.inputs

    def create(self, req: Request) -> Made:
        """Install a release; a name that is in use is refused, as by `helm install`."""
        helm, source = self._helm(req), self._charts.source(req.inputs)
        name, namespace = req.inputs["name"], req.inputs["namespace"]
        words = ["install", name, *chart_words(req.inputs, source), *flag_words(req.inputs, INSTALL)]
        failure = self._run(helm, req, words, source)
        if failure and "cannot re-use a name" in failure:
            raise HelmError(
                f"{failure}: the release {namespace}/{name} was there before this resource. Import it "
                "(`pulumi import`, or the option `import_`), or uninstall it"
            )
        return self._made(helm, req, source, failure, before=0)

    def update(self, req: Request, ident: str, known: Props) -> Props:
        """Upgrade a release."""
        del ident
        helm, source = self._helm(req), self._charts.source(req.inputs)
        name, namespace = known.get("name") or req.inputs["name"], known.get("namespace", "default")
        live = helm.release(namespace, name)
        words = ["upgrade", name, *chart_words(req.inputs, source), *flag_words(req.inputs, UPGRADE)]
        if history := req.inputs.get("maxHistory"):
            words += ["--history-max", str(history)]
        failure = self._run(helm, req, words, source)
        if failure and _BUSY in failure:
            raise HelmError(
                f"{failure}: an earlier run was interrupted and left {namespace}/{name} "
                f"{status(live)}. `helm rollback` (or, of a first installation, `helm uninstall`) clears it"
            )
        return self._made(helm, req, source, failure, before=(live or {}).get("version", 0)).outputs

    def read(self, req: Request, ident: str, known: Props) -> Made | None:
        """Return a release as it stands, or None."""
        cluster, options = self._clusters.of(req.config), Options.of(req.config)
        if cluster.unreachable:
            req.say("warning", f"configured Kubernetes cluster is unreachable: {cluster.unreachable}")
            if options.delete_unreachable:
                return None
            if options.skip_update_unreachable:
                return Made(ident, known, req.inputs)
            raise UnreachableError("the state of the release cannot be read: the cluster is unreachable")
        namespace, _, name = ident.rpartition("/")
        live = self._helm(req).release(namespace or cluster.namespace, name)
        if live is None:
            return None
        if not req.inputs:
            inputs = self._imported(live)
            return Made(ident, {**inputs, **facts(live)}, inputs)
        simulated = self._charts.source(req.inputs).simulated
        outputs = {
            **known,
            **facts(live),
            "version": req.inputs.get("version") if simulated else live["chart"]["version"],
            "values": merged(req.inputs.get("values") or {}, live.get("config") or {}),
        }
        return Made(ident, outputs, req.inputs)

    def delete(self, req: Request, ident: str, known: Props) -> None:
        """Uninstall a release; one that is gone is fine."""
        namespace, _, name = ident.rpartition("/")
        words = ["uninstall", name, "--namespace", namespace]
        if known.get("atomic") or not known.get("skipAwait"):
            words += ["--wait", "--timeout", f"{known.get('timeout') or SECONDS}s"]
        try:
            self._helm(req).run(words, cancelled=req.cancelled)
        except HelmError as error:
            if NOT_FOUND not in str(error):
                raise

    def _helm(self, req: Request) -> Helm:
        _reachable(self._clusters.of(req.config))
        try:
            settings = json.loads(req.config.get("helmReleaseSettings") or "{}")
        except ValueError:
            settings = {}
        file = self._clusters.file(req.config)
        return Helm(self._program, file, self._private, str(settings.get("driver") or ""))

    def _run(self, helm: Helm, req: Request, words: list[str], source: Source) -> str | None:
        """Run Helm; returns what it refused with."""
        if source.simulated:
            req.notes["simulated"] = f"chart {req.inputs['chart']} {req.inputs.get('version', '')}".strip()
        repository = req.inputs.get("repositoryOpts") if not source.local else None
        values = values_of(req.inputs)
        try:
            helm.run(words, values=values, repository=repository, cancelled=req.cancelled)
        except HelmError as error:
            return str(error)
        return None

    def _made(self, helm: Helm, req: Request, source: Source, failure: str | None, before: int) -> Made:
        name, namespace = req.inputs["name"], req.inputs["namespace"]
        live = helm.release(namespace, name)
        if live is None or (failure and live["version"] <= before):
            raise HelmError(failure or f"release {namespace}/{name} is not there after its installation")
        digest = {DIGEST_KEY: charts.digest(source.local)} if source.local and not source.simulated else {}
        made = Made(f"{namespace}/{name}", {**req.inputs, **facts(live), **digest})
        if failure:
            reason = f"Helm release {made.id} was made, but did not become ready: {failure}"
            raise PartialCreateError(made, [reason])
        return made

    def _version(self, inputs: Props) -> str:
        """Return the version of the chart that a release would use; its own statement where that cannot be told."""
        try:
            source = self._charts.source(inputs)
            if source.local is None or source.simulated:
                return ""
            return str(charts.metadata(source.local)["version"])
        except ChartError:
            return ""

    def _warn_of_files(self, req: Request, known: Props, changes: Mapping[str, str]) -> None:
        """Say that a local chart's files changed and nothing will come of it.

        pulumi-kubernetes judges a local chart by its version alone (its pull request 2672).
        """
        if changes or not known.get(DIGEST_KEY) or wire.has_unknown(req.inputs):
            return
        source = self._charts.source(req.inputs)
        if source.local and charts.digest(source.local) != known[DIGEST_KEY]:
            req.say(
                "warning",
                f"the files of chart {req.inputs['chart']} changed but not its version: the release is not upgraded",
            )

    def _imported(self, live: Props) -> Props:
        chart = live["chart"]
        return {
            "name": live["name"],
            "namespace": live["namespace"],
            "chart": self._charts.named(chart["name"]),
            "version": chart["version"],
            "values": copy.deepcopy(live.get("config") or {}),
            "timeout": SECONDS,
        }


def _reachable(cluster: Cluster) -> None:
    if cluster.unreachable:
        raise UnreachableError(f"configured Kubernetes cluster is unreachable: {cluster.unreachable}")
