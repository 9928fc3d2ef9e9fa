"""0 findings that are not waived: checkov on the AWS resources, parliament on every IAM document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws.recording import Recording, Registered, record
from aws.sites import ANSWERS, built

from xgen_infra.aws.assemble import build
from xgen_infra.folder import read_site

from .programs import checkov, parliament
from .sites import WHOLE
from .terraform import UnknownTypeError, plan

pytestmark = [pytest.mark.audit, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
WAIVERS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "waivers.yaml").read_text())


@pytest.fixture(scope="module", params=["the sample", "everything"])
def recorded(request: pytest.FixtureRequest) -> Recording:
    if request.param == "everything":
        return built(WHOLE)
    _, site = read_site(ROOT, "aww")
    return record(lambda: dict(build(site).outputs), ANSWERS)


def failed(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (found["check_id"], found["resource"], found["check_name"])
        for found in report["results"]["failed_checks"]
    ]


def waives(waiver: dict[str, str], check: str, resource: str) -> bool:
    return waiver["check"] == check and fnmatchcase(resource, waiver["resource"])


def test_checkov_finds_nothing_that_is_not_waived(recorded: Recording, tmp_path: Path) -> None:
    report = checkov(plan(recorded.resources), tmp_path)
    assert report["summary"]["resource_count"] > 50
    assert report["summary"]["passed"] > 80
    assert report["summary"]["parsing_errors"] == 0
    left = [found for found in failed(report) if not any(waives(one, *found[:2]) for one in WAIVERS)]
    assert not left


def test_every_waiver_has_a_reason_and_is_needed(tmp_path: Path) -> None:
    found: list[tuple[str, str, str]] = []
    for resources in (built().resources, built(WHOLE).resources):
        found += [*failed(checkov(plan(resources), tmp_path)), *doubted(resources)]
    for waiver in WAIVERS:
        assert len(waiver["reason"].split()) > 5
        assert any(waives(waiver, check, resource) for check, resource, _ in found), waiver


def test_an_open_bucket_and_a_soft_launch_template_are_found(tmp_path: Path) -> None:
    """The plan is in a form that checkov really reads: what is made worse is found."""
    worse = plan(built().resources)
    values = {one["type"]: one["values"] for one in worse["planned_values"]["root_module"]["resources"]}
    values["aws_s3_bucket_public_access_block"]["block_public_acls"] = False
    values["aws_launch_template"]["metadata_options"] = [{"http_tokens": "optional"}]
    values["aws_eks_cluster"]["encryption_config"] = []
    found = {check for check, *_ in failed(checkov(worse, tmp_path))}
    assert found >= {"CKV_AWS_53", "CKV_AWS_79", "CKV_AWS_58"}


def documents(found: Registered) -> Iterator[tuple[str, str]]:
    """Give the IAM documents of a resource: policies of users, roles, keys, buckets, and trust policies."""
    for key in ("policy", "assumeRolePolicy"):
        text = found.inputs.get(key)
        if isinstance(text, str) and '"Statement"' in text:
            yield f"{found.name} {key}", text


def doubted(resources: Iterable[Registered]) -> list[tuple[str, str, str]]:
    """Return parliament's findings as (issue, document, detail)."""
    texts = {name: text for one in resources for name, text in documents(one)}
    return [(issue, name, detail) for name, text in texts.items() for issue, detail in parliament(text)]


def test_parliament_finds_nothing_that_is_not_waived(recorded: Recording) -> None:
    names = [name for one in recorded.resources for name, _ in documents(one)]
    assert len(set(names)) == len(names) >= 8
    left = [
        found for found in doubted(recorded.resources) if not any(waives(one, *found[:2]) for one in WAIVERS)
    ]
    assert not left


def test_parliament_finds_an_action_that_does_not_exist() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObjct", "Resource": "*"}
    found = parliament(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert [issue for issue, _ in found] == ["UNKNOWN_ACTION"]


def test_a_type_that_the_audit_does_not_know_is_an_error() -> None:
    recording = built()
    strange = Registered(**{**vars(recording.of("aws:ec2/vpc:Vpc")[0]), "type": "aws:new/thing:Thing"})
    with pytest.raises(UnknownTypeError, match="aws:new/thing:Thing"):
        plan([strange])
