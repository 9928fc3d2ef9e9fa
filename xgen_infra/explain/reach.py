"""Backwards: everything that one line of the customer's file reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xgen_infra import catalog
from xgen_infra.explain import pod
from xgen_infra.explain.changes import variations
from xgen_infra.explain.chart import ObjectId
from xgen_infra.explain.differences import MISSING, changed
from xgen_infra.explain.fields import parsed
from xgen_infra.explain.inputs import STACK, Inputs, at
from xgen_infra.explain.recording import ResourceId
from xgen_infra.explain.stack import Resources
from xgen_infra.explain.subject import HIDDEN, ExplainError, Origin, Subject, hides
from xgen_infra.findings import KeyPath, dotted
from xgen_infra.outline import at as expected_at
from xgen_infra.outline import suggestion
from xgen_infra.secrets_catalog import BY_KEY, SECRETS, Secret
from xgen_infra.site import Site
from xgen_infra.stackfile import SITE_KEY

_MANY = 2
"""How many variations of each field are followed into the resources when a whole part of the file is asked for."""


@dataclass
class Service:
    """What changes at one service: values of the chart, objects, variables, and those that go into a .env file."""

    values: set[KeyPath] = field(default_factory=set)
    objects: dict[ObjectId, set[KeyPath]] = field(default_factory=dict)
    environment: set[str] = field(default_factory=set)
    dotenv: set[str] = field(default_factory=set)

    @property
    def rolls(self) -> bool:
        """Whether the pods are replaced (Kubernetes documentation, "Deployments": a change of .spec.template)."""
        return any(
            one.kind == "Deployment" and path[:2] == ("spec", "template")
            for one, paths in self.objects.items()
            for path in paths
        )


@dataclass
class Reach:
    """Everything that a field, a part of the file, or a secret reaches. `tried` are the values put in its place."""

    path: str
    origins: tuple[Origin, ...]
    tried: list[Any] = field(default_factory=list)
    services: dict[catalog.ServiceName, Service] = field(default_factory=dict)
    resources: dict[ResourceId, set[KeyPath]] = field(default_factory=dict)


def reach(subject: Subject, text: str) -> Reach:
    """Return what a path of the file reaches; raises ExplainError where the file can have no such path."""
    text = text.removeprefix(f"config.{SITE_KEY}.").removeprefix(f"{SITE_KEY}.")
    secret = BY_KEY.get(text) or next((one for one in SECRETS if one.key == text), None)
    return _of_secret(subject, secret) if secret else _of_fields(subject, text)


def _of_fields(subject: Subject, text: str) -> Reach:
    fields = fields_at(subject, text)
    found = Reach(text, tuple(subject.origin(one) for one in fields))
    base = Resources.of(subject.site)
    for one in fields:
        ways = variations(subject.inputs, one)
        found.tried += [_shown(varied, one) for varied in ways]
        follow(subject, ways, found.services)
        for varied in ways[:_MANY] if len(fields) > 1 else ways:
            _resources(base, varied, found)
    return found


def fields_at(subject: Subject, text: str) -> list[KeyPath]:
    """Return the fields at or below a path of the file; raises ExplainError where there can be none."""
    path = parsed(text)
    while path and isinstance(path[-1], int):
        path = path[:-1]  # a list is decided as a whole
    found = [one for one in subject.fields if path and one[: len(path)] == path]
    if found or (path and expected_at(Site, subject.inputs.data, path)):
        return found or [path]
    raise ExplainError(f"a customer's file has no '{text}'{_meant(subject.inputs.data, path)}")


def _meant(data: Any, path: KeyPath) -> str:
    """Return the end of a message: the path with its first unknown part mended."""
    for depth in range(1, len(path) + 1):
        if not expected_at(Site, data, path[:depth]):
            parent, key, rest = path[: depth - 1], str(path[depth - 1]), path[depth:]
            meant = suggestion(Site, data, parent, key)
            whole = (*parent, *parsed(meant), *rest)
            return f": did you mean '{dotted(whole)}'?" if meant and expected_at(Site, data, whole) else ""
    return ""


def _shown(varied: Inputs, path: KeyPath) -> Any:
    if hides(path):
        return HIDDEN
    return varied.stack if path == STACK else at(varied.effective, path)


def follow(subject: Subject, ways: list[Inputs], found: dict[catalog.ServiceName, Service]) -> None:
    """Add to `found` what these other inputs change at the six services."""
    for name in catalog.NAMES:
        base = subject.values(name)
        others = [values for varied in ways if (values := varied.values(name)) and values != base]
        if not others:
            continue
        first, *rendered = subject.chart.render([base, *others])
        service = found.setdefault(name, Service())
        for values, objects in zip(others, rendered, strict=True):
            service.values |= changed(base, values)
            _compare(service, first, objects)


def _compare(service: Service, first: Mapping[ObjectId, Any], other: Mapping[ObjectId, Any]) -> None:
    for one in {*first, *other}:
        if paths := changed(first.get(one, MISSING), other.get(one, MISSING)):
            service.objects.setdefault(one, set()).update(paths)
    before, after = pod.environment(dict(first)), pod.environment(dict(other))
    names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    service.environment |= names
    files = {**pod.dotenv(dict(first)), **pod.dotenv(dict(other))}
    service.dotenv |= {name for name in files if name in names}


def _resources(base: Resources, varied: Inputs, found: Reach) -> None:
    assert varied.site  # noqa: S101
    try:
        other = Resources.of(varied.site)
    except ValueError:  # the program itself refuses what the models take
        return
    for one, paths in base.changed(other).items():
        found.resources.setdefault(one, set()).update(paths)


def _of_secret(subject: Subject, secret: Secret) -> Reach:
    found = Reach(secret.config_key, (subject.secret_origin(secret.field),))
    base = Resources.of(subject.site)
    _add(found, base.changed(Resources.of(subject.site, {secret.field: "another"})))
    keys = {
        (base.inputs[one]["metadata"]["name"], path[1])
        for one, paths in found.resources.items()
        if one.type == "kubernetes:core/v1:Secret"
        for path in paths
        if path[0] == "stringData"
    }
    for name in catalog.NAMES:
        objects = subject.chart.one(subject.values(name))
        carried = pod.environment(objects)
        variables = {one for one, carrier in carried.items() if (carrier.name, carrier.key) in keys}
        if variables:
            files = pod.dotenv(objects)
            dotenv = {one for one in variables if one in files}
            found.services[name] = Service(environment=variables, dotenv=dotenv)
    return found


def _add(found: Reach, resources: Mapping[ResourceId, frozenset[KeyPath]]) -> None:
    for one, paths in resources.items():
        found.resources.setdefault(one, set()).update(paths)
