"""How two documents are compared, which rules of a security group are nobody's, and what the status says."""

from __future__ import annotations

from typing import Any

import pytest

from xgen_infra.drift.inside import differences
from xgen_infra.drift.model import Difference, Drift, Unseen, shown
from xgen_infra.drift.security_groups import rules_by_hand

GROUP = "urn:pulumi:aww::xgen-infra::aws:ec2/securityGroup:SecurityGroup::group"
RULE = "urn:pulumi:aww::xgen-infra::aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::rule"


@pytest.mark.parametrize(
    ("expected", "found", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"spec": {"replicas": 3}}, {"spec": {"replicas": 1}}, ["spec.replicas"]),
        ({"spec": {}}, {"spec": {"paused": True}}, ["spec.paused"]),
        (
            {"containers": [{"name": "main", "image": "a"}, {"name": "side"}]},
            {"containers": [{"name": "side"}, {"name": "main", "image": "b"}]},
            ["containers[main].image"],
        ),
        ({"ports": [{"port": 1}]}, {"ports": [{"port": 2}]}, ["ports[0].port"]),
        ({"args": ["a"]}, {"args": ["a", "b"]}, ["args"]),
        (
            {"metadata": {"labels": {"a.b/c": "x"}}},
            {"metadata": {"labels": {}}},
            ['metadata.labels["a.b/c"]'],
        ),
    ],
)
def test_documents_differ_at_their_leaves(expected: Any, found: Any, paths: list[str]) -> None:
    assert [path for path, _, _ in differences(expected, found)] == paths


def group(ingress: list[dict[str, Any]], stated: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    inputs = {} if stated is None else {"ingress": stated}
    return {
        "type": "aws:ec2/securityGroup:SecurityGroup",
        "old": {"id": "sg-1", "inputs": inputs, "outputs": {}},
        "new": {"id": "sg-1", "inputs": inputs, "outputs": {"ingress": ingress}},
    }


def listed(port: int, **peers: Any) -> dict[str, Any]:
    return {"protocol": "tcp", "fromPort": port, "toPort": port, **peers}


def rule(port: int, **peer: str) -> dict[str, Any]:
    outputs = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": port, "toPort": port, **peer}
    return {"type": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "old": {"outputs": outputs}}


@pytest.mark.parametrize(
    ("live", "stated", "by_hand"),
    [
        ([listed(443, cidrBlocks=["10.0.0.0/8"])], [rule(443, cidrIpv4="10.0.0.0/8")], 0),
        ([listed(443, cidrBlocks=["10.0.0.0/8", "0.0.0.0/0"])], [rule(443, cidrIpv4="10.0.0.0/8")], 1),
        ([listed(22, cidrBlocks=["10.0.0.0/8"])], [rule(443, cidrIpv4="10.0.0.0/8")], 1),
        ([listed(443, securityGroups=["sg-2"])], [rule(443, referencedSecurityGroupId="sg-2")], 0),
        ([listed(443, self=True)], [rule(443, referencedSecurityGroupId="sg-1")], 0),
        ([{"protocol": "-1", "cidrBlocks": ["::/0"]}], [], 1),
        ([], [rule(443, cidrIpv4="10.0.0.0/8")], 0),
    ],
)
def test_a_rule_that_no_resource_states_is_by_hand(
    live: list[dict[str, Any]], stated: list[dict[str, Any]], by_hand: int
) -> None:
    read = {GROUP: group(live), **{f"{RULE}-{number}": one for number, one in enumerate(stated)}}
    assert len(list(rules_by_hand(read))) == by_hand


def test_a_group_that_states_its_own_rules_is_the_engines_to_compare() -> None:
    assert list(rules_by_hand({GROUP: group([listed(22, cidrBlocks=["0.0.0.0/0"])], [])})) == []


def test_what_could_not_be_compared_weighs_more_than_what_differs() -> None:
    drift = Drift("aww")
    assert drift.status == 0
    drift.differences.append(Difference("bucket", "aws:s3/bucket:Bucket", "tags", "changed"))
    assert drift.status == 2
    drift.unseen.append(Unseen("Deployment xgen-core", "403 Forbidden"))
    assert drift.status == 1


def test_a_value_is_shown_in_one_line_without_secrets() -> None:
    assert shown(None) is None
    assert shown({"b": 1, "adminPassword": "x"}) == '{"adminPassword": "[redacted]", "b": 1}'
    assert len(shown("x" * 900) or "") == 300
