"""A resource type or function that the program uses without a contract of its stand-in fails here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit.sites import WHOLE
from aws.recording import Recording, record
from aws.sites import ANSWERS, built

from xgen_infra import stack
from xgen_infra.explain.recording import canaries
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.backing import API_SERVER, EMULATOR, HELM, STORE, backing, tally
from xgen_infra.rehearsal.standins.aws.functions import FUNCTIONS
from xgen_infra.rehearsal.standins.eks.provider import COMPONENTS

from .aws_cases import CASES
from .kubernetes_cases import KUBERNETES, RELEASES

ROOT = Path(__file__).parents[2]
FAR = {
    "management": {
        "account": "222222222222",
        "region": "ap-northeast-1",
        "roleArn": "arn:aws:iam::222222222222:role/peering",
    }
}
OLD_VPC = {
    "cluster": {
        "vpc": {
            "id": "vpc-0123456789abcdef0",
            "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "privateRouteTableIds": ["rtb-0123456789abcdef0"],
        },
        "existingCluster": "shared",
    }
}
OF_COMPONENTS = (
    "aws:eks/cluster:Cluster",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:eks/accessEntry:AccessEntry",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
)
"""What pulumi_eks registers of the program's components (tests/standins/test_eks_engine.py)."""


def recordings() -> Iterator[Recording]:
    """Run the program for every sample and for sites that use what the samples do not."""
    for name in ("aww", "lotteimall", "main"):
        _, site = read_site(ROOT, name)

        def program(site: Any = site) -> None:
            stack.build(site, canaries())

        yield record(program, ANSWERS)
    for changes in (WHOLE, FAR, OLD_VPC):
        yield built(changes)


@pytest.fixture(scope="module")
def used() -> tuple[set[str], set[str]]:
    """The resource types and the functions that the program uses."""
    types, functions = set(OF_COMPONENTS), set()
    for one in recordings():
        types |= {found.type for found in one.resources}
        functions |= {token for token, _ in one.invokes}
    return types, functions


def test_every_type_of_aws_has_a_contract(used: tuple[set[str], set[str]]) -> None:
    types = {token for token in used[0] if token.startswith("aws:")}
    assert len(types) > 35
    assert types - {case.token for case in CASES} == set()


def test_every_component_of_eks_is_played(used: tuple[set[str], set[str]]) -> None:
    assert {token for token in used[0] if token.startswith("eks:")} <= set(COMPONENTS)


def test_every_type_of_kubernetes_has_a_contract(used: tuple[set[str], set[str]]) -> None:
    """Each case is gone through on a real API server, by test_kubernetes_contract.py and test_kubernetes_release.py."""
    types = {token for token in used[0] if token.startswith("kubernetes:")}
    assert len(types) > 15
    assert types - set(KUBERNETES) - set(RELEASES) == set()


def test_every_function_has_a_contract(used: tuple[set[str], set[str]]) -> None:
    """Each of FUNCTIONS is asked in test_aws_functions.py, which says so itself."""
    functions = {token for token in used[1] if not token.startswith("pulumi:")}
    assert functions
    assert functions <= set(FUNCTIONS)


def test_what_answers_for_each_type_is_told(used: tuple[set[str], set[str]]) -> None:
    counted = tally(used[0])
    assert set(counted) == {EMULATOR, API_SERVER, HELM, STORE}
    assert counted[STORE] == 4
    assert backing("pulumi:pulumi:Stack") is None
    with pytest.raises(KeyError):
        backing("aws:new/thing:Thing")
