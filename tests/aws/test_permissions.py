"""The list of IAM actions: complete for what the program registers, made of actions that AWS knows."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from xgen_infra.aws.actions import ACTIONS, CHILDREN, LOOKUPS
from xgen_infra.aws.permissions import UnknownTypeError, actions_of, needs
from xgen_infra.explain.stack import Resources
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.standins.aws.provider import KINDS

TESTS = Path(__file__).parents[1]
WITHOUT_REQUEST = {"iam:PassRole", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"}
"""Actions that are asked of other requests (Service Authorization Reference, "permission only")."""


@pytest.mark.parametrize(
    ("folder", "stack"), [("", "aww"), ("tests/stackfiles", "cloud"), ("tests/stackfiles", "shared")]
)
def test_every_aws_type_that_the_program_registers_has_its_actions(folder: str, stack: str) -> None:
    _, site = read_site(TESTS.parent / folder, stack)
    assert site.eks
    tokens = {resource.type for resource in Resources.of(site).inputs}
    found = needs(site, site.eks, tokens)
    assert {action for need in found for action in need.actions} == actions_of(tokens)
    assert len(actions_of(tokens)) > 40
    for need in found:
        assert need.resource == "*" or need.resource.startswith("arn:aws:")


def test_a_type_that_is_not_listed_is_refused_and_other_providers_need_nothing() -> None:
    with pytest.raises(UnknownTypeError):
        actions_of(["aws:rds/instance:Instance"])
    with pytest.raises(UnknownTypeError):
        actions_of(["eks:index:NodeGroup"])
    assert actions_of(["kubernetes:core/v1:Secret", "xgen:aws:Bucket", "pulumi:providers:aws"]) == set(
        LOOKUPS
    )


def test_what_components_register_is_listed_and_known_to_the_rehearsal() -> None:
    known = {name for kind in KINDS for name in (kind.type_name, *kind.aliases)}
    inside = {token for tokens in CHILDREN.values() for token in tokens}
    assert inside <= set(ACTIONS)
    assert {token for token in (*ACTIONS, *inside) if token not in known} == set()


@pytest.mark.parametrize("service", ["ec2", "ecr", "eks", "iam", "kms", "logs", "sts"])
def test_actions_are_requests_of_their_service(service: str) -> None:
    requests = boto3.client(service, region_name="eu-west-1").meta.service_model.operation_names
    listed = {action for action in actions_of([*ACTIONS, *CHILDREN]) if action.startswith(f"{service}:")}
    assert listed
    assert {action for action in listed if action.partition(":")[2] not in requests} <= WITHOUT_REQUEST
