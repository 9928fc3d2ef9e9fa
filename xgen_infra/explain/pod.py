"""What a container of a rendered Deployment sees: its environment, and the .env file that is merged from it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra.delivery.layout import CHART_FOLDER
from xgen_infra.explain.chart import ObjectId, Objects

_MERGE = Path(CHART_FOLDER) / "files" / "merge_dotenv.py"


@dataclass(frozen=True)
class Carrier:
    """Where a variable's value is read from: a key of a ConfigMap or Secret. `value` is None for a Secret's."""

    kind: str
    name: str
    key: str
    value: str | None = None


def environment(objects: Objects) -> dict[str, Carrier]:
    """Return the service container's variables.

    `env` wins over `envFrom` (Kubernetes API, Container: envFrom).
    """
    container = _pod(objects)["containers"][0]
    found: dict[str, Carrier] = {}
    for source in container.get("envFrom", ()):
        name = source["configMapRef"]["name"]
        data = objects[ObjectId("ConfigMap", name)].get("data") or {}
        found |= {key: Carrier("ConfigMap", name, key, value) for key, value in data.items()}
    for variable in container.get("env", ()):
        reference = variable["valueFrom"]["secretKeyRef"]
        found[variable["name"]] = Carrier("Secret", reference["name"], reference["key"])
    return found


def _pod(objects: Objects) -> Mapping[str, Any]:
    deployment = next(made for one, made in objects.items() if one.kind == "Deployment")
    spec: Mapping[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def dotenv(objects: Objects) -> dict[str, str]:
    """Return, by variable, the path of the .env file into which it is merged."""
    found: dict[str, str] = {}
    for container in _pod(objects).get("initContainers", ()):
        if container["command"][-1].endswith(_MERGE.name):
            path, _target, *keys = container["args"]
            found |= dict.fromkeys(keys, path)
    return found


def dotenv_line(variable: str, value: str) -> str:
    """Return the line that the merge writes, by the script that writes it."""
    spec = importlib.util.spec_from_file_location("merge_dotenv", _MERGE)
    assert spec  # noqa: S101
    assert spec.loader  # noqa: S101
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    merge: Callable[[str, dict[str, str]], str] = script.merge
    return merge("", {variable: value}).rstrip("\n")
