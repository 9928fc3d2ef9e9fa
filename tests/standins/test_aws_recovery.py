"""Whatever the program makes in AWS is found again by what `xgen recover` knows of it: its inputs and its tags."""

from __future__ import annotations

import pytest

from xgen_infra.recovery import identity

from .aws_bench import Bench
from .aws_cases import CASES, Case

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
UNTAGGED = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
)
"""Found by what they say."""
ELSEWHERE = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
"""This emulator lacks it; the faults of a whole stack on EKS ask for it."""


def _cases(*, asked: bool) -> list[object]:
    mine = [case for case in CASES if case.config is None and case.token != ELSEWHERE]
    found = [case for case in mine if identity.asks(case.token) is asked]
    return [pytest.param(case, id=case.token.rpartition(":")[2]) for case in found]


@pytest.mark.parametrize("case", _cases(asked=True))
def test_aws_is_asked_for_what_was_made_and_gives_its_id_alone(bench: Bench, case: Case) -> None:
    tags = {} if case.token in UNTAGGED else {"Name": bench.unused("mine"), "stack": "aww"}
    inputs = {**case.inputs(bench), **({"tags": tags} if tags else {})}
    assert not identity.asked(case.token, inputs, tags, bench.boto)
    made = bench.make(case.token, **inputs)
    assert identity.asked(case.token, inputs, tags, bench.boto) == [made.id]
    made.delete()
    assert not identity.asked(case.token, inputs, tags, bench.boto)


@pytest.mark.parametrize("case", _cases(asked=False))
def test_what_was_made_is_read_by_the_id_that_its_inputs_tell(bench: Bench, case: Case) -> None:
    inputs = case.inputs(bench)
    told = identity.told(case.token, inputs)
    made = bench.make(case.token, **inputs)
    if told is not None:
        assert made.kind.read(made.request, told, inputs) is not None
