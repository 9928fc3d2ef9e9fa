"""The Helm program: what a release asks of it, without a secret among its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import yaml

from xgen_infra.rehearsal.standins.contract import Props

NOT_FOUND = "release: not found"
_INTERVAL = 0.1
_ENDING = 20.0


class HelmError(Exception):
    """Helm refused; the message is its own."""


@dataclass(frozen=True)
class Helm:
    """Helm, acting on one cluster: `kubeconfig` is a file; `private` a folder that only its owner can read."""

    program: Path
    kubeconfig: Path
    private: Path
    driver: str = ""

    def release(self, namespace: str, name: str) -> Props | None:
        """Return a release as Helm knows it, or None.

        {"name", "namespace", "version" (the revision), "info", "config" (its values), "manifest",
        "chart": {"name", "version", "appVersion"}}
        """
        where = ["--namespace", namespace, "--output", "json"]
        try:
            found: Props = json.loads(self.run(["status", name, *where]))
            found["chart"] = _chart(json.loads(self.run(["get", "metadata", name, *where])))
        except HelmError as error:
            if NOT_FOUND in str(error):
                return None
            raise
        return found

    def run(
        self,
        words: Sequence[str],
        *,
        values: Mapping[str, Any] | None = None,
        repository: Mapping[str, Any] | None = None,
        cancelled: Event | None = None,
    ) -> str:
        """Run Helm and return what it prints; raises HelmError.

        Values go through a file that only its owner can read and that is gone afterwards. `repository` holds
        "repo", "username" and "password" where the chart's needs them. `cancelled` interrupts: Helm then marks
        the release as failed.
        """
        with ExitStack() as kept:
            flags = ["--kubeconfig", str(self.kubeconfig)]
            if values is not None:
                flags += ["--values", self._values(values, kept)]
            if repository and repository.get("password"):
                home = Path(kept.enter_context(tempfile.TemporaryDirectory(dir=self.private)))
                flags += self._log_in(repository, home)
            return self._run([*words, *flags], cancelled=cancelled)

    def _values(self, values: Mapping[str, Any], kept: ExitStack) -> str:
        place = kept.enter_context(tempfile.TemporaryDirectory(dir=self.private, prefix="values-"))
        file = Path(place) / "values.yaml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(dict(values)))
        return str(file)

    def _log_in(self, repository: Mapping[str, Any], home: Path) -> list[str]:
        """Tell Helm a repository's password by standard input; returns the flags that name where it keeps it."""
        url, user = str(repository.get("repo") or ""), str(repository.get("username") or "")
        registry = ["--registry-config", str(home / "registry.json")]
        listed = ["--repository-config", str(home / "repositories.yaml"), "--repository-cache", str(home)]
        if url.startswith("oci://"):
            words = ["registry", "login", url.removeprefix("oci://").split("/")[0], *registry]
        else:
            words = ["repo", "add", REPOSITORY, url, *listed]
        self._run([*words, "--username", user, "--password-stdin"], given=str(repository["password"]))
        return [*registry, *listed]

    def _run(self, words: Sequence[str], *, given: str = "", cancelled: Event | None = None) -> str:
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        homes = {f"HELM_{kind}_HOME": str(self.private / f"helm-{kind.lower()}") for kind in _HOMES}
        driver = {"HELM_DRIVER": self.driver} if self.driver else {}
        with (
            tempfile.TemporaryFile(dir=self.private) as out,
            tempfile.TemporaryFile(dir=self.private) as errors,
            subprocess.Popen(
                [str(self.program), *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=errors,
                env={**environment, **homes, **driver},
            ) as process,
        ):
            if process.stdin:
                process.stdin.write(given.encode())
                process.stdin.close()
            status = _ended(process, cancelled)
            for stream in (out, errors):
                stream.seek(0)
            if status:
                raise HelmError(_said(errors.read().decode(errors="replace")) or f"helm ended with {status}")
            return out.read().decode()


_HOMES = ("CACHE", "CONFIG", "DATA")
REPOSITORY = "chart-repository"
"""The name under which a repository with a password is known to Helm."""


def _ended(process: subprocess.Popen[bytes], cancelled: Event | None) -> int:
    while process.poll() is None:
        if cancelled and cancelled.is_set():
            process.terminate()
            try:
                process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
        else:
            time.sleep(_INTERVAL if cancelled else _INTERVAL / 4)
    return int(process.returncode)


def _chart(metadata: Props) -> Props:
    return {
        "name": metadata["chart"],
        "version": metadata["version"],
        "appVersion": metadata.get("appVersion") or "",
    }


def _said(text: str) -> str:
    """Return Helm's error without its warnings."""
    lines = [
        line for line in text.strip().splitlines() if not line.startswith(("WARNING", "W0", "W1", "I0", "I1"))
    ]
    return "\n".join(lines).removeprefix("Error: ")
