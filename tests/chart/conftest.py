"""The chart, rendered by real Helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from xgen_infra.delivery.schema import CHART

MINIMAL: dict[str, Any] = {
    "name": "xgen-core",
    "site": "acme",
    "global": {"registry": {"host": "registry.example:5000", "site": "acme"}},
    "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "4Gi"}},
}


@dataclass(frozen=True)
class Objects:
    """What a render gave."""

    all: tuple[dict[str, Any], ...]

    @property
    def kinds(self) -> list[str]:
        return sorted(item["kind"] for item in self.all)

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        found = [o for o in self.all if o["kind"] == kind and name in {None, o["metadata"]["name"]}]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    @property
    def pod(self) -> dict[str, Any]:
        template: dict[str, Any] = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> dict[str, Any]:
        container: dict[str, Any] = self.pod["spec"]["containers"][0]
        return container


@dataclass(frozen=True)
class Chart:
    """`render(env={...})` is the smallest values file with these values merged into it."""

    helm: Path
    folder: Path
    source: Path = CHART

    def template(self, *files: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run `helm template` with values files in this order."""
        arguments: list[str] = []
        for number, values in enumerate(files):
            file = self.folder / f"values-{number}.yaml"
            file.write_text(json.dumps(values))
            arguments += ["--values", str(file)]
        command = [
            str(self.helm),
            "template",
            "xgen-core",
            str(self.source),
            "--namespace",
            "xgen",
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def render(self, **changes: Any) -> Objects:
        done = self.template(with_changes(changes))
        assert done.returncode == 0, done.stderr
        return Objects(tuple(item for item in yaml.safe_load_all(done.stdout) if item))

    def refusal(self, **changes: Any) -> str:
        done = self.template(with_changes(changes))
        assert done.returncode != 0
        assert not done.stdout
        return done.stderr


def with_changes(changes: dict[str, Any]) -> dict[str, Any]:
    return _merged(deepcopy(MINIMAL), {key.removesuffix("_"): value for key, value in changes.items()})


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merged(base[key], value)
        else:
            base[key] = value
    return base


@pytest.fixture
def chart(helm: Path, tmp_path: Path) -> Chart:
    return Chart(helm, tmp_path)


@pytest.fixture
def minimal() -> Callable[..., dict[str, Any]]:
    """The smallest values file with changes merged in: `minimal(env={...})`."""
    return lambda **changes: with_changes(changes)
