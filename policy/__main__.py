"""The pack, as the engine loads it: `pulumi preview --policy-pack policy`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Secret,
    StackValidationArgs,
    StackValidationPolicy,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
from policy.rules import RULES, Resource
from policy.rules.subject import Finding, Hidden

_INPUTS: dict[str, Mapping[str, Any]] = {}
"""Inputs by URN, with the marks of secrets: the engine shows those marks to remediations alone."""


def remember(args: ResourceValidationArgs) -> None:
    """Keep a resource's inputs for the rules, which the engine asks next; nothing is remediated."""
    _INPUTS[args.urn] = _marked(args.props["__target"])


def _marked(value: Any) -> Any:
    if isinstance(value, Secret):
        return Hidden(_marked(value.value))
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    # Lists come as a proxy, which is no list.
    return (
        [_marked(item) for item in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )


def _each(
    look: Callable[[Resource], Iterable[str]],
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.urn not in _INPUTS:
            args.not_applicable("what is marked secret is seen by `pulumi preview` and `pulumi up` alone")
        protect = bool(args.opts and args.opts.protect)
        for wrong in look(Resource(args.resource_type, args.name, _INPUTS[args.urn], protect, args.urn)):
            report(wrong, None)

    return validate


def _whole(
    look: Callable[[Sequence[Resource]], Iterable[Finding]],
) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for resource, wrong in look([_resource(one) for one in args.resources]):
            report(wrong, resource.urn)

    return validate


def _resource(one: PolicyResource) -> Resource:
    points_at = {name: [on.urn for on in those] for name, those in one.property_dependencies.items()}
    protect = bool(one.opts and one.opts.protect)
    return Resource(one.resource_type, one.name, _INPUTS.get(one.urn, {}), protect, one.urn, points_at)


def policies() -> list[Policy]:
    """Return the engine's form of every rule, after the one that keeps inputs."""
    made: list[Policy] = [
        ResourceValidationPolicy(
            "inputs",
            "Keeps what the other policies look at.",
            remediate=remember,
            enforcement_level=EnforcementLevel.REMEDIATE,
        )
    ]
    for rule in RULES:
        if rule.each:
            made.append(ResourceValidationPolicy(rule.name, rule.description, _each(rule.each)))
        if rule.whole:
            made.append(
                StackValidationPolicy(f"{rule.name}-in-the-stack", rule.description, _whole(rule.whole))
            )
    return made


PolicyPack("xgen", policies(), enforcement_level=EnforcementLevel.MANDATORY)
