"""0 findings that are not waived: checkov on what is applied for the six services of every sample customer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.sites import STACKS, manifests

from xgen_infra import catalog

from .programs import environment
from .test_audit import waives

pytestmark = pytest.mark.audit
WAIVERS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "waivers-manifests.yaml").read_text())


def found(folder: Path) -> list[tuple[str, str, str]]:
    """Return checkov's findings on the manifests in a folder: (check, object, what it is)."""
    command = [str(environment() / "checkov"), "--directory", str(folder), "--framework", "kubernetes"]
    done = subprocess.run(
        [*command, "--skip-download", "--quiet", "--compact", "--output", "json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["passed"] > 0, done.stderr[-2000:]
    return [
        (one["check_id"], one["resource"], one["check_name"]) for one in report["results"]["failed_checks"]
    ]


@pytest.fixture(scope="module")
def findings(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    folder = tmp_path_factory.mktemp("manifests")
    for stack in STACKS:
        for service in catalog.NAMES:
            file = folder / f"{stack}-{service}.yaml"
            file.write_text(yaml.safe_dump_all(manifests(helm, stack, service)))
    return found(folder)


def test_checkov_finds_nothing_in_the_manifests_that_is_not_waived(
    findings: list[tuple[str, str, str]],
) -> None:
    left = [one for one in findings if not any(waives(waiver, one[0], one[1]) for waiver in WAIVERS)]
    assert left == []


def test_every_waiver_of_the_manifests_has_a_reason_and_is_needed(
    findings: list[tuple[str, str, str]],
) -> None:
    for waiver in WAIVERS:
        assert len(waiver["reason"].split()) > 4
        assert any(waives(waiver, check, resource) for check, resource, _ in findings), waiver


def test_a_container_that_is_root_is_found(helm: Path, tmp_path: Path) -> None:
    objects = json.loads(json.dumps(manifests(helm, STACKS[0], "xgen-core")))
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    pod.pop("securityContext", None)
    pod["containers"][0]["securityContext"] = {"privileged": True}
    (tmp_path / "worse.yaml").write_text(yaml.safe_dump(deployment))
    assert {"CKV_K8S_16", "CKV_K8S_23"} <= {check for check, *_ in found(tmp_path)}
