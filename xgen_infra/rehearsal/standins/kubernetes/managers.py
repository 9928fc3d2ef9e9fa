"""Field managers: who owns which field of an object (Kubernetes documentation, "Server-Side Apply")."""

from __future__ import annotations

import secrets
from typing import Any

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes import marks
from xgen_infra.rehearsal.standins.kubernetes.api import CONFLICT, Api, ApiError
from xgen_infra.rehearsal.standins.kubernetes.manifests import MANAGER_KEY

CREATOR = "pulumi-kubernetes"
"""The manager that objects are made by; their resource's own manager takes over at the first update."""
_ATTEMPTS = 5
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATOR, "Update"),
)
"""Beginnings of the managers whose fields a resource takes over, and how those were set."""


def manager(manifest: Props, known: Props) -> str:
    """Return the field manager of a resource: the one it says, the one it had, or a new one of its own."""
    said = marks.value(manifest, marks.PATCH_MANAGER)
    return said or str(known.get(MANAGER_KEY) or "") or f"{CREATOR}-{secrets.token_hex(4)}"


def take_over(api: Api, live: Props, name: str) -> Props:
    """Give the fields that were set client-side to a manager, so that applying can change and remove them.

    A controller may write the object at the same moment: then it is read and tried again.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _taken_over(api, live, name)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            live = api.get(live) or live
    return _taken_over(api, live, name)


def _taken_over(api: Api, live: Props, name: str) -> Props:
    entries = live["metadata"].get("managedFields") or []
    mine = [one for one in entries if (one["manager"], one["operation"]) == (name, "Apply")]
    taken = [one for one in entries if _is_taken(one)]
    if not taken:
        return live
    fields: Props = {}
    for entry in (*mine, *taken):
        fields = _union(fields, entry.get("fieldsV1") or {})
    newest = {**taken[-1], "manager": name, "operation": "Apply", "fieldsV1": fields}
    kept = [one for one in entries if one not in taken and one not in mine]
    version = {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": live["metadata"]["resourceVersion"],
    }
    owners = {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, newest]}
    return api.patch(live, [owners, version])


def owned(live: Props, path: list[Any], name: str) -> tuple[bool, bool]:
    """Return whether a manager, and whether any other, owns a field (a path of map keys)."""
    mine = theirs = False
    for entry in live["metadata"].get("managedFields") or []:
        place: Any = entry.get("fieldsV1") or {}
        for step in path:
            place = place.get(f"f:{step}") if isinstance(place, dict) else None
        if place is not None:
            mine, theirs = mine or entry["manager"] == name, theirs or entry["manager"] != name
    return mine, theirs


def _is_taken(entry: Props) -> bool:
    return not entry.get("subresource") and any(
        entry["manager"].startswith(name) and entry["operation"] == how for name, how in _TAKEN_OVER
    )


def _union(first: Any, second: Any) -> Any:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return first
    return {key: _union(first.get(key, second.get(key)), second.get(key, {})) for key in {**first, **second}}
