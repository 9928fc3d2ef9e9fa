"""A customer whose cluster runs already: taken over by the file's `adopt`, as `xgen rehearse` shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
ADOPT = "      adopt: {namespace: true, argocd: true, dataServices: true}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program, with a customer's file that adopts everything there is to adopt."""
    for name in ("__main__.py", "Pulumi.yaml", "charts"):
        (tmp_path / name).symlink_to(ROOT / name)
    text = (ROOT / "Pulumi.lotteimall.yaml").read_text()
    context = "      context: lotteimall\n"
    assert context in text
    (tmp_path / "Pulumi.lotteimall.yaml").write_text(text.replace(context, context + ADOPT, 1))
    return tmp_path


def test_namespace_argo_cd_applications_and_data_services_are_taken_over_and_every_pod_runs_on(
    folder: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(folder), "rehearse", "lotteimall", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    report = json.loads(done.stdout)
    phases = {phase["name"]: phase["checks"] for phase in report["phases"]}
    failed = [(name, one) for name, checks in phases.items() for one in checks if not one["passed"]]
    assert report["passed"], (report["error"], failed)
    seen = {(name, one["name"]) for name, checks in phases.items() for one in checks}
    ran = "every pod that ran before runs on"
    assert {
        ("a cluster that runs already", "it runs"),
        ("pulumi up", ran),
        ("what ran already", ran),
        ("what ran already", "its own credentials are the file's, and what it had beside them is kept"),
        ("what ran already", "no setting by hand overrules the file"),
        ("xgen destroy", "what was adopted and is not the stack's runs on"),
    } <= seen
