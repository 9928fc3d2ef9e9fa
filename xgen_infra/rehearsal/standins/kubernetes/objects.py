"""Any Kubernetes object as a resource type: made, applied server-side, awaited, deleted."""

from __future__ import annotations

import copy
import secrets
from functools import partial

from xgen_infra.rehearsal.standins import comparison, wire
from xgen_infra.rehearsal.standins.contract import (
    UNKNOWN,
    Delta,
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.kubernetes import awaits, kinds, managers, marks
from xgen_infra.rehearsal.standins.kubernetes.api import (
    FORBIDDEN,
    NOT_FOUND,
    ApiError,
    NoMatchError,
    UnreachableError,
)
from xgen_infra.rehearsal.standins.kubernetes.call import Call
from xgen_infra.rehearsal.standins.kubernetes.cluster import Clusters, Options
from xgen_infra.rehearsal.standins.kubernetes.manifests import (
    MANAGER_KEY,
    drifted,
    imported,
    manifest_of,
    outputs_of,
)
from xgen_infra.rehearsal.standins.kubernetes.writing import (
    explained,
    forced,
    made_new,
    placed,
    updated,
)

_GONE = (
    "If the cluster was deleted, run again with PULUMI_K8S_DELETE_UNREACHABLE=true to drop it from the state"
)


class Objects:
    """The resource types of every kind, on the clusters that the provider instances point at."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    def type_of(self, token: str) -> ResourceType | None:
        """Return the resource type of a token such as `kubernetes:core/v1:Secret`."""
        kind = kinds.of_token(token)
        if kind is None:
            return None

        def call(req: Request) -> Call:
            return Call(req, kind, self._clusters.of(req.config), Options.of(req.config))

        return ResourceType(
            token=token,
            create=lambda req: create(call(req)),
            read=lambda req, ident, known: read(call(req), ident, known),
            update=lambda req, ident, known: update(call(req), ident, known),
            delete=lambda req, ident, known: delete(call(req), ident, known),
            check=lambda req: check(call(req)),
            complete=lambda req: complete(call(req)),
            diff=lambda req, known: diff(call(req), known),
            preview=lambda req, ident, known: preview(call(req), ident, known),
            secret_outputs=kind.secret_outputs,
        )


def check(call: Call) -> list[Failure]:
    """Refuse what no API server takes."""
    inputs, metadata = call.req.inputs, call.req.inputs.get("metadata") or {}
    found = [
        Failure(key, f"every Kubernetes object needs {key}")
        for key in ("apiVersion", "kind")
        if not inputs.get(key)
    ]
    if str(inputs.get("kind")).endswith("List"):
        found.append(Failure("kind", "a list is not an object: state its items"))
    if not isinstance(metadata, dict):
        return found
    if call.kind.patch and not metadata.get("name"):
        found.append(Failure("metadata.name", "a Patch resource names the object that it patches"))
    if metadata.get("generateName") and not metadata.get("name") and call.options.server_side_apply:
        found.append(Failure("metadata.generateName", "it is not supported with server-side apply"))
    return found


def complete(call: Call) -> Props:
    """Add the name and the namespace that the program leaves to the provider."""
    req, inputs = call.req, call.req.inputs
    if call.cluster.unreachable and call.options.skip_update_unreachable and req.old_inputs:
        req.say("warning", "the cluster is unreachable and skipUpdateUnreachable is set: nothing is changed")
        return {**dict.fromkeys(inputs), **req.old_inputs}
    metadata = copy.deepcopy(inputs.get("metadata") or {})
    if not isinstance(metadata, dict):
        return {}
    if not metadata.get("name") and not metadata.get("generateName"):
        old = req.old_inputs.get("metadata") or {}
        adopted = old.get("name") if marks.is_true(req.old_inputs, marks.AUTONAMED) else None
        if adopted or not req.old_inputs:
            metadata["name"] = adopted or f"{req.name}-{secrets.token_hex(4)}"
            metadata.setdefault("annotations", {})[marks.AUTONAMED] = "true"
    if not metadata.get("namespace") and call.namespaced(inputs):
        metadata["namespace"] = call.cluster.namespace
    return {"metadata": metadata}


def diff(call: Call, known: Props) -> Delta:
    """Compare old and new inputs; an object with a name of its own has to go before its like is made."""
    if call.req.inputs.get("metadata") == UNKNOWN:
        return Delta({"metadata": "update"})
    old, new = manifest_of(call.req.old_inputs), manifest_of(call.req.inputs)
    for manifest in (old, new):
        if call.namespaced(new):
            manifest["metadata"].setdefault("namespace", "default")
        else:
            manifest["metadata"].pop("namespace", None)
    live = known.get("metadata") or {}
    if not old["metadata"].get("name") and live.get("name"):
        old["metadata"]["name"] = live["name"]
    changes = wire.differences(old, new, strict=True)
    if old.get("kind") == new.get("kind"):
        changes.pop("apiVersion", None)
    replaces = comparison.replacing(changes, call.kind.replacing(call.options, old), old, new)
    metadata = new["metadata"]
    same = all(metadata.get(key) == live.get(key) for key in ("name", "namespace"))
    delete_first = same and not marks.is_true(new, marks.AUTONAMED)
    return Delta(changes, replaces, delete_first)


def preview(call: Call, ident: str, known: Props) -> Props:
    """Show what the API server would make of the inputs (a dry run); the inputs where it cannot tell."""
    inputs = call.req.inputs
    if call.preview_only:
        return inputs
    try:
        manifest = placed(call, manifest_of(inputs))
        if ident:
            live = updated(call, manifest, ident, known, dry_run=True)
        elif call.options.upsert:
            live = call.api.apply(manifest, managers.manager(manifest, {}), force=True, dry_run=True)
        else:
            live = call.api.create(manifest, managers.CREATOR, dry_run=True)
    except NoMatchError:
        return inputs
    except ApiError as error:
        absent = error.status == NOT_FOUND and not ident
        if absent or error.status == FORBIDDEN or error.reason == "AlreadyExists":
            return inputs
        raise
    live.pop("status", None)
    metadata = {
        key: live["metadata"][key] for key in live["metadata"] if key not in {"uid", "creationTimestamp"}
    }
    return outputs_of({**live, "metadata": metadata}, inputs, known.get(MANAGER_KEY, ""))


def create(call: Call) -> Made:
    """Make an object and wait until it is ready; one that is there already is refused, unless it may be taken."""
    manifest = placed(call, manifest_of(call.req.inputs), patience=15)
    name = managers.manager(manifest, {})
    if call.kind.patch or (call.options.upsert and call.options.server_side_apply):
        live = explained(
            partial(call.api.apply, manifest, name, force=forced(call, manifest)), manifest, name
        )
    else:
        live = made_new(call, manifest)
    return _awaited(call, manifest, live, name)


def read(call: Call, ident: str, known: Props) -> Made | None:
    """Return an object as it stands, or None."""
    if call.cluster.unreachable:
        return _unread(call, ident, known)
    live = call.api.get(call.named(ident, known))
    if live is None:
        return None
    if not call.req.inputs:
        return Made(ident, outputs_of(live, {}, managers.manager(live, known)), imported(live))
    outputs = outputs_of(live, call.req.inputs, managers.manager(call.req.inputs, known))
    made = Made(ident, outputs, drifted(call.req.inputs, known, outputs))
    if reason := awaits.unready(call.api, live):
        raise PartialCreateError(made, [f"{live['kind']} {ident} is not ready: {reason}"])
    return made


def update(call: Call, ident: str, known: Props) -> Props:
    """Apply an object again: what is no longer stated goes, as the resource owned it."""
    manifest = placed(call, manifest_of(call.req.inputs))
    live = updated(call, manifest, ident, known, dry_run=False)
    return _awaited(call, manifest, live, managers.manager(manifest, known)).outputs


def delete(call: Call, ident: str, known: Props) -> None:
    """Delete an object and wait until it is gone; a Patch resource only lets go of its fields."""
    if call.cluster.unreachable:
        call.req.say("warning", f"configured Kubernetes cluster is unreachable: {call.cluster.unreachable}")
        if call.options.delete_unreachable:
            return
        raise UnreachableError(f"the configured Kubernetes cluster is unreachable. {_GONE}")
    named = call.named(ident, known)
    if call.kind.patch:
        if call.api.get(named):
            call.api.apply(named, managers.manager(known, known), force=True)
        return
    live = call.api.get(named)
    if live is None:
        return
    call.api.delete(live, marks.propagation(known))
    if reason := awaits.until_gone(call.api, live, call.req):
        raise TimeoutError(f"{live['kind']} {ident}: {reason}")


def _awaited(call: Call, manifest: Props, live: Props, name: str) -> Made:
    live, reason = awaits.until_ready(call.api, manifest, live, call.req)
    metadata = live["metadata"]
    ident = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]
    made = Made(ident, outputs_of(live, call.req.inputs, name))
    if reason:
        raise PartialCreateError(made, [f"{manifest['kind']} {ident} is not ready: {reason}"])
    return made


def _unread(call: Call, ident: str, known: Props) -> Made | None:
    why = f"configured Kubernetes cluster is unreachable: {call.cluster.unreachable}"
    call.req.say("warning", why)
    if call.options.delete_unreachable:
        call.req.say("info", "deleteUnreachable is set: the resource is dropped from the state")
        return None
    if call.options.skip_update_unreachable:
        return Made(ident, known, call.req.inputs)
    raise UnreachableError(f"the state of the resource cannot be read: the cluster is unreachable. {_GONE}")
