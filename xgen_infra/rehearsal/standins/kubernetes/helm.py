"""`kubernetes:helm.sh/v3:Release`, by the real Helm."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xgen_infra.rehearsal.standins.contract import (
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.kubernetes.api import Clusters

TOKEN = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type token
SUBSTITUTES = "XGEN_CHART_SUBSTITUTES"
"""Names a JSON file {"<repository>|<chart>|<version>": "<folder>"}: charts in place of unreachable ones."""
_SECONDS = 300
_PENDING = {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}


class HelmError(Exception):
    """Helm refused; the message is its own."""


class Releases:
    """Helm releases on the clusters that the provider instances point at."""

    def __init__(self, clusters: Clusters, helm: Path, project: Path, folder: Path) -> None:
        self._clusters = clusters
        self._helm = helm
        self._project = project
        self._folder = folder
        listed = os.environ.get(SUBSTITUTES)
        self._substitutes: dict[str, str] = json.loads(Path(listed).read_text()) if listed else {}

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
            replace_on=frozenset({"name", "namespace"}),
            delete_before_replace=True,
        )

    def check(self, req: Request) -> list[Failure]:
        """Refuse a local chart that is not there."""
        chart = req.inputs.get("chart")
        if not chart:
            return [Failure("chart", "a release needs a chart")]
        if str(chart).startswith((".", "/")) and not (self._project / chart / "Chart.yaml").is_file():
            return [Failure("chart", f"no Chart.yaml in {chart}")]
        return []

    def complete(self, req: Request) -> Props:
        """Add the checksum of a local chart, so that a change of its files upgrades the release."""
        chart = str(req.inputs.get("chart", ""))
        if not chart.startswith((".", "/")):
            return {}
        digest = hashlib.sha256()
        for file in sorted((self._project / chart).rglob("*")):
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return {"checksum": digest.hexdigest()}

    def create(self, req: Request) -> Made:
        """Install a release, or take over the one of that name."""
        return self._upgrade(req)

    def update(self, req: Request, ident: str, olds: Props) -> Props:
        """Upgrade a release."""
        del ident, olds
        return self._upgrade(req).outputs

    def read(self, req: Request, ident: str, known: Props) -> Made | None:
        """Return a release as Helm knows it, with the values it was given."""
        namespace, _, name = ident.rpartition("/")
        status = self._status(req, namespace, name)
        if status is None:
            return None
        listed = self._run(req, ["get", "values", name, "--namespace", namespace, "--output", "json"])
        values = json.loads(listed) or {}
        return Made(ident, {**known, **req.inputs, "values": values, "status": status})

    def delete(self, req: Request, ident: str, known: Props) -> None:
        """Uninstall a release."""
        del known
        namespace, _, name = ident.rpartition("/")
        command = ["uninstall", name, "--namespace", namespace, "--ignore-not-found", "--wait"]
        self._run(req, [*command, "--timeout", f"{_timeout(req)}s"])

    def _upgrade(self, req: Request) -> Made:
        name = req.inputs.get("name") or req.name
        namespace = req.inputs.get("namespace") or req.config.get("namespace") or "default"
        self._recover(req, namespace, name)
        command = ["upgrade", "--install", name, *self._chart(req), "--namespace", namespace]
        command += ["--timeout", f"{_timeout(req)}s", "--history-max", "10"]
        command += [] if req.inputs.get("skipAwait") else ["--wait"]
        command += [f"--{flag}" for flag, key in _FLAGS.items() if req.inputs.get(key)]
        failure = None
        try:
            self._run(req, command, values=req.inputs.get("values") or {})
        except HelmError as error:
            failure = error
        status = self._status(req, namespace, name)
        if status is None:
            raise failure or HelmError(f"release {namespace}/{name} is not there after its installation")
        made = Made(
            f"{namespace}/{name}", {**req.inputs, "name": name, "namespace": namespace, "status": status}
        )
        if failure:
            raise PartialCreateError(made, [str(failure)])
        return made

    def _recover(self, req: Request, namespace: str, name: str) -> None:
        """Bring a release that an interrupted run left pending back to where Helm takes an upgrade."""
        status = self._status(req, namespace, name)
        if status is None or status["status"] not in _PENDING:
            return
        if status["revision"] == 1:
            self._run(req, ["uninstall", name, "--namespace", namespace, "--wait"])
        else:
            self._run(req, ["rollback", name, "--namespace", namespace, "--cleanup-on-fail"])

    def _chart(self, req: Request) -> list[str]:
        chart, version = str(req.inputs["chart"]), str(req.inputs.get("version") or "")
        if chart.startswith((".", "/")):
            return [str((self._project / chart).resolve())]
        repository = str((req.inputs.get("repositoryOpts") or {}).get("repo") or "")
        substitute = self._substitutes.get(f"{repository}|{chart}|{version}")
        if substitute:
            return [substitute]
        source = ["--repo", repository] if repository else []
        return [chart, *source, *(["--version", version] if version else [])]

    def _status(self, req: Request, namespace: str, name: str) -> Props | None:
        try:
            text = self._run(req, ["status", name, "--namespace", namespace, "--output", "json"])
        except HelmError as error:
            if "not found" in str(error):
                return None
            raise
        release = json.loads(text)
        metadata = (release.get("chart") or {}).get("metadata") or {}
        return {
            "name": release["name"],
            "namespace": release["namespace"],
            "revision": release["version"],
            "status": release["info"]["status"],
            "chart": metadata.get("name", req.inputs.get("chart", "")),
            "version": metadata.get("version", req.inputs.get("version", "")),
        }

    def _run(self, req: Request, command: list[str], values: Mapping[str, Any] | None = None) -> str:
        file, context = self._clusters.file(req.config)
        flags = ["--kubeconfig", str(file), *(["--kube-context", context] if context else [])]
        environment = {
            **os.environ,
            "HELM_CACHE_HOME": str(self._folder),
            "HELM_DATA_HOME": str(self._folder),
        }
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=self._folder) as given:
            if values is not None:
                yaml.safe_dump(dict(values), given)
                given.flush()
                flags += ["--values", given.name]
            done = subprocess.run(
                [str(self._helm), *command, *flags],
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
        if done.returncode != 0:
            raise HelmError(done.stderr.strip().removeprefix("Error: "))
        return done.stdout


_FLAGS = {
    "create-namespace": "createNamespace",
    "atomic": "atomic",
    "cleanup-on-fail": "cleanupOnFail",
    "wait-for-jobs": "waitForJobs",
    "skip-crds": "skipCrds",
}


def _timeout(req: Request) -> int:
    return int(req.inputs.get("timeout") or _SECONDS)
