"""Manifests and the property bags of their resources."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from xgen_infra.rehearsal.standins.contract import Props

MANAGER_KEY = "__fieldManager"
SERVER_SET = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_BOOKKEEPING = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")


def manifest_of(inputs: Props) -> Props:
    """Return the manifest of a resource's inputs, without what only a server sets."""
    manifest = {key: _dashed(value) for key, value in inputs.items() if not key.startswith("__")}
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    return {
        **manifest,
        "metadata": {key: value for key, value in metadata.items() if key not in SERVER_SET},
    }


def outputs_of(live: Props, inputs: Props, manager: str) -> Props:
    """Return the outputs of a live object: as it stands, with what was written but cannot be read back."""
    written = {"stringData": inputs["stringData"]} if inputs.get("stringData") else {}
    found: Props = _underscored({**live, **written})
    return {**found, MANAGER_KEY: manager}


def imported(live: Props) -> Props:
    """Return the inputs that a program would have to state for an object that is there."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_SET}
    kept = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _BOOKKEEPING
    }
    metadata.pop("annotations", None)
    if kept:
        metadata["annotations"] = kept
    found: Props = _underscored({key: value for key, value in live.items() if key != "status"})
    return {**found, "metadata": metadata}


def drifted(inputs: Props, known: Props, live: Props) -> Props:
    """Return the inputs with what somebody else changed since `known`, the outputs of the last run.

    Comparing outputs with outputs keeps an input as the program spells it ("1000m") where the server spells it
    otherwise ("1").
    """
    found: Props = _drift(inputs, known, live)
    for key, text in (inputs.get("stringData") or {}).items():
        before, now = (known.get("data") or {}).get(key), (live.get("data") or {}).get(key)
        if before != now:
            found["stringData"] = {**found["stringData"], key: _decoded(now) if now else None}
        else:
            found["stringData"] = {**found["stringData"], key: text}
    return found


def _drift(inputs: Any, known: Any, live: Any) -> Any:
    if known == live:
        return inputs
    if isinstance(inputs, dict) and isinstance(known, dict) and isinstance(live, dict):
        return {
            key: _drift(value, known.get(key), live.get(key))
            for key, value in inputs.items()
            if key in live or key not in known
        }
    if isinstance(inputs, list) and isinstance(known, list) and isinstance(live, list):
        if len(inputs) == len(known) == len(live):
            return [_drift(*entry) for entry in zip(inputs, known, live, strict=True)]
        return [pruned(one, _same(one, inputs)) for one in live]
    return live


def pruned(live: Any, shape: Any) -> Any:
    """Return what of a live value the program states, by the shape of its inputs."""
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: pruned(live[key], value) for key, value in shape.items() if key in live}
    return live


def _same(one: Any, among: list[Any]) -> Any:
    """Return the entry of a list that carries the same name."""
    named = isinstance(one, dict) and "name" in one
    return next(
        (entry for entry in among if named and isinstance(entry, dict) and entry.get("name") == one["name"]),
        None,
    )


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        return data


def _dashed(value: Any) -> Any:
    return _renamed(value, "x_kubernetes_", lambda key: key.replace("_", "-"))


def _underscored(value: Any) -> Any:
    return _renamed(value, "x-kubernetes-", lambda key: key.replace("-", "_"))


def _renamed(value: Any, prefix: str, rename: Any) -> Any:
    if isinstance(value, dict):
        return {
            (rename(key) if key.startswith(prefix) else key): _renamed(item, prefix, rename)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, prefix, rename) for item in value]
    return value
