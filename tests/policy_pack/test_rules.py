"""Each rule of the policy pack on resources that keep to it and on ones that do not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from audit.sites import WHOLE
from aws.recording import Recording, Registered, Secret, record
from aws.sites import ANSWERS, built

from policy.rules import RULES, Resource
from policy.rules.aws import TAGGED
from policy.rules.subject import Hidden
from xgen_infra import stack
from xgen_infra.explain.recording import canaries
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.standins.aws.provider import KINDS

from .cases import CASES, Case

ROOT = Path(__file__).parents[2]


def findings(rule: str, resources: Iterable[Resource]) -> list[str]:
    """Return what one rule says of resources, each by itself and all together."""
    chosen, all_of_them = next(one for one in RULES if one.name == rule), list(resources)
    each = [wrong for one in all_of_them for wrong in (chosen.each(one) if chosen.each else ())]
    return [*each, *(wrong for _, wrong in (chosen.whole(all_of_them) if chosen.whole else ()))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.wrong or 'kept'}")
def test_a_rule_finds_what_breaks_it_and_nothing_else(case: Case) -> None:
    found = findings(case.rule, case.resources)
    assert bool(found) is bool(case.wrong), found
    assert not case.wrong or any(case.wrong in said for said in found), found


def test_every_rule_has_a_case_that_passes_and_one_that_fails() -> None:
    kept = {case.rule for case in CASES if not case.wrong}
    broken = {case.rule for case in CASES if case.wrong}
    assert kept == broken == {rule.name for rule in RULES}


def test_the_types_that_must_have_tags_are_those_that_aws_tags() -> None:
    assert {kind.type_name for kind in KINDS if kind.taggable} == TAGGED


def _marked(value: Any) -> Any:
    if isinstance(value, Secret):
        return Hidden(_marked(value.value))
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value


def _subject(found: Registered) -> Resource:
    """Give a recorded resource in the pack's form; a recording knows no provider, so no default tags."""
    return Resource(found.type, found.name, _marked(dict(found.inputs)), found.protect, found.urn)


def _whole_stack(name: str) -> Recording:
    _, site = read_site(ROOT, name)

    def program() -> None:
        stack.build(site, canaries())

    return record(program, ANSWERS)


@pytest.mark.parametrize("name", ["aww", "lotteimall", "main", "everything on AWS"])
def test_the_program_keeps_to_every_rule(name: str) -> None:
    recording = built(WHOLE) if name == "everything on AWS" else _whole_stack(name)
    resources = [_subject(one) for one in recording.resources]
    assert len(resources) > 20
    said = {rule.name: findings(rule.name, resources) for rule in RULES if rule.name != "tags"}
    assert said == {name: [] for name in said}
