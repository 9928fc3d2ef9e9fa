"""Writing an object to the API server, and what its refusals mean."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes import managers, marks
from xgen_infra.rehearsal.standins.kubernetes.api import CONFLICT, NOT_FOUND, ApiError
from xgen_infra.rehearsal.standins.kubernetes.call import Call

_PATIENCE = 15.0
_INTERVAL = 0.5


def placed(call: Call, manifest: Props, patience: float = 0.0) -> Props:
    """Leave the namespace out of an object that lives in none; tells a kind that is not there (NoMatchError)."""
    if not call.api.kind(manifest["apiVersion"], manifest["kind"], patience=patience).namespaced:
        manifest["metadata"].pop("namespace", None)
    return manifest


def made_new(call: Call, manifest: Props) -> Props:
    """Make an object. One whose namespace is not there yet waits a little for it, as pulumi-kubernetes does."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return _made(call, manifest)
        except ApiError as error:
            late = error.status != NOT_FOUND or time.monotonic() > deadline
            if late or call.req.cancelled.wait(_INTERVAL):
                raise


def _made(call: Call, manifest: Props) -> Props:
    try:
        return call.api.create(manifest, managers.CREATOR)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        raise ApiError(
            error.status,
            error.reason,
            f"{error}. The object was there before this resource: import it (`pulumi import`, or the option "
            "`import_`), or let the provider take objects over (upsert_existing_objects)",
        ) from None


def updated(call: Call, manifest: Props, ident: str, known: Props, *, dry_run: bool) -> Props:
    live = call.api.get(call.named(ident, known))
    if live is None:
        raise ApiError(
            NOT_FOUND, "NotFound", f"{manifest['kind']} {ident} is not there any more: run a refresh"
        )
    if manifest["kind"] == "CustomResourceDefinition":
        manifest["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        return call.api.replace(manifest, managers.CREATOR, dry_run=dry_run)
    name = managers.manager(manifest, known)
    if not dry_run and not call.kind.patch:
        live = managers.take_over(call.api, live, name)
    _leave_ignored(call, manifest, live, name)
    force = forced(call, manifest) or (
        dry_run and any(map(_is_creator, live["metadata"].get("managedFields") or []))
    )
    apply = partial(call.api.apply, manifest, name, force=force, dry_run=dry_run)
    return explained(apply, manifest, name)


def _is_creator(entry: Props) -> bool:
    return bool(entry["operation"] == "Update" and entry["manager"].startswith((managers.CREATOR, "kubectl")))


def _leave_ignored(call: Call, manifest: Props, live: Props, name: str) -> None:
    """Take ignored fields as they stand: out of the manifest where another manager owns them."""
    for path in call.req.ignored:
        way = wire.steps(path)
        place = wire.at(manifest, way[:-1])
        if not isinstance(place, dict) or not all(isinstance(step, str) for step in way):
            continue
        mine, theirs = managers.owned(live, way, name)
        standing = wire.at(live, way)
        if theirs and not mine:
            place.pop(way[-1], None)
        elif standing is not None:
            place[way[-1]] = standing


def explained(apply: Any, manifest: Props, name: str) -> Props:
    try:
        live: Props = apply()
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        raise ApiError(
            error.status,
            error.reason,
            f"the fields of {manifest['kind']} {manifest['metadata']['name']} that the program states are owned by "
            f"others ({error}); the field manager {name} takes them with the annotation {marks.PATCH_FORCE} "
            "or the provider option enable_patch_force",
        ) from None
    return live


def forced(call: Call, manifest: Props) -> bool:
    return call.options.patch_force or marks.is_true(manifest, marks.PATCH_FORCE)
