"""A build agent: Git repositories, a Docker that records, and pipelines run by the Groovy that Jenkins uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from vendor.folder import ROOT, SERVICES, environment

from xgen_infra.rehearsal.go import cache_dir

from .world import AWW, PUSHERS, World

HERE = Path(__file__).parent
GIT_LOGINS = {
    "xgen-infra-git": ("promoter", "git+infra/secret"),
    "xgen-services-git": ("reader", "git+services/secret"),
}
SECRETS = [password for _, password in (*PUSHERS.values(), *GIT_LOGINS.values())]
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
SOMEONE = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Someone"), ("EMAIL", "someone@example.com"))
}


def git(folder: Path, *words: str) -> str:
    env = environment(**NOBODY, **SOMEONE)
    return subprocess.run(
        ["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


@cache
def groovy() -> Path:
    """Return the jar of Jenkins' Groovy, fetched once by Maven."""
    folder = cache_dir() / "groovy"
    if not list(folder.glob("groovy-all-*.jar")):
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        command = ["mvn", "--quiet", "--batch-mode", f"--file={HERE / 'jenkins' / 'pom.xml'}", *goal]
        subprocess.run(command, check=True, timeout=300)
    (jar,) = folder.glob("groovy-all-*.jar")
    return jar


@dataclass(frozen=True)
class Outcome:
    """What a build came to: its result, the steps it took, its log, and Docker's calls."""

    result: str
    description: str
    error: str
    events: list[dict[str, Any]]
    log: str
    docker: list[dict[str, Any]]

    def steps(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["step"] == name]

    def pushed(self) -> list[str]:
        return [call["argv"][1] for call in self.docker if call["argv"][0] == "push"]

    def credentials(self) -> set[str]:
        """The credentials that were bound, Git's own apart."""
        bound = {event["credential"] for event in self.steps("withCredentials")}
        return bound - set(GIT_LOGINS)

    def choices(self, name: str) -> list[str]:
        (properties,) = self.steps("properties")
        (parameters,) = (one["parameters"] for one in properties["properties"] if one["kind"] == "parameters")
        return next(list(one["choices"]) for one in parameters if one["name"] == name)


@dataclass
class Agent:
    """Jenkins' side of a world: `infra` is this repository's remote, `services` the folder of the services' remotes."""

    world: World
    root: Path
    infra: Path = field(init=False)
    services: Path = field(init=False)
    builds: int = 0

    def __post_init__(self) -> None:
        self.infra, self.services = self.root / "infra.git", self.root / "services"
        work = self.root / "work"
        work.mkdir(parents=True)
        for name in ("xgen_infra", "ci", "requirements"):
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in self.world.folder.glob("Pulumi*.yaml"):
            shutil.copy(file, work)
        self._publish(work, self.infra, ["main"])
        branches = [file.name.split(".")[1] for file in sorted(work.glob("Pulumi.*.yaml"))]
        for service in SERVICES:
            source = self.root / f"{service}-work"
            source.mkdir()
            (source / "Dockerfile").write_text(f"FROM scratch\nLABEL service={service}\n")
            self._publish(source, self.services / f"{service}.git", branches)
        self.bin = self.root / "bin"
        self.bin.mkdir()
        docker = self.bin / "docker"
        docker.write_text(
            f'#!/bin/sh\nPYTHONPATH="{HERE.parent}" exec "{sys.executable}" -m vendor_slow.fake_docker "$@"\n'
        )
        docker.chmod(0o755)

    @staticmethod
    def _publish(work: Path, remote: Path, branches: list[str]) -> None:
        git(work, "init", "--quiet", "--initial-branch=main")
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "-m", "Beginning")
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
        for branch in dict.fromkeys(["main", *branches]):
            git(work, "push", "--quiet", str(remote), f"main:{branch}")

    def remove(self, remote: Path, branch: str, path: str) -> str:
        """Take a file, where there is one, off a remote branch; return the commit."""
        return self.commit(remote, branch, path, None)

    def commit(self, remote: Path, branch: str, path: str, text: str | None) -> str:
        """Change a file on a remote branch, or remove it; return the commit."""
        clone = self.root / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.root, "clone", "--quiet", f"--branch={branch}", str(remote), str(clone))
        if text is None:
            (clone / path).unlink(missing_ok=True)
        else:
            (clone / path).write_text(text)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--allow-empty", "-m", f"Change {path}")
        git(clone, "push", "--quiet")
        return git(clone, "rev-parse", "HEAD")

    def pins(self, site: str) -> dict[str, str]:
        """What the site's file on the remote's main branch pins."""
        text = git(self.infra, "show", f"main:Pulumi.{site}.yaml")
        services = yaml.safe_load(text)["config"]["xgen-infra:site"].get("services", {})
        return {name: one["image"]["digest"] for name, one in services.items() if "image" in one}

    def run(
        self,
        script: str,
        params: Mapping[str, str] | None = None,
        hook: tuple[str, str] | None = None,
        *,
        failing: str = "",
        meanwhile: str = "",
        **env: str,
    ) -> Outcome:
        """Run a pipeline of ci/jenkins. `hook` is (project path, branch) of a push; `failing` a word of images whose
        push fails; `meanwhile` a shell script that runs during the build of an image.
        """
        self.builds += 1
        root = self.root / f"build-{self.builds}"
        root.mkdir()
        (root / "failing").write_text(failing)
        if meanwhile:
            (root / "meanwhile").write_text(f"#!/bin/sh -e\n{meanwhile}\n")
            (root / "meanwhile").chmod(0o755)
        pushed = {}
        if hook:
            pushed = {
                "HOOK_KIND": "push",
                "HOOK_PROJECT": hook[0],
                "HOOK_REF": f"refs/heads/{hook[1]}",
                "HOOK_COMMIT": "0" * 39 + "1",
            }
        scenario = {
            "script": str(ROOT / "ci" / "jenkins" / script),
            "root": str(root),
            "scm": {"url": str(self.infra), "branch": "main", "credentialsId": "xgen-infra-git"},
            "params": dict(params or {}),
            "env": {"XGEN_SERVICES_URL": str(self.services), **pushed, **env},
            "machine": self._machine(root),
            "credentials": {
                name: {"username": user, "password": password}
                for name, (user, password) in (*PUSHERS.items(), *GIT_LOGINS.items())
            },
        }
        (root / "scenario.json").write_text(json.dumps(scenario))
        subprocess.run(self._java(root), check=True, timeout=400, env=environment())
        outcome = json.loads((root / "outcome.json").read_text())
        calls = root / "calls.jsonl"
        return Outcome(
            outcome["result"],
            outcome["description"] or "",
            outcome["error"] or "",
            outcome["events"],
            (root / "log.txt").read_text(),
            [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else [],
        )

    def _java(self, root: Path) -> list[str]:
        opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("lang", "util")]
        runner = ["groovy.ui.GroovyMain", str(HERE / "jenkins" / "Runner.groovy")]
        return [
            "java",
            *opens,
            "-cp",
            str(groovy()),
            *runner,
            str(root / "scenario.json"),
            str(root / "outcome.json"),
        ]

    def _machine(self, root: Path) -> dict[str, str]:
        """Return the environment of every process on the agent."""
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            **NOBODY,
            **{name: value for name, value in self.world.env().items() if name != "DOCKER_CONFIG"},
            "NO_PROXY": "localhost,127.0.0.1",
            "XGEN_PYTHON": sys.executable,
            "FAKE_DOCKER": str(root),
            "FAKE_DOCKER_CRANE": str(self.world.crane),
            "FAKE_DOCKER_INSECURE": AWW,
        }
