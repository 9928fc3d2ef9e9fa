"""Every resource type of the AWS stand-in against the emulator: create, read, update, drift, delete."""

from __future__ import annotations

import importlib
import inspect

import pytest

from xgen_infra.rehearsal.standins.aws.provider import KINDS

from .aws_bench import Bench
from .aws_cases import CASES, Case

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CONDITIONAL = {"privateDnsEnabled"}
"""Inputs that replace under a condition which the stand-in refuses anyway."""


@pytest.fixture(params=CASES, ids=lambda case: case.token.rpartition(":")[2])
def case(request: pytest.FixtureRequest) -> Case:
    chosen = request.param
    assert isinstance(chosen, Case)
    return chosen


def test_every_type_that_the_stand_in_offers_has_a_contract() -> None:
    assert {case.token for case in CASES} == {kind.type_name for kind in KINDS}


def test_a_resource_is_there_after_create_unchanged_by_a_refresh_and_gone_after_delete(
    bench: Bench, case: Case
) -> None:
    inputs = case.inputs(bench)
    made = bench.make(case.token, config=case.config, **inputs)
    assert made.outputs["id"] == made.id
    for name in (*inputs, *case.shows):
        assert made.outputs.get(name) not in (None, ""), name
    assert made.refreshed_inputs() == inputs
    change = case.change(bench)
    if change:
        after = made.update(**change)
        for name, value in change.items():
            shown = after.get(name)
            assert shown == value or (not value and not shown), name
        assert made.refreshed_inputs() == made.request.inputs
    made.delete()
    assert (made.read() is not None) is case.stays
    made.delete()


def _sdk(token: str) -> tuple[type, type]:
    """The resource's class and the class of its arguments in pulumi_aws."""
    module, _, name = token.removeprefix("aws:").partition(":")
    package = importlib.import_module(f"pulumi_aws.{module.partition('/')[0]}")
    resource = getattr(package, name)
    own = importlib.import_module(resource.__module__)
    return resource, getattr(own, f"{name}InitArgs", None) or getattr(own, f"{name}Args")


def _names(of: type) -> set[str]:
    getters = {name: value.fget for name, value in vars(of).items() if isinstance(value, property)}
    return {getattr(getter, "_pulumi_name", None) or name for name, getter in getters.items()}


def test_outputs_have_the_names_of_the_real_provider(bench: Bench, case: Case) -> None:
    made = bench.make(case.token, config=case.config, **case.inputs(bench))
    resource, _ = _sdk(case.token)
    assert set(made.outputs) - {"id"} <= _names(resource)


def test_inputs_are_those_of_the_real_provider_and_as_required(case: Case) -> None:
    kind = next(kind for kind in KINDS if kind.type_name == case.token)
    _, arguments = _sdk(case.token)
    names = {
        name: getattr(value.fget, "_pulumi_name", None) or name
        for name, value in vars(arguments).items()
        if isinstance(value, property)
    }
    needed = {
        names[one.name]
        for one in inspect.signature(arguments).parameters.values()
        if one.default is inspect.Parameter.empty
    }
    assert kind.required | kind.optional <= set(names.values())
    assert kind.required == needed
    assert ("tags" in names.values()) is kind.taggable


def test_what_replaces_is_an_input_and_what_the_provider_says_replaces_does(case: Case) -> None:
    kind = next(kind for kind in KINDS if kind.type_name == case.token)
    _, arguments = _sdk(case.token)
    taken = kind.required | kind.optional
    assert {path.partition(".")[0] for path in kind.replace_on} <= taken
    for value in vars(arguments).values():
        said = (getattr(value, "__doc__", None) or "").lower()
        name = getattr(getattr(value, "fget", None), "_pulumi_name", None)
        if name in taken - CONDITIONAL and "forces a new resource" in said:
            assert name in kind.replace_on, name
