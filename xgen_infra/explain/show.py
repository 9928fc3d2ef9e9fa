"""What was found out, as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xgen_infra import catalog
from xgen_infra.cli.sites import columns
from xgen_infra.explain.chart import ObjectId
from xgen_infra.explain.differences import leaves, pointer
from xgen_infra.explain.reach import Reach, Service
from xgen_infra.explain.stack import Output
from xgen_infra.explain.subject import Origin, Subject
from xgen_infra.explain.ways import Way, travels
from xgen_infra.findings import KeyPath, dotted

_TRAVELS = {"stack": "with pulumi up", "git": "through the customer's Git"}
_FEW = 4
_SERVICE = re.compile("|".join(sorted(catalog.NAMES, key=len, reverse=True)))
_NOTHING: tuple[Any, ...] = (None, [], {}, "")


def place(origin: Origin) -> str:
    """Return where a field stands, as an editor opens it; for what nobody wrote, that it is a default."""
    if origin.line:
        return f"{origin.file}:{origin.line}:{origin.column}"
    return f"{origin.file}, its name" if origin.owner == "name" else "default"


def value(found: Any) -> str:
    """Return a plain value on one line."""
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str):
        return found
    return "nothing" if found in _NOTHING else str(found)


def overview(subject: Subject) -> str:
    """Return one line for each service: what runs, how many, how large, where people reach it."""
    rows = [("SERVICE", "IMAGE", "PODS", "CPU", "MEMORY", "HOST")]
    every = [subject.values(name) for name in catalog.NAMES]
    for values, objects in zip(every, subject.chart.render(every), strict=True):
        container = objects[ObjectId("Deployment", values["name"])]["spec"]["template"]["spec"]["containers"][
            0
        ]
        scale, resources = values["autoscaling"], values["resources"]
        pods = (
            f"{scale['minReplicas']} to {scale['maxReplicas']}"
            if scale["enabled"]
            else str(values["replicas"])
        )
        cpu, memory = (f"{resources['requests'][k]} to {resources['limits'][k]}" for k in ("cpu", "memory"))
        ingress = values["ingress"]
        host = f"{ingress['host'] or 'any'}{ingress['path']}" if ingress["enabled"] else ""
        rows.append((values["name"], container["image"], pods, cpu, memory, host))
    more = (
        f"\nOne service with every value's origin:  xgen explain {subject.site.stack} xgen-core"
        f"\nWhat a line of the file reaches:        xgen explain {subject.site.stack} --from source.repoURL"
    )
    return columns(rows) + "\n" + more


def tables(environment: Sequence[Way], settings: Sequence[Way]) -> str:
    """Return a service's environment and its other settings, each value with where it comes from."""
    rows = [("VARIABLE", "VALUE", "FROM", "THROUGH")]
    for way in environment:
        carrier = f"{way.carrier.kind} {way.carrier.name}" if way.carrier else ""
        rows.append((way.name, value(way.value), source(way), carrier + (", .env" if way.dotenv else "")))
    others = [("VALUE OF THE CHART", "VALUE", "FROM")]
    others += [(way.name, value(way.value), source(way)) for way in settings]
    return f"{columns(rows)}\n\n{columns(others)}"


def source(way: Way) -> str:
    """Return in a few words where a value comes from: the first place, and how many more decide with it."""
    if not way.origins and way.output and way.output.resources:
        return _output(way.output)
    return _place_of(way.origins)


def _place_of(origins: Iterable[Origin]) -> str:
    deciding, silent = _split(origins)
    if not deciding:
        return f"default of {dotted(silent[0].path)}" if silent else "default"
    first = deciding[0]
    words = {"default": f"default of {dotted(first.path)}", "name": "the file's name"}.get(first.owner)
    rest = f" and {len(deciding) - 1} more" if len(deciding) > 1 else ""
    return (words or f"{first.file}:{first.line} {dotted(first.path)}") + rest


def whole(way: Way, site: str) -> str:
    """Return the whole way of one value, a step a line."""
    deciding, silent = _split(way.origins)
    lines = [f"{way.name} of {way.service} at {site}: {_multiline(way.value)}", ""]
    lines += ["decided by", *_origins(deciding)] if deciding else []
    lines += ["not written; a line of each would change it", *_origins(silent)] if silent else []
    lines += ["through", *_indented(_steps(way))]
    if way.beside:
        rows = [(dotted(path), _place_of(origins)) for path, origins in way.beside]
        lines += ["together with", *_indented(columns(rows).splitlines())]
    return "\n".join([*lines, *_places(way)])


def _places(way: Way) -> list[str]:
    if not way.objects:
        return ["seen in no object, as the file is now"]
    carrier = way.carrier and ObjectId(way.carrier.kind, way.carrier.name)
    rows = [
        (f"{one.kind} {one.name}", _pointers(way, one, sorted(paths, key=str)))
        for one, paths in way.objects.items()
        if one != carrier
    ]
    return ["seen in", *_indented(columns(rows).splitlines())] if rows else []


