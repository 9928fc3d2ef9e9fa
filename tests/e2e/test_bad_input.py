"""`pulumi preview` refuses a wrong file with its place, before any resource is registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from xgen_infra.engine import Engine, EngineError

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]

WRONG = {
    "unknown key": ("    cluster:\n", "    clutser:\n", "clutser"),
    "wrong type": ("        min: 1\n", "        min: one\n", "whole number"),
    "bad CIDR": ("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.40.0.0/33", "10.40.0.0/33"),
    "host bits in a CIDR": ("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.40.1.0/16", "10.40.0.0/16"),
    "VPC over management": ("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.20.0.0/16", "10.20.0.0/16"),
    "VPC over services": ("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.100.0.0/16", "10.100.0.0/16"),
    "no database host": ("      postgres: {host: 10.20.1.10}\n", "", "postgres"),
    "a seventh service": (
        "    exposure:\n",
        "    services: {xgen-billing: {replicas: 1}}\n    exposure:\n",
        "xgen-billing",
    ),
    "a bad quantity": (
        "    exposure:\n",
        "    services:\n      xgen-core:\n        resources: {requests: {memory: 5 Gigs}}\n    exposure:\n",
        "5 Gigs",
    ),
    "HPA min above max": (
        "    exposure:\n",
        "    services:\n      xgen-core:\n        autoscaling: {minReplicas: 3, maxReplicas: 2}\n    exposure:\n",
        "minReplicas",
    ),
    "a request that fits no node": (
        "    exposure:\n",
        (
            "    services:\n      xgen-core:\n        resources: {requests: {memory: 900Gi}, limits: {memory: 900Gi}}\n"
            "    exposure:\n"
        ),
        "900Gi",
    ),
    "a bad bucket name": (
        "      apiAccess:",
        "      bucket: {name: My_Bucket}\n      apiAccess:",
        "My_Bucket",
    ),
    "a bad namespace": ("    source:\n", "    namespace: XGEN_prod\n    source:\n", "XGEN_prod"),
    "a contradicting variable": (
        "    exposure:\n",
        "    vars: {S3_BUCKET: other}\n    exposure:\n",
        "S3_BUCKET",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_by_preview_with_its_place(
    name: str, bare_engine: Callable[[Path], Engine], tmp_path: Path
) -> None:
    old, new, said = WRONG[name]
    text = (ROOT / "Pulumi.aww.yaml").read_text()
    assert old in text
    file = tmp_path / "Pulumi.aww.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(EngineError) as refusal:
        bare_engine(file).preview("aww")
    assert re.search(r"Pulumi\.aww\.yaml:\d+:\d+: ", str(refusal.value))
    assert said in str(refusal.value)
    assert "Traceback" not in str(refusal.value)
    assert refusal.value.result is not None
    assert not refusal.value.result.steps


def test_a_duplicate_key_is_refused_by_preview_with_its_line(
    bare_engine: Callable[[Path], Engine], tmp_path: Path
) -> None:
    file = tmp_path / "Pulumi.aww.yaml"
    file.write_text(
        (ROOT / "Pulumi.aww.yaml").read_text().replace("        min: 1\n", "        min: 1\n        min: 2\n")
    )
    with pytest.raises(EngineError, match=r"line \d+|:\d+:\d+"):
        bare_engine(file).preview("aww")


def test_a_second_document_is_refused_by_preview_with_its_place(
    bare_engine: Callable[[Path], Engine], tmp_path: Path
) -> None:
    file = tmp_path / "Pulumi.aww.yaml"
    file.write_text((ROOT / "Pulumi.aww.yaml").read_text() + "---\nconfig: {}\n")
    with pytest.raises(EngineError, match=r"Pulumi\.aww\.yaml:\d+:\d+: .*document"):
        bare_engine(file).preview("aww")
