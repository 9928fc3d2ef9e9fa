"""A document that was not written as it has to be was not searched; the numbers in README are those of a clean machine."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.secrecy.kinds import GROWING, OF_ARGO_CD, Kind, expected_kinds
from xgen_infra.rehearsal.secrecy.phase import NAME, judge
from xgen_infra.rehearsal.secrecy.places import Document, Place, documents
from xgen_infra.secrecy import Search

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """As much of a world as a command needs that reads the customer's file."""
    for name in ("Pulumi.yaml", "Pulumi.aww.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    file = SimpleNamespace(path=tmp_path / "Pulumi.aww.yaml")
    return SimpleNamespace(file=file, root=tmp_path, project=ROOT, environment={})


@pytest.mark.parametrize(("words", "passes"), [(("check", "aww"), True), (("check", "nobody"), False)])
def test_a_command_that_does_not_end_well_is_no_document(
    made: Any, words: tuple[str, ...], *, passes: bool
) -> None:
    phase = Phase("search")
    judge(phase, Search({}), documents(made, [Document(Kind.BUNDLE, words)]), (Kind.BUNDLE,))
    (check,) = phase.checks
    assert check.passed == passes
    assert ("nobody" in check.saw) != passes


def test_what_is_searched_and_wrong_names_both() -> None:
    phase = Phase("search")
    place = Place(Kind.BUNDLE, "xgen support-bundle: status 1", b"holds planted-1", "it refused")
    judge(phase, Search({"it": "planted-1"}), [place], (Kind.BUNDLE,))
    (check,) = phase.checks
    assert not check.passed
    assert "it (plain)" in check.saw
    assert "it refused" in check.saw
    assert "planted-1" not in check.saw


@pytest.mark.parametrize("delivery", ["helm", "argocd"])
def test_every_kind_has_to_be_there_where_it_can_be(delivery: str) -> None:
    there = set(expected_kinds(delivery, releases=True))
    assert set(Kind) - there == (set(OF_ARGO_CD) if delivery == "helm" else set())


def test_readme_counts_the_kinds_that_a_rehearsal_searches() -> None:
    """Two checks of the first phase are no kinds: that the search finds what it looks for, and in the right Secrets."""
    counted = {
        name.strip(): (int(good), int(of))
        for name, good, of in re.findall(
            r"│ (.{31}) │ .{7} │ +(\d+) of (\d+) +│", (ROOT / "README.md").read_text()
        )
    }
    kinds = 2 + len(expected_kinds("helm", releases=True))
    assert counted[NAME] == (kinds, kinds)
    assert counted["still no secret, at the end"] == (len(GROWING), len(GROWING))
