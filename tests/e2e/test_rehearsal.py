"""Whole rehearsals by the command, as `make rehearse` runs them; judged by their JSON reports."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from xgen_infra.rehearsal.backing import API_SERVER, EMULATOR, HELM, STORE
from xgen_infra.rehearsal.secrecy.kinds import GROWING

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


def rehearse(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "rehearse", *arguments, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) == report["passed"]
    return report


def checks(report: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    return {c["name"]: (c["passed"], c["saw"]) for phase in report["phases"] for c in phase["checks"]}


def assert_nothing_left(folder: str) -> None:
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if folder in " ".join(process.info["cmdline"] or [])
    ]
    assert not left


@pytest.mark.parametrize(
    ("stack", "kind", "types"),
    [
        ("aww", "eks", {EMULATOR: 31, API_SERVER: 5, HELM: 1, STORE: 4}),
        pytest.param("lotteimall", "k3s", {API_SERVER: 9, HELM: 1}, marks=pytest.mark.long),
    ],
)
def test_a_customers_stack_is_brought_up_changed_and_torn_down_by_helm(
    stack: str, kind: str, types: dict[str, int]
) -> None:
    report = rehearse(stack, "--delivery", "helm")
    failed = {name: saw for name, (passed, saw) in checks(report).items() if not passed}
    assert report["passed"], (report["error"], failed)
    assert report["kind"] == kind
    seen = checks(report)
    assert report["types"] == types
    for name in (
        "the policy pack finds nothing",
        "every replica ready",
        "every wired variable reaches its container",
        "nothing changes",
        "one resource is touched",
        "only that service's pods restart",
        "nothing was removed",
        "the search finds them in the opened state",
        "and in the Kubernetes Secrets that hold them",
        "state files",
        "process arguments",
        "support bundle",
        "Helm's records of releases",
        "xgen's logs of bugs",
        "nothing but protected data is left",
    ):
        assert name in seen
    assert {check["name"] for check in report["phases"][-1]["checks"]} == set(GROWING)
    assert_nothing_left(report["folder"])


def test_a_site_on_k3s_registers_no_aws_resource() -> None:
    report = rehearse("lotteimall")
    failed = {name: saw for name, (passed, saw) in checks(report).items() if not passed}
    assert report["passed"], (report["error"], failed)
    assert report["delivery"] == "argocd"
    assert {"Applications", "AppProjects", "Git objects", "process arguments"} <= checks(report).keys()
    assert not {"aws", "eks"} & set(report["resources"])
    assert checks(report)["no AWS resource"][0]
    assert_nothing_left(report["folder"])


def test_an_unknown_delivery_is_wrong_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "rehearse", "aww", "--delivery", "ftp"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_plain_pulumi_commands_act_on_a_rehearsal_that_was_left_running() -> None:
    command = [sys.executable, "-m", "xgen_infra.cli", "rehearse", "lotteimall"]
    done = subprocess.run(
        [*command, "--delivery", "helm", "--env"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    exports = dict(
        line.removeprefix("export ").split("=", 1)
        for line in done.stdout.splitlines()
        if line.startswith("export ")
    )
    environment = {**os.environ, **{key: shlex.split(value)[0] for key, value in exports.items()}}
    folder = str(Path(environment["PULUMI_HOME"]).parent)
    try:
        preview = subprocess.run(
            ["pulumi", "preview", "-s", "lotteimall", "--non-interactive", "--expect-no-changes"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert preview.returncode == 0, preview.stdout[-2000:]
        up = subprocess.run(
            ["pulumi", "up", "-s", "lotteimall", "--yes", "--non-interactive"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert up.returncode == 0, up.stdout[-2000:]
        assert "unchanged" in up.stdout
    finally:
        subprocess.run([*command, "--stop", folder], cwd=ROOT, check=True, capture_output=True)
    assert_nothing_left(folder)
