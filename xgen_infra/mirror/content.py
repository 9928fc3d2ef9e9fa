"""What of a site goes to the customer's Git: the chart and one values file per service. Pure, offline, deterministic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from xgen_infra import catalog
from xgen_infra.delivery.layout import CHART_FOLDER, VALUES_FOLDER
from xgen_infra.delivery.schema import CHART
from xgen_infra.delivery.services import from_git
from xgen_infra.site import Site

_CHART_FILES = ("Chart.yaml", "README.md", "values.yaml", "values.schema.json", ".helmignore")
_CHART_FOLDERS = {"templates": (".yaml", ".tpl", ".txt"), "files": (".py",)}
"""What a chart consists of; nothing else that lies in its folder is published."""


def content(site: Site, chart: Path = CHART) -> dict[str, bytes]:
    """Return the files that Argo CD reads, by their path below `source.path`.

    They are made of the customer's file alone: no secret, no output of a resource, nothing of another site.
    """
    return {**chart_files(chart), **values_files(site)}


def values_files(site: Site) -> dict[str, bytes]:
    """Return `values/<service>.yaml` of the six services."""
    return {f"{VALUES_FOLDER}/{name}.yaml": values_text(site, name).encode() for name in catalog.NAMES}


def values_text(site: Site, name: catalog.ServiceName) -> str:
    """Return one service's values file."""
    return (
        f"# Made of Pulumi.{site.stack}.yaml by `xgen mirror {site.stack}`. A change made here is not kept: change that file.\n"
        + yaml.safe_dump(from_git(site, name), sort_keys=False, allow_unicode=True, width=110)
    )


def chart_files(chart: Path) -> dict[str, bytes]:
    """Return the chart's files by their path in the customer's repository, in the order of their names."""
    found = [chart / name for name in _CHART_FILES]
    for folder, suffixes in _CHART_FOLDERS.items():
        found += [path for path in (chart / folder).rglob("*") if path.suffix in suffixes and path.is_file()]
    return {
        f"{CHART_FOLDER}/{path.relative_to(chart).as_posix()}": path.read_bytes() for path in sorted(found)
    }


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what differs between two contents, object by path: ("added" | "changed" | "removed", path)."""
    marks = []
    for path in sorted({*old, *new}):
        if path not in old:
            marks.append(("added", path))
        elif path not in new:
            marks.append(("removed", path))
        elif old[path] != new[path]:
            marks.append(("changed", path))
    return marks
