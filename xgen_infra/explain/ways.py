"""Forwards: the whole way of one value, from the customer's file to the container and its .env file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from xgen_infra import catalog
from xgen_infra.delivery.services import WITH_THE_STACK
from xgen_infra.delivery.values import ServiceValues
from xgen_infra.explain import pod
from xgen_infra.explain.changes import bumped
from xgen_infra.explain.chart import ObjectId, Objects
from xgen_infra.explain.differences import MISSING, changed, leaves
from xgen_infra.explain.inputs import at
from xgen_infra.explain.pod import Carrier
from xgen_infra.explain.stack import Output
from xgen_infra.explain.subject import HIDDEN, ExplainError, Origin, Subject, near
from xgen_infra.findings import KeyPath, dotted, keeps_secret

Touched = dict[ObjectId, frozenset[KeyPath]]
"""Objects, with the paths in them that a change reaches."""
_PLAIN_ENVIRONMENT = ("env", "outputs")
Seen = dict[tuple[ObjectId, KeyPath], Any]
"""What stands at some places of the rendered objects."""


@dataclass(frozen=True)
class Way:
    """The way of one variable, or of one value of the chart, at one service.

    `value` is what arrives, planned where only a resource knows it, HIDDEN for a secret. `origins` are the fields
    that decide it, those that somebody wrote first. `objects` are the places in the rendered objects that it
    decides, `seen` what stands there, `beside` the other values of the chart that decide the same places. `output`
    is set for what travels through the stack, `carrier` and the rest for a variable of the environment.
    """

    service: catalog.ServiceName
    name: str
    value: Any
    origins: tuple[Origin, ...]
    chart: tuple[KeyPath, ...]
    objects: Touched
    seen: Seen = field(default_factory=dict)
    beside: tuple[tuple[KeyPath, tuple[Origin, ...]], ...] = ()
    output: Output | None = None
    carrier: Carrier | None = None
    dotenv: str = ""
    dotenv_line: str = ""


def way(subject: Subject, service: catalog.ServiceName, name: str) -> Way:
    """Return the way of a variable of the environment, or of a value (or part) of the chart.

    Raises ExplainError where the service has neither.
    """
    objects = subject.chart.one(subject.values(service))
    variables = pod.environment(objects)
    if name in variables:
        return _variable(subject, service, name, variables[name])
    values = subject.values(service)
    prefix = tuple(name.split("."))
    if at(values, prefix) is None:
        raise ExplainError(
            f"{service} has no '{name}'{near(name, [*variables, *values])}; xgen explain {subject.site.stack} {service} lists them"
        )
    return _value(subject, service, name, prefix)


def _value(subject: Subject, service: catalog.ServiceName, name: str, prefix: KeyPath) -> Way:
    """Return the way of a value of the chart, or of a part of it."""
    values = subject.values(service)
    paths = [path for path, _ in leaves(values)]
    found = subject.influences(service)
    by_path = dict(zip(paths, touched(subject, service, paths), strict=True))
    mine = [path for path in paths if path[: len(prefix)] == prefix]
    fields = [field for leaf, of in found.items() if leaf[: len(prefix)] == prefix for field in of]
    objects = _together(by_path[path] for path in mine)
    beside = [path for path in paths if path not in mine and path in found and _meet(by_path[path], objects)]
    return Way(
        service,
        name,
        _masked(at(values, prefix), prefix),
        _origins(subject, fields, at(values, prefix)),
        tuple(mine),
        objects,
        _seen(subject, service, objects),
        beside=tuple((path, _origins(subject, found[path], at(values, path))) for path in beside),
    )


def _masked(value: Any, path: KeyPath) -> Any:
    """Return a value of the chart without what the name of a variable says is nobody's to read."""
    if isinstance(value, dict):
        return {key: _masked(item, (*path, key)) for key, item in value.items()}
    return HIDDEN if path[0] in _PLAIN_ENVIRONMENT and keeps_secret(path[-1]) else value


def _meet(one: Touched, other: Touched) -> bool:
    return any(paths & other.get(place, frozenset()) for place, paths in one.items())


def _seen(subject: Subject, service: catalog.ServiceName, objects: Touched) -> Seen:
    """Return what stands at the touched places as the file is now."""
    made = subject.chart.one(subject.values(service))
    return {
        (one, path): HIDDEN if one.kind == "ConfigMap" and keeps_secret(path[-1]) else leaf
        for one, paths in objects.items()
        for path, leaf in leaves(made.get(one, MISSING))
        if path in paths
    }


