"""Charts: where the one that a release names is, and what it says of itself."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from xgen_infra.rehearsal.standins.contract import Props

SUBSTITUTES = "XGEN_CHART_SUBSTITUTES"
"""Names a JSON file {"<repository>|<chart>|<version>": "<folder>"}: charts in place of unreachable ones."""


class ChartError(Exception):
    """A chart cannot be found or read; the message says why."""


@dataclass(frozen=True)
class Source:
    """Where a chart comes from: a local folder or archive, or a repository. `simulated` where it is a substitute."""

    reference: str
    local: Path | None = None
    simulated: bool = False


class Charts:
    """Finds charts: in the program's folder, among the substitutes, in repositories."""

    def __init__(self, project: Path) -> None:
        self._project = project
        listed = os.environ.get(SUBSTITUTES)
        self._substitutes: dict[str, str] = json.loads(Path(listed).read_text()) if listed else {}

    def source(self, inputs: Mapping[str, Any]) -> Source:
        """Return where a release's chart is; raises ChartError for a local one that is not there."""
        chart, version = str(inputs.get("chart") or ""), str(inputs.get("version") or "")
        repository = str((inputs.get("repositoryOpts") or {}).get("repo") or "")
        substitute = self._substitutes.get(f"{repository}|{chart}|{version}")
        if substitute:
            return Source(chart, Path(substitute), simulated=True)
        place = self._project / chart
        if not repository and chart and place.exists():
            return Source(chart, place.resolve())
        if chart.startswith((".", "/")) or not chart:
            raise ChartError(f"there is no chart at {chart!r} (looked for from {self._project})")
        return Source(chart)

    def named(self, name: str) -> str:
        """Return how a program would name a chart of this name: by its folder, where it is in the program's."""
        return f"./{name}" if (self._project / name / "Chart.yaml").is_file() else name


def metadata(chart: Path) -> Props:
    """Return what a local chart's Chart.yaml says; raises ChartError."""
    try:
        folder = chart.is_dir()
        content = yaml.safe_load((chart / "Chart.yaml").read_bytes() if folder else _member(chart))
    except (OSError, tarfile.TarError, yaml.YAMLError) as error:
        raise ChartError(f"{chart} is no chart: {error}") from None
    if not isinstance(content, dict) or not content.get("version"):
        raise ChartError(f"{chart}: Chart.yaml states no version")
    return content


def digest(chart: Path) -> str:
    """Return a digest of a local chart's files."""
    found = hashlib.sha256()
    files = sorted(chart.rglob("*")) if chart.is_dir() else [chart]
    for file in files:
        if file.is_file():
            found.update(str(file.relative_to(chart)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _member(archive: Path, name: str = "Chart.yaml") -> bytes:
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.count("/") == 1 and member.name.endswith(f"/{name}"):
                content = opened.extractfile(member)
                if content:
                    return content.read()
    raise ChartError(f"{archive} holds no {name}")
