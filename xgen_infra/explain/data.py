"""What was found out, as JSON values for programs. Paths of the file and the chart are dotted, of objects JSON pointers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from xgen_infra.explain.chart import ObjectId
from xgen_infra.explain.differences import pointer
from xgen_infra.explain.reach import Reach
from xgen_infra.explain.subject import Origin
from xgen_infra.explain.ways import Way, travels
from xgen_infra.findings import KeyPath, dotted


def way_json(way: Way) -> dict[str, Any]:
    """Return a way: name, value, origins, output, chart, objects, carrier, dotenv; null where it has none."""
    output = way.output
    return {
        "service": way.service,
        "name": way.name,
        "value": way.value,
        "origins": [_origin(one) for one in way.origins],
        "output": output
        and {
            "known": output.known,
            "resources": [asdict(one) for one in output.resources],
        },
        "chart": [{"path": dotted(path), "travels": travels(path)} for path in way.chart],
        "objects": _objects(way.objects),
        "carrier": way.carrier
        and {"kind": way.carrier.kind, "name": way.carrier.name, "key": way.carrier.key},
        "dotenv": {"path": way.dotenv, "line": way.dotenv_line} if way.dotenv else None,
    }


def reach_json(reach: Reach) -> dict[str, Any]:
    """Return a reach: path, origins, services by name, resources."""
    return {
        "from": reach.path,
        "origins": [_origin(one) for one in reach.origins],
        "tried": reach.tried,
        "services": {
            name: {
                "values": sorted(map(dotted, service.values)),
                "objects": _objects(service.objects),
                "environment": sorted(service.environment),
                "dotenv": sorted(service.dotenv),
                "rolls": service.rolls,
            }
            for name, service in reach.services.items()
        },
        "resources": [
            {"type": one.type, "name": one.name, "inputs": sorted(map(dotted, paths))}
            for one, paths in sorted(reach.resources.items(), key=lambda item: (item[0].type, item[0].name))
        ],
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {**asdict(origin), "path": dotted(origin.path)}


def _objects(objects: Mapping[ObjectId, Iterable[KeyPath]]) -> list[dict[str, Any]]:
    return [
        {"kind": one.kind, "name": one.name, "pointers": sorted(map(pointer, paths))}
        for one, paths in sorted(objects.items())
    ]
