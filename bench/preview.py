"""Preview of aww against a flat program: the same resources, one after another, from the same SDK modules."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measure import Figure, alternating
from bench.world import ROOT, sample
from xgen_infra.engine import Engine
from xgen_infra.rehearsal.world import World

_ROUNDS = 5
_PROGRAM = """\
import json, pathlib, pulumi
from importlib import import_module

for module in json.loads(pathlib.Path("modules.json").read_text()):
    try:
        import_module(module)
    except ImportError:  # a custom resource has no module
        pass

class Any(pulumi.CustomResource):
    pass

class Part(pulumi.ComponentResource):
    pass

class Provider(pulumi.ProviderResource):
    pass

made = {}
for one in json.loads(pathlib.Path("resources.json").read_text()):
    provider = made.get(one["provider"])
    options = pulumi.ResourceOptions(provider=provider) if provider else None
    if one["type"].startswith("pulumi:providers:"):
        made[one["urn"]] = Provider(one["type"].rsplit(":", 1)[-1], one["name"], one["inputs"])
    elif one["custom"]:
        Any(one["type"], one["name"], one["inputs"], options)
    else:
        Part(one["type"], one["name"])
"""


def against_flat() -> Iterator[Figure]:
    """Yield preview of aww divided by preview of the flat program."""
    with sample("aww") as made, tempfile.TemporaryDirectory(prefix="xgen-flat-") as folder:
        flat = _flat(made, Path(folder))
        ours, theirs = alternating(
            lambda: made.engine.preview(made.stack), lambda: flat.preview(made.stack), _ROUNDS
        )
    yield Figure("preview of aww / the same resources from a flat program", ours / theirs, 1.10)
    yield Figure("preview of aww", ours, unit="s")


def _flat(made: World, folder: Path) -> Engine:
    """Write the flat program from what the real one registers, read from the engine's own preview."""
    steps = json.loads(made.engine.run("preview", "--json", "--stack", made.stack))["steps"]
    resources = [
        _resource(step["newState"]) for step in steps if step["newState"]["type"] != "pulumi:pulumi:Stack"
    ]
    resources.sort(key=lambda one: not one["type"].startswith("pulumi:providers:"))
    (folder / "resources.json").write_text(json.dumps(resources))
    (folder / "modules.json").write_text(
        json.dumps(sorted({_module(one["type"]) for one in resources} - {""}))
    )
    (folder / "__main__.py").write_text(_PROGRAM)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    return Engine(folder, made.engine.binary, made.environment)


def _module(token: str) -> str:
    """Return the SDK's Python module of a type token: `aws:ec2/vpc:Vpc` is in pulumi_aws.ec2."""
    package, module, _ = token.split(":")
    if package not in {"aws", "eks", "kubernetes"}:
        return ""
    first = module.split("/")[0].split(".")[0]
    return f"pulumi_{package}" if first in {"index", "helm"} else f"pulumi_{package}.{first}"


def _resource(state: dict[str, Any]) -> dict[str, Any]:
    urn, provider = str(state["urn"]), str(state.get("provider", ""))
    return {
        "urn": urn,
        "type": str(state["type"]),
        "name": urn.rsplit("::", 1)[-1],
        "custom": bool(state.get("custom")),
        "inputs": state.get("inputs", {}),
        "provider": provider.rpartition("::")[0],
    }
