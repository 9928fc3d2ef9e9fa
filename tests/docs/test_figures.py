"""The figures of docs/reliability.md are those of the code that tries them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import test_scale
from e2e.test_rotation import KILLED_AT
from faults.cycle import KINDS
from faults.plans import FAULTS
from handover.test_handover import STEPS
from memory import test_five_at_once, test_full_disk
from policy_pack.cases import CASES as POLICY_CASES
from properties import test_api_server, test_files
from standins.aws_cases import CASES as AWS_CASES
from standins.kubernetes_cases import KUBERNETES

from bench import check
from policy.rules import RULES
from xgen_infra.rehearsal.secrecy.kinds import GROWING, OF_ARGO_CD, Kind
from xgen_infra.rehearsal.standins.aws.functions import FUNCTIONS
from xgen_infra.secrecy.search import encodings

PAGE = re.sub(
    r"\s+", " ", (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
)
VALUE = 'a "secret" & <two/words>?, ü~>>>???\'\\'
"""One that each encoding writes otherwise."""
NUMBERS = {2: "two", 3: "three"}


def several(sizes: tuple[int, ...]) -> str:
    *most, last = (f"{size:,}" for size in sizes)
    return f"{', '.join(most)} and {last}"


@pytest.mark.parametrize(
    "figure",
    [
        "{up} faults of `up`, {change} of a change, {destroy} of `destroy` on each".format(**FAULTS),
        f"every call in each of {len(KINDS)} ways",
        f"{len(KILLED_AT) - 1} moments",
        f"{len(STEPS)} moments",
        f"{test_full_disk.ROOM:,} bytes",
        f"{len(Kind)} kinds of places, {len(OF_ARGO_CD)} of them Argo CD's; {len(GROWING)} again",
        f"up to {len(encodings(VALUE))} encodings",
        f"{len(RULES)} rules, {len(POLICY_CASES)} resources",
        f"{test_files.PAIRS} generated pairs",
        f"{test_files.READ} and {test_files.RENDERED} generated files",
        f"{test_api_server.FILES} generated files",
        f"{several((check.FEW, check.MIDDLE, check.MANY))} customers",
        f"for {several(test_scale.SIZES)}",
        f"{len(AWS_CASES)} types and {len(FUNCTIONS)} functions of AWS",
        f"{len(KUBERNETES)} kinds of Kubernetes",
        "{} EKS, {} K3s".format(
            *(NUMBERS[sum(kind in one for one in test_five_at_once.FIVE)] for kind in ("eks", "k3s"))
        ),
    ],
)
def test_a_figure_of_the_page_is_the_codes(figure: str) -> None:
    assert figure in PAGE


def test_calls_add_up() -> None:
    for total, *parts in re.findall(r"(\d+)[a-zA-Z3 ]+ \((\d+), (\d+) and (\d+)\)", PAGE):
        assert int(total) == sum(map(int, parts))
