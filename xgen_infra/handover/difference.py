"""Whether Argo CD would deploy exactly what runs: the values and the chart of the running releases, and the file's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgen_infra import catalog
from xgen_infra.delivery.layout import CHART_FOLDER
from xgen_infra.delivery.services import whole
from xgen_infra.engine import Result
from xgen_infra.handover.records import Record
from xgen_infra.mirror.content import content
from xgen_infra.site import Site

_STACKS = "outputs"
"""Known to the stack alone, which gives the same under both deliveries."""
_UNCHANGED = frozenset({"same", "read", "refresh"})


def differences(site: Site, running: Mapping[str, Record]) -> list[str]:
    """Return in words what of the running releases is not what the file and the chart say."""
    found = []
    chart = {
        path.removeprefix(f"{CHART_FOLDER}/"): data
        for path, data in content(site).items()
        if path.startswith((f"{CHART_FOLDER}/templates/", f"{CHART_FOLDER}/files/"))
    }
    for name in catalog.NAMES:
        if name not in running:
            continue
        expected = {key: value for key, value in whole(site, name, {}).items() if key != _STACKS}
        values = {key: value for key, value in running[name].values.items() if key != _STACKS}
        found += [f"{name}: {path}" for path in apart(values, expected)]
        theirs = {path: data for path, data in running[name].templates.items() if path in chart}
        found += [f"{name}: the chart's {path}" for path in sorted(chart) if theirs.get(path) != chart[path]]
    return found


def apart(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the paths at which two plain values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return [
            found
            for key in sorted({*one, *other})
            for found in apart(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
        ]
    return [] if one == other else [path]


def beyond_delivery(preview: Result) -> list[str]:
    """Return the steps of a preview that change something else than who delivers."""
    return [
        f"{step.op} {step.name}"
        for step in preview.steps
        if step.op not in _UNCHANGED and not _delivery(step.urn, step.type)
    ]


def _delivery(urn: str, kind: str) -> bool:
    parents = urn.split("::")[2]
    owners = ("xgen:delivery:Releases", "xgen:delivery:ArgoCD", "xgen:delivery:Applications")
    return kind.startswith("pulumi:") or any(owner in parents for owner in owners)
