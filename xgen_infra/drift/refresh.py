"""The engine's refresh, previewed: each resource of the state, read anew by its provider."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.drift.model import Difference, Unseen, shown
from xgen_infra.drift.security_groups import rules_by_hand
from xgen_infra.engine import Engine, EngineError
from xgen_infra.engine.events import bare, events_of
from xgen_infra.findings import keeps_secret
from xgen_infra.secrecy import redact

_ROUNDS = 4
_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[]+)')
_PROVIDER = "pulumi:providers:"
AUTOSCALED = {"aws:eks/nodeGroup:NodeGroup": ("scalingConfig.desiredSize",)}
"""Properties that an autoscaler moves, by type: what it does is no drift."""


@dataclass
class Refresh:
    """What previews of a refresh told. `read` maps the URN of a resource that was read to the event's metadata."""

    resources: Mapping[str, Mapping[str, Any]]
    read: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    @property
    def differences(self) -> Iterator[Difference]:
        """What is not as the state says."""
        for urn, metadata in self.read.items():
            yield from _differences(urn, metadata, self.resources.get(urn) or {})
        yield from rules_by_hand(self.read)

    @property
    def unseen(self) -> Iterator[Unseen]:
        """What could not be read: each failure with its reason, and what was not tried because of it."""
        for urn, why in self.failed.items():
            yield Unseen(_name(urn), why)
        for urn in self.resources:
            if urn not in self.read and urn not in self.failed and _is_read(self.resources[urn]):
                yield Unseen(_name(urn), "not read, because what it is reached by failed")


def refresh(engine: Engine, stack: str) -> Refresh:
    """Preview a refresh; where a provider fails, again without its resources, so that the rest is compared.

    Nothing is changed, not even the state. Raises EngineError where the state itself cannot be read.
    """
    state = engine.export(stack)["deployment"].get("resources") or []
    done = Refresh({resource["urn"]: resource for resource in state})
    for _ in range(_ROUNDS):
        failed, said = _preview(engine, stack, done)
        if not said:
            return done
        reached_by = {done.resources[urn].get("provider") for urn in failed if urn in done.resources} - {None}
        beside = {
            urn
            for urn, resource in done.resources.items()
            if resource.get("provider") in reached_by or _provider_of(resource) in reached_by
        }
        if not beside - done.left_out:
            raise EngineError(said)
        done.failed |= failed
        done.left_out |= beside
    return done


def _preview(engine: Engine, stack: str, done: Refresh) -> tuple[dict[str, str], str]:
    """Run one preview; return the URNs that failed, each with its reason, and what the engine said at the end."""
    options = [option for urn in sorted(done.left_out) for option in ("--exclude", urn)]
    with tempfile.TemporaryDirectory(prefix="xgen-drift-") as folder:
        log = Path(folder) / "events.json"
        said = ""
        try:
            engine.run("refresh", "--preview-only", "--stack", stack, "--event-log", str(log), *options)
        except EngineError as error:
            said = str(error)
        failed: dict[str, str] = {}
        for event in events_of(log):
            metadata = (event.get("resOutputsEvent") or {}).get("metadata")
            if metadata and metadata["urn"] not in done.left_out:
                done.read[metadata["urn"]] = metadata
            told = event.get("diagnosticEvent") or {}
            if told.get("severity") == "error" and told.get("urn"):
                failed.setdefault(told["urn"], redact.text(bare(told["message"]).strip()))
    return failed, said


def _differences(urn: str, metadata: Mapping[str, Any], resource: Mapping[str, Any]) -> Iterator[Difference]:
    name, kind = _name(urn), metadata["type"]
    if metadata["op"] == "delete":
        yield Difference(name, kind, "", "deleted")
        return
    ignored = (*AUTOSCALED.get(kind, ()), *(resource.get("ignoreChanges") or ()))
    for path, change in (metadata.get("detailedDiff") or {}).items():
        if any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in ignored):
            continue
        side = "inputs" if change.get("inputDiff") else "outputs"
        before, after = (at(path, (metadata.get(age) or {}).get(side)) for age in ("old", "new"))
        if keeps_secret(path):
            before, after = (redact.HIDDEN if one is not None else None for one in (before, after))
        changed = "added" if before is None else "deleted" if after is None else "changed"
        yield Difference(name, kind, path, changed, shown(before), shown(after))  # type: ignore[arg-type]


def at(path: str, value: Any) -> Any:
    """Return what stands at a property path (`spec.containers[0]["a.b"]`); None where nothing does."""
    for quoted, index, key in _STEP.findall(path):
        if index and isinstance(value, list):
            value = value[int(index)] if int(index) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(quoted or key)
        else:
            return None
    return value


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _provider_of(resource: Mapping[str, Any]) -> str | None:
    """Return the reference by which others name a provider resource: `<urn>::<id>`."""
    if not resource["type"].startswith(_PROVIDER):
        return None
    return f"{resource['urn']}::{resource.get('id', '')}"


def _is_read(resource: Mapping[str, Any]) -> bool:
    """Whether a refresh reads it: components, providers and the stack have nothing to read."""
    return bool(resource.get("custom")) and not resource["type"].startswith(_PROVIDER)
