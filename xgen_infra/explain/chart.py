"""The chart's objects by real `helm template`, many sets of values in one run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from xgen_infra.delivery.layout import CHART_FOLDER

_SOURCE = re.compile(r"^# Source: [^/]+/charts/(?P<alias>\w+)/templates/", re.MULTILINE)
_SEPARATOR = re.compile(r"^---\n", re.MULTILINE)
_LABEL = "helm.sh/chart: "
Values = Mapping[str, Any]


class ChartError(Exception):
    """Helm refuses values of the chart; the text is what it says."""


@dataclass(frozen=True, order=True)
class ObjectId:
    """A Kubernetes object of one service."""

    kind: str
    name: str


Objects = dict[ObjectId, Any]
"""A service's objects."""


@dataclass(frozen=True)
class Chart:
    """The chart of this project. `helm` renders it; what was rendered once is kept."""

    helm: Path
    namespace: str
    folder: Path = Path(CHART_FOLDER)
    _known: dict[str, Objects] = field(default_factory=dict, repr=False)

    def render(self, batch: Sequence[Values]) -> list[Objects]:
        """Return the objects of each set of values; raises ChartError where Helm refuses one of them."""
        texts = [json.dumps(values, sort_keys=True) for values in batch]
        fresh = {text: values for text, values in zip(texts, batch, strict=True) if text not in self._known}
        for text, objects in zip(fresh, self._rendered(list(fresh.values())), strict=True):
            self._known[text] = objects
        return [self._known[text] for text in texts]

    def one(self, values: Values) -> Objects:
        """Return the objects of one set of values."""
        return self.render([values])[0]

    def _rendered(self, batch: Sequence[Values]) -> Iterator[Objects]:
        """Render a chart made for the moment whose parts are this chart, once for each set of values."""
        if not batch:
            return
        aliases = [f"v{number}" for number in range(len(batch))]
        with tempfile.TemporaryDirectory(prefix="xgen-explain-") as folder:
            around = Path(folder)
            own = yaml.safe_load((self.folder / "Chart.yaml").read_text(encoding="utf-8"))
            shutil.copytree(self.folder, around / "charts" / own["name"])
            part = {"name": own["name"], "version": own["version"], "repository": ""}
            chart: dict[str, Any] = {"apiVersion": "v2", "name": "around", "version": "0.0.0"}
            chart["dependencies"] = [{**part, "alias": alias} for alias in aliases]
            (around / "Chart.yaml").write_text(json.dumps(chart))
            (around / "values.json").write_text(json.dumps(dict(zip(aliases, batch, strict=True))))
            # The values come from the models that the chart's own schema is made from.
            command = [str(self.helm), "template", "explain", folder, "--namespace", self.namespace]
            command += ["--values", str(around / "values.json"), "--skip-schema-validation"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChartError(f"helm refuses the chart's values: {done.stderr.strip()}")
        parts = _parts(done.stdout, aliases, own["name"])
        parsed: dict[str, Any] = {}
        for alias in aliases:
            yield _objects(parts[alias], parsed)


def _parts(text: str, aliases: Sequence[str], name: str) -> dict[str, list[str]]:
    """Return the documents of each alias, as if the chart had been rendered under its own name."""
    parts: dict[str, list[str]] = {alias: [] for alias in aliases}
    for document in _SEPARATOR.split(text):
        found = _SOURCE.match(document)
        if found:
            alias = found["alias"]
            body = document.partition("\n")[2]
            parts[alias].append(body.replace(f"{_LABEL}{alias}-", f"{_LABEL}{name}-"))
    return parts


def _objects(documents: Sequence[str], parsed: dict[str, Any]) -> Objects:
    """Parse documents; most of a batch are alike, so each text is parsed once."""
    objects: Objects = {}
    for text in documents:
        if text not in parsed:
            parsed[text] = yaml.load(text, Loader=yaml.CSafeLoader)
        made = parsed[text]
        if made:
            objects[ObjectId(made["kind"], made["metadata"]["name"])] = made
    return objects
