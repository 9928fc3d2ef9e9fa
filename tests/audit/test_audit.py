"""0 findings that are not waived: checkov on the AWS resources, parliament on every IAM document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws.recording import Recording, Registered, record
from aws.sites import ANSWERS, built
from aws.sites import site as eks_site

from xgen_infra.aws.assemble import build
from xgen_infra.aws.policies import Place
from xgen_infra.bootstrap import deploy
from xgen_infra.bootstrap import documents as documents_of
from xgen_infra.bootstrap.deploy import Ground
from xgen_infra.bootstrap.record import aws_resources
from xgen_infra.folder import read_site
from xgen_infra.site import Site

from .programs import checkov, parliament
from .sites import WHOLE
from .terraform import UnknownTypeError, plan
from .waivers import WAIVERS, failed, unwaived, waives

pytestmark = pytest.mark.audit
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["the sample", "everything"])
def recorded(request: pytest.FixtureRequest) -> Recording:
    if request.param == "everything":
        return built(WHOLE)
    _, site = read_site(ROOT, "aww")
    return record(lambda: dict(build(site).outputs), ANSWERS)


def test_checkov_finds_nothing_that_is_not_waived(recorded: Recording, tmp_path: Path) -> None:
    report = checkov(plan(recorded.resources), tmp_path)
    assert report["summary"]["resource_count"] > 50
    assert report["summary"]["passed"] > 80
    assert report["summary"]["parsing_errors"] == 0
    assert unwaived(failed(report)) == []


def test_every_waiver_has_a_reason_and_is_needed(tmp_path: Path) -> None:
    found: list[tuple[str, str, str]] = []
    for resources, site in ((built().resources, eks_site()), (built(WHOLE).resources, eks_site(WHOLE))):
        found += [*failed(checkov(plan(resources), tmp_path)), *doubted(resources)]
        found += doubted_texts(bootstrap_documents(site))
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


def bootstrap_documents(site: Site) -> dict[str, str]:
    """Return the documents that the bootstrap writes for a site, by name."""
    assert site.eks
    place = Place("aws", site.eks.region, site.eks.account)
    ground = Ground(site, place, aws_resources(site))
    key = place.arn("kms", "key/1")
    said = {
        **deploy.documents(ground),
        "boundary": deploy.boundary(ground),
        "state": documents_of.state(place, "state", key),
        "state-preview": documents_of.state_preview(place, "state", key, "xgen-aww"),
        "trust": documents_of.trust_account("arn:aws:iam::123456789012:role/runner"),
        "trust-gitlab": documents_of.trust_gitlab(
            place, documents_of.Oidc("gitlab.example", "a/b", "main"), any_branch=False
        ),
    }
    return {f"bootstrap {name}": json.dumps(one) for name, one in said.items()}


def doubted_texts(texts: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return parliament's findings on documents by name."""
    return [(issue, name, detail) for name, text in texts.items() for issue, detail in parliament(text)]


@pytest.mark.parametrize("changes", [{}, WHOLE], ids=["the sample", "everything"])
def test_parliament_finds_nothing_in_the_bootstraps_documents_that_is_not_waived(
    changes: dict[str, Any],
) -> None:
    assert unwaived(doubted_texts(bootstrap_documents(eks_site(changes)))) == []


def doubted(resources: Iterable[Registered]) -> list[tuple[str, str, str]]:
    """Return parliament's findings as (issue, document, detail)."""
    texts = {name: text for one in resources for name, text in documents(one)}
    return doubted_texts(texts)


def test_parliament_finds_nothing_that_is_not_waived(recorded: Recording) -> None:
    names = [name for one in recorded.resources for name, _ in documents(one)]
    assert len(set(names)) == len(names) >= 8
    assert unwaived(doubted(recorded.resources)) == []


def test_parliament_finds_an_action_that_does_not_exist() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObjct", "Resource": "*"}
    found = parliament(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert [issue for issue, _ in found] == ["UNKNOWN_ACTION"]


def test_a_type_that_the_audit_does_not_know_is_an_error() -> None:
    recording = built()
    strange = Registered(**{**vars(recording.of("aws:ec2/vpc:Vpc")[0]), "type": "aws:new/thing:Thing"})
    with pytest.raises(UnknownTypeError, match="aws:new/thing:Thing"):
        plan([strange])