def table(subject: Subject, service: catalog.ServiceName) -> list[Way]:
    """Return the way of every variable of a service, without the objects on it: quick, for a table."""
    variables = pod.environment(subject.chart.one(subject.values(service)))
    found = subject.influences(service)
    return [_short(subject, service, name, carrier, found) for name, carrier in sorted(variables.items())]


def settings(subject: Subject, service: catalog.ServiceName) -> list[Way]:
    """Return every other value of the chart that a field decides, the environment left out."""
    values, found = subject.values(service), subject.influences(service)
    variables = set(pod.environment(subject.chart.one(values)))
    return [
        Way(service, dotted(path), value, _origins(subject, found[path], value), (path,), {})
        for path, value in leaves(values)
        if path in found and not variables & {*path, value if isinstance(value, str) else ""}
    ]


def _short(
    subject: Subject,
    service: catalog.ServiceName,
    name: str,
    carrier: Carrier,
    found: Mapping[KeyPath, list[KeyPath]],
) -> Way:
    values = subject.values(service)
    paths = [path for path, _ in leaves(values) if name in path]
    output = subject.outputs.get(name)
    fields = (field for path in paths for field in found.get(path, ()))
    origins = _origins(subject, fields, carrier.value)
    if output and output.credential:
        origins = (subject.secret_origin(output.credential), *origins)
    secret = carrier.value is None or keeps_secret(name)
    value = HIDDEN if secret else carrier.value
    file = pod.dotenv(subject.chart.one(values)).get(name, "")
    line = f"{name}={HIDDEN}" if secret else pod.dotenv_line(name, str(value))
    return Way(
        service,
        name,
        value,
        origins,
        tuple(paths),
        {},
        output=output,
        carrier=carrier,
        dotenv=file,
        dotenv_line=line if file else "",
    )


def _variable(subject: Subject, service: catalog.ServiceName, name: str, carrier: Carrier) -> Way:
    short = _short(subject, service, name, carrier, subject.influences(service))
    listed = [path for path, value in leaves(subject.values(service)) if value == name and name not in path]
    objects = _together(touched(subject, service, short.chart))
    seen = {} if short.value == HIDDEN else _seen(subject, service, objects)
    return replace(short, chart=(*short.chart, *listed), objects=objects, seen=seen)


def _origins(subject: Subject, fields: Iterable[KeyPath], value: Any = None) -> tuple[Origin, ...]:
    """Return the fields' origins: what somebody wrote before what nobody did, what shows in the value first."""
    found = [subject.origin(field) for field in dict.fromkeys(fields)]
    owners = ("file", "vendor", "name", "default")
    return tuple(
        sorted(found, key=lambda one: (owners.index(one.owner), str(one.value) not in str(value), _kind(one)))
    )


def _kind(origin: Origin) -> bool:
    return origin.path[-1] == "kind"


def touched(subject: Subject, service: catalog.ServiceName, paths: Iterable[KeyPath]) -> list[Touched]:
    """Return, for each value of the chart, what changes in the rendered objects when it alone changes."""
    base = subject.values(service)
    varied = [_varied(base, path) for path in paths]
    first, *others = subject.chart.render([base, *(one or base for one in varied)])
    return [_changes(first, other) for other in others]


def _changes(first: Objects, other: Objects) -> Touched:
    ids = {*first, *other}
    found = {one: changed(first.get(one, MISSING), other.get(one, MISSING)) for one in ids}
    return {one: paths for one, paths in found.items() if paths}


def _together(all_touched: Iterable[Touched]) -> Touched:
    found: Touched = {}
    for touched_once in all_touched:
        for one, paths in touched_once.items():
            found[one] = found.get(one, frozenset()) | paths
    return dict(sorted(found.items()))


def _varied(values: dict[str, Any], path: KeyPath) -> dict[str, Any] | None:
    """Return the values with another one at a path that the models of the chart take; None where there is none."""
    for value in _others(at(values, path), in_list=isinstance(path[-1], int)):
        made: dict[str, Any] = _replaced(values, path, value)
        try:
            ServiceValues.model_validate(made)
        except ValidationError:
            continue
        return made
    return None


_GONE = object()


def _others(value: Any, *, in_list: bool) -> Iterator[Any]:
    if in_list:
        yield _GONE
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from bumped(value) if value else ("probe", "sha256:" + "0" * 64, "probe.example/probe")


def _replaced(data: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, list):
        items = [_replaced(item, rest, value) if index == key else item for index, item in enumerate(data)]
        return [item for item in items if item is not _GONE]
    return {**data, key: _replaced(data[key], rest, value)}


def travels(path: KeyPath) -> str:
    """Say how a value of the chart reaches the cluster: with the stack, or through the customer's Git."""
    return "stack" if path[0] in WITH_THE_STACK else "git"