def _pointers(way: Way, one: ObjectId, paths: Sequence[KeyPath]) -> str:
    words = []
    for path in paths:
        leaf = way.seen.get((one, path))
        words.append(pointer(path) + (f" = {value(leaf)}" if leaf is not None else ""))
    return _some(words)


def _split(origins: Iterable[Origin]) -> tuple[list[Origin], list[Origin]]:
    """Tell apart what decides a value and what could: fields that nobody wrote and that hold nothing."""
    listed = list(origins)
    silent = [one for one in listed if one.owner == "default" and one.value in _NOTHING]
    return [one for one in listed if one not in silent], silent


def _multiline(found: Any) -> str:
    if isinstance(found, (dict, list)) and found:
        return "".join(f"\n  {dotted(path)}: {value(leaf)}" for path, leaf in leaves(found))
    return value(found)


def _origins(origins: Sequence[Origin]) -> list[str]:
    rows = [(place(one), _assignment(one), one.purpose) for one in origins]
    return _indented(columns(rows).splitlines())


def _assignment(origin: Origin) -> str:
    if origin.owner == "secret":
        return dotted(origin.path)
    return f"{dotted(origin.path)}: {value(origin.value)}"


def _steps(way: Way) -> Iterator[str]:
    rows: list[tuple[str, str]] = []
    if way.output:
        rows.append(("output", _output(way.output)))
    ways: dict[str, list[KeyPath]] = {}
    for path in way.chart:
        ways.setdefault(travels(path), []).append(path)
    rows += [
        ("chart value", f"{_some([dotted(path) for path in paths])}, {_TRAVELS[how]}")
        for how, paths in ways.items()
    ]
    if way.carrier:
        rows.append((way.carrier.kind, f"{way.carrier.name}, key {way.carrier.key}"))
        rows.append(("environment", way.name))
    if way.dotenv:
        rows.append((".env", f"{way.dotenv}: {way.dotenv_line}"))
    yield from columns(rows).splitlines()


def _output(output: Output) -> str:
    if output.credential:
        return "none: the secret itself"
    made = ", ".join(f"{one.type} {one.name}" for one in output.resources)
    known = "known before the first up" if output.known else "known after up"
    return f"{made}, {known}" if made else f"no resource's, {known}"


def _some(words: Sequence[str]) -> str:
    rest = f" and {len(words) - _FEW} more" if len(words) > _FEW else ""
    return ", ".join(words[:_FEW]) + rest


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def reached(reach: Reach) -> str:
    """Return everything that a line reaches, services that it reaches in the same way told once."""
    lines = [reach.path, *_origins(reach.origins)]
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, service in reach.services.items():
        groups.setdefault(tuple(_service(service, name)), []).append(name)
    for told, names in groups.items():
        words = "all six services" if len(names) == len(catalog.NAMES) else ", ".join(names)
        lines += ["", words, *_indented(told)]
    files = [(name, _some(sorted(one.dotenv))) for name, one in reach.services.items() if one.dotenv]
    lines += ["", *(f"the .env file of {name}: {variables}" for name, variables in files)] if files else []
    if not (reach.tried or reach.origins[0].owner == "secret"):
        return "\n".join(
            [*lines, "", "no other value of this line alone is valid beside the rest of the file"]
        )
    lines += [] if reach.services else ["", "none of the six services"]
    return "\n".join([*lines, "", *_stack(reach)])


def _service(service: Service, name: str) -> list[str]:
    """Return what changes at a service, with `<service>` in place of its name."""
    rows: list[tuple[str, str]] = []
    if service.environment:
        rows.append(("environment", _some(sorted(service.environment))))
    if service.values:
        rows.append(("chart value", _some(sorted(map(dotted, service.values)))))
    rows += [
        (f"{one.kind} {one.name.replace(name, '<service>', 1)}", _some(_alike(map(pointer, paths))))
        for one, paths in sorted(service.objects.items())
    ]
    if service.rolls:
        rows.append(("pods", "replaced, one after the other"))
    return columns(rows).splitlines()


def _alike(pointers: Iterable[str]) -> list[str]:
    """Return pointers with their places in lists left open."""
    return sorted({re.sub(r"/\d+(?=/|$)", "/*", one) for one in pointers})


def _stack(reach: Reach) -> list[str]:
    groups: dict[tuple[str, str, str], int] = {}
    for one, paths in sorted(reach.resources.items(), key=lambda item: (item[0].type, item[0].name)):
        name = _SERVICE.sub("<service>", one.name)
        row = (one.type.rpartition(":")[2], name, _some(sorted(map(dotted, paths))))
        groups[row] = groups.get(row, 0) + 1
    if not groups:
        return ["no resource of the stack"]
    rows = [(kind, name, inputs) for kind, name, inputs in groups]
    return ["resources of the stack (pulumi up)", *_indented(columns(rows).splitlines())]
