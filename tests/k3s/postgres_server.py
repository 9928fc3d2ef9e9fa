"""The in-cluster PostgreSQL on this machine: the pod's own commands, files and environment, over real binaries."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from xgen_infra.k3s import backup, postgres
from xgen_infra.k3s.manifests import stateful_set
from xgen_infra.k3s.workload import CONFIG_MOUNT, Mirror, Workload
from xgen_infra.site.parts import Postgres

NOBODY = 65534
"""PostgreSQL refuses to run as root."""


@dataclass(frozen=True)
class Pod:
    """One pod's life: `home` stands for its file systems, `binaries` for the image."""

    home: Path
    binaries: Path
    port: int
    infra: Postgres

    @property
    def workload(self) -> Workload:
        return postgres.workload(self.infra, pulumi.Output.secret(""), size="1Gi", mirror=Mirror())

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = stateful_set(self.workload, "any", 1)["spec"]["template"]["spec"]
        return spec

    def mount(self) -> None:
        """Lay out what the pod finds mounted."""
        for folder in ("data", "run", "work", "config", "tmp"):
            self._own(self.home / folder)
        for files in (self.workload.config, backup.scripts()):
            for name, text in files.items():
                (self.home / "config" / name).write_text(text)

    def _own(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)

    def here(self, text: str) -> str:
        """Translate a path of the container to this machine."""
        return text.replace(CONFIG_MOUNT, str(self.home / "config")).replace("/data", str(self.home / "data"))

    def environment(self, container: Mapping[str, Any], secret: str) -> dict[str, str]:
        """Return a container's environment; `secret` stands for every value that comes from a Secret."""
        given = {
            entry["name"]: self.here(entry["value"]) if "value" in entry else secret
            for entry in container["env"]
        }
        path = f"{self.binaries}:{os.environ['PATH']}"
        return {"PATH": path, "TMPDIR": str(self.home / "tmp"), "LC_ALL": "C.UTF-8", **given}

    def run(
        self, command: list[str], env: Mapping[str, str], **more: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=dict(env), capture_output=True, text=True, check=False, **self.identity, **more
        )

    @property
    def identity(self) -> dict[str, Any]:
        root = os.geteuid() == 0
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}

    def prepare(self, password: str) -> subprocess.CompletedProcess[str]:
        """Run the init container."""
        init = self.spec["initContainers"][0]
        return self.run([self.here(part) for part in init["command"]], self.environment(init, password))

    def start(self) -> subprocess.Popen[str]:
        """Start the server and wait until its readiness probe passes."""
        main = self.spec["containers"][0]
        words = [self.here(part) for part in (*main["command"], *main["args"])]
        words[0] = str(self.binaries / words[0])
        local = ["--listen_addresses=127.0.0.1", f"--port={self.port}", "--shared_buffers=16MB"]
        local.append(f"--unix_socket_directories={self.home / 'run'}")
        env = self.environment(main, "")
        server = subprocess.Popen(
            [*words, *local], env=env, text=True, stderr=(self.home / "log").open("a"), **self.identity
        )
        probe = [*main["readinessProbe"]["exec"]["command"], f"--port={self.port}"]
        for _ in range(150):
            if self.run(probe, env).returncode == 0:
                return server
            time.sleep(0.1)
        server.kill()
        raise AssertionError((self.home / "log").read_text())

    def sql(
        self, statement: str, password: str, *, database: str = "", user: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a statement as a service would: over TCP, with the password."""
        env = {
            "PATH": os.environ["PATH"],
            "PGPASSWORD": password,
            "PGCONNECT_TIMEOUT": "5",
            "LC_ALL": "C.UTF-8",
        }
        return self.run(
            [
                str(self.binaries / "psql"),
                "--no-psqlrc",
                "--no-password",
                "--tuples-only",
                "--no-align",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--host=127.0.0.1",
                f"--port={self.port}",
                f"--dbname={database or self.infra.database}",
                f"--username={user or self.infra.user}",
                f"--command={statement}",
            ],
            env,
        )

    def as_superuser(self, statements: str, database: str) -> subprocess.CompletedProcess[str]:
        """Run statements as `kubectl exec -i postgres-0 -- psql -U postgres -v ON_ERROR_STOP=1` would."""
        psql = [str(self.binaries / "psql"), "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--username=postgres"]
        place = [f"--host={self.home / 'run'}", f"--port={self.port}", f"--dbname={database}"]
        return self.run([*psql, *place], {"PATH": os.environ["PATH"]}, input=statements)

    def backup_container(
        self, job: Mapping[str, Any], name: str, password: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a container of one of the CronJobs against this server."""
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        found = next(each for each in (*pod["initContainers"], *pod["containers"]) if each["name"] == name)
        env = self.environment(found, password)
        env |= {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "WORK": str(self.home / "work")}
        return self.run([self.here(part) for part in found["command"]], env)


def stop(server: subprocess.Popen[str]) -> None:
    """End a server as the kubelet does: by the image's stop signal, SIGINT."""
    server.send_signal(2)
    server.wait(timeout=30)


def binaries(package: Path, install: str, home: Path) -> Path:
    """Return the folder of PostgreSQL's programs, where an unprivileged user can reach it.

    They find their libraries beside the package: both are laid out anew below `home`.
    """
    if os.geteuid() != 0:
        return package / install / "bin"
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, home / libraries.name)
    shutil.copytree(package / install, home / package.name / install, symlinks=True)
    return home / package.name / install / "bin"
