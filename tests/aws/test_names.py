from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xgen_infra import naming
from xgen_infra.site import Site

from .physical import Part, parts
from .recording import Recording
from .sites import built, site

PHYSICAL = {
    "aws:iam/role:Role": "name",
    "aws:iam/user:User": "name",
    "aws:ec2/launchTemplate:LaunchTemplate": "name",
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:kms/alias:Alias": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:ecr/repository:Repository": "name",
    "eks:index:Cluster": "name",
}
"""Resource types whose name is unique in an account (and region), and the input that holds it."""

stacks = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,60}", fullmatch=True)
projects = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def named(project: str, stack: str) -> Site:
    """Return a stack's site; stacks may share the site whose images they run."""
    return site({"project": project, "site": "shared"}, stack)


def physical(recording: Recording) -> set[tuple[str, Any]]:
    return {
        (found.type, found.inputs[PHYSICAL[found.type]])
        for found in recording.resources
        if found.type in PHYSICAL
    }


@cache
def spaces() -> frozenset[frozenset[tuple[str, int]]]:
    """Return which names have to differ from one another: those of a kind, the stack's own apart from its parts'."""
    found: dict[tuple[str, bool], set[tuple[str, int]]] = {}
    for kind, part, limit in parts():
        found.setdefault((kind, bool(part)), set()).add((part, limit))
    return frozenset(map(frozenset, found.values()))


@given(st.lists(st.tuples(projects, stacks), min_size=2, max_size=2, unique=True))
def test_two_stacks_share_no_name_of_any_part(pairs: list[tuple[str, str]]) -> None:
    (one_project, one), (other_project, other) = pairs
    assume(one.lower() != other.lower() or one_project != other_project)
    first, second = named(one_project, one), named(other_project, other)
    for together in spaces():
        one_has, other_has = ({naming.aws(each, *one) for one in together} for each in (first, second))
        assert not one_has & other_has, together
    several = {one.part for one in parts()}
    assert len({naming.aws(first, part) for part in several}) == len(several)


@given(projects, stacks, st.deferred(lambda: st.sampled_from(sorted(parts()))))
def test_every_name_is_one_that_every_service_takes(project: str, stack: str, part: Part) -> None:
    name = naming.aws(named(project, stack), part.part, part.limit)
    assert len(name) <= part.limit
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)


def test_no_part_ends_like_another_so_that_no_stack_name_can_imitate_it() -> None:
    named = [one for one in parts() if one.part]
    alike = {
        (one.part, two.part)
        for one in named
        for two in named
        if one.kind == two.kind and one.part.endswith(f"-{two.part}")
    }
    assert alike == set()


def test_only_keys_and_buckets_are_named_after_the_stack_alone_as_well_as_after_a_part() -> None:
    """There stack `a-state` takes the name of a part of stack `a`: rules/across.py refuses the two together."""
    whole, others = ({one.kind for one in parts() if bool(one.part) is named} for named in (False, True))
    assert whole & others == {"aws:kms/alias:Alias", "aws:s3/bucket:Bucket"}


def test_an_ordinary_name_is_readable() -> None:
    assert naming.aws(site(), "nodes") == "xgen-aww-nodes"
    assert naming.cluster(site()) == "xgen-aww"


@settings(max_examples=5, deadline=None)
@given(
    st.lists(
        st.sampled_from(["aww", "aww-stg", "mart", "aww.x", "aww_x", "AWW"]),
        min_size=2,
        max_size=2,
        unique_by=str.lower,
    )
)
def test_two_customers_share_no_physical_name(names: list[str]) -> None:
    changes = {"registry": {"kind": "ecr", "host": None, "plainHttp": None}, "cluster": {"flowLogs": True}}
    first, second = (
        physical(built({**changes, "site": f"s{index}"}, stack)) for index, stack in enumerate(names)
    )
    assert len(first) == len(second) >= 15
    assert not first & second


def test_logical_names_never_carry_the_customer(aww: Recording) -> None:
    assert not [found.name for found in aww.resources if "aww" in found.name]


def test_logical_names_begin_with_their_component(aww: Recording) -> None:
    components = {found.urn: found.name for found in aww.resources if found.type.startswith("xgen:aws:")}
    strays = [
        found.name
        for found in aww.resources
        if found.parent in components and not found.name.startswith(components[found.parent])
    ]
    assert not strays
