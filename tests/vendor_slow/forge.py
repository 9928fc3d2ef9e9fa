"""A GitLab project on this machine: this repository's pipelines over customers of a test, run by gitlab-ci-local.

gitlab-ci-local ends with status 0 though a child pipeline failed, and passes over what it does not know: a test
looks at each job's own verdict, and at what was really called.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from vendor.folder import ROOT, eks, environment, k3s, nexus, write

from xgen_infra.cli import VERBS
from xgen_infra.rehearsal.go import cache_dir

from .agent import NOBODY, git

HERE = Path(__file__).parent
PLAYED = ("wait", *(verb for verb in ("preview", "drift") if verb not in VERBS))
"""Verbs that a stand-in always plays: what needs a customer's cluster, and what is not there yet."""
SLOW = ("preview", "drift")
"""Verbs that a stand-in plays unless a test asks for the real ones."""
SETTINGS = ".gitlab-ci-local-variables.yml"
_VERDICT = re.compile(
    r"^ (PASS|FAIL|WARN) {1,2}(?:\[[^\]]+\] -> )?(\S.*?)(?: +(?:pre_script|after_script))? *$", re.MULTILINE
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@cache
def gitlab_ci_local() -> Path:
    """Return the command, installed once for each lock file."""
    lock = HERE / "gitlab" / "package-lock.json"
    home = cache_dir() / f"gitlab-ci-local-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    command = home / "node_modules" / ".bin" / "gitlab-ci-local"
    if not command.exists():
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "gitlab" / name, home)
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True, timeout=300
        )
    return command


@dataclass(frozen=True)
class Run:
    """A pipeline that ran: the verdict of each job, what the stand-ins were called with, and all that was printed."""

    verdicts: dict[str, str]
    calls: list[dict[str, Any]]
    output: str

    def named(self, verdict: str) -> set[str]:
        return {job for job, one in self.verdicts.items() if one == verdict}

    def called(self, program: str) -> list[str]:
        """Return for which sites a program was called, in order."""
        return [call["env"].get("SITE", "") for call in self.calls if call["program"] == program]


@dataclass
class Forge:
    """A clone with its remote, and the folder of stand-ins that its jobs find first."""

    root: Path
    real: tuple[str, ...] = ()
    work: Path = field(init=False)
    variables: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    def __post_init__(self) -> None:
        self.work = self.root / "work"
        self.work.mkdir(parents=True)
        for name in ("xgen_infra", "ci", "requirements", "charts", "tools", "policy"):
            shutil.copytree(ROOT / name, self.work / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in (".gitlab-ci.yml", ".gitignore", "__main__.py"):
            shutil.copy(ROOT / name, self.work)
        cloud = eks(7, registry=nexus("nexus.cloud.example:5000", credentialId="cloud-credentials"))
        sites = {"acorn": k3s("acorn"), "birch": k3s("birch", canary=True), "cloud": cloud}
        write(self.work, {stack: _over_http(stack, site) for stack, site in sites.items()})
        bare = self.root / "origin.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], check=True)
        git(self.work, "init", "--quiet", "--initial-branch=main")
        git(self.work, "remote", "add", "origin", str(bare))
        # A commit after a run must not hold the settings of that run.
        (self.work / ".git" / "info" / "exclude").write_text(f"{SETTINGS}\n")
        self.commit()
        git(self.work, "push", "--quiet", "origin", "main")
        git(self.work, "remote", "set-head", "origin", "main")
        self._stand_ins()

    def _stand_ins(self) -> None:
        self.bin = self.root / "agent" / "bin"
        self.bin.mkdir(parents=True)
        play = f'exec "{sys.executable}" "{HERE / "gitlab_stand_ins.py"}"'
        for name in ("pulumi", "make"):
            self._script(name, f'{play} {name} "$@"')
        # ci/xgen calls: python -c CODE VERB WORD...
        verbs = "|".join({*PLAYED, *SLOW} - ({*self.real} - {*PLAYED}))
        played = f'verb=$3; shift 3; {play} "$verb" "$@"'
        self._script("python", f'case "${{3:-}}" in {verbs}) {played} ;; esac\nexec "{sys.executable}" "$@"')

    def _script(self, name: str, text: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def commit(self, **files: str | None) -> str:
        """Write files (None removes one), commit all; return the commit."""
        for name, text in files.items():
            if text is None:
                (self.work / name).unlink()
            else:
                (self.work / name).write_text(text)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "-m", "Change")
        return git(self.work, "rev-parse", "HEAD")

    def push(self) -> None:
        git(self.work, "push", "--quiet", "--force", "origin", "HEAD")

    def run(self, *words: str, failing: str = "", **variables: str) -> Run:
        """Run the pipeline of the commit checked out, in which GitLab would set `variables`."""
        self.runs += 1
        log = self.root / f"calls-{self.runs}.jsonl"
        # As a project's settings would give them: only these reach the jobs of child pipelines too.
        settings = {
            "XGEN_PYTHON": str(self.bin / "python"),
            "XGEN_AWS_TOKEN": "job-token",
            "XGEN_CACHE": str(cache_dir()),
            "STAND_IN_LOG": str(log),
            "STAND_IN_FAILING": failing,
            **self.variables,
        }
        given = {name: {"type": "variable", "values": {"*": value}} for name, value in settings.items()}
        (self.work / SETTINGS).write_text(yaml.safe_dump(given))
        # Where a child pipeline's file is not found, it passes, empty: an earlier run's must not be found.
        for name in (".gitlab-ci-local", "build"):
            shutil.rmtree(self.work / name, ignore_errors=True)
        command = [
            str(gitlab_ci_local()),
            "--force-shell-executor",
            "--shell-isolation",
        ]
        command += [
            "--ignore-predefined-vars",
            ",".join(variables),
            "--concurrency",
            "2",
        ]
        for name, value in variables.items():
            command += ["--variable", f"{name}={value}"]
        env = environment(**NOBODY, PATH=f"{self.bin}:{environment()['PATH']}", HOME=str(self.root / "agent"))
        done = subprocess.run(
            [*command, *words],
            cwd=self.work,
            env=env,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        output = _COLOUR.sub("", done.stdout + done.stderr)
        verdicts = {job: verdict for verdict, job in _VERDICT.findall(output) if " pipeline is " not in job}
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        assert verdicts, output
        return Run(verdicts, calls, output)


def _over_http(stack: str, site: dict[str, Any]) -> dict[str, Any]:
    return {**site, "source": {"repoURL": f"http://gitlab.{stack}.example/xgen/xgen-infra.git"}}
