"""What a new program would change in a resource, and whether that replaces it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pulumi.runtime.proto import provider_pb2

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.contract import UNKNOWN, Delta, Props, Request, ResourceType


def compare(kind: ResourceType, req: Request, outputs: Props) -> Delta:
    """Compare old and new inputs by a type's own rule, or by the common one; ignored properties are left out."""
    delta = kind.diff(req, outputs) if kind.diff else _by_inputs(kind, req)
    ignored = [wire.steps(path) for path in req.ignored]
    kept = {
        path: how
        for path, how in delta.changes.items()
        if not any(wire.steps(path)[: len(way)] == way for way in ignored)
    }
    replaces = frozenset(path for path in delta.replaces if path in kept)
    return Delta(kept, replaces, delta.delete_first and bool(replaces))


def _by_inputs(kind: ResourceType, req: Request) -> Delta:
    changes = wire.differences(req.old_inputs, req.inputs)
    if kind.update is None:
        replaces = frozenset(changes)
    else:
        replaces = replacing(changes, kind.replace_on, req.old_inputs, req.inputs)
    return Delta(changes, replaces, kind.delete_before_replace)


def replacing(changes: Iterable[str], keys: Iterable[str], old: Props, new: Props) -> frozenset[str]:
    """Return the changed paths that touch one of `keys` (`a.b`: that property and all below it)."""
    ways = [wire.steps(key) for key in keys]
    return frozenset(path for path in changes if any(_replaces(way, path, old, new) for way in ways))


def _replaces(way: list[str | int], path: str, old: Props, new: Props) -> bool:
    changed = wire.steps(path)
    if not wire.touches(way, changed):
        return False
    if len([step for step in changed if isinstance(step, str)]) >= len(way):
        return True
    # Where all around a property is unknown, nothing can be said of it.
    around = (wire.at(new, way[:length]) for length in range(len(way)))
    return UNKNOWN not in around and wire.at(old, way) != wire.at(new, way)


def live_inputs(inputs: Any, live: Any) -> Any:
    """Return the inputs with their live values: what was asked for, as it stands."""
    if isinstance(inputs, dict) and isinstance(live, dict):
        return {key: live_inputs(value, live[key]) for key, value in inputs.items() if key in live}
    if isinstance(inputs, list) and isinstance(live, list) and len(inputs) == len(live):
        return [live_inputs(wanted, one) for wanted, one in zip(inputs, live, strict=True)]
    return live


def response(delta: Delta) -> Any:
    """Return a comparison in the engine's form."""
    kinds = provider_pb2.PropertyDiff
    detailed = {
        path: kinds(
            kind=kinds.Kind.Value((f"{how}_replace" if path in delta.replaces else how).upper()),
            inputDiff=True,
        )
        for path, how in delta.changes.items()
    }
    answer = provider_pb2.DiffResponse
    return answer(
        changes=answer.DIFF_SOME if delta.changes else answer.DIFF_NONE,
        replaces=sorted(delta.replaces),
        diffs=sorted({str(wire.steps(path)[0]) for path in delta.changes}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=delta.delete_first,
    )
