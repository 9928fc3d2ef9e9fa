"""When an object counts as ready, by kind.

Source: pulumi-kubernetes documentation, "Resource Await Behavior" and "Annotations and labels" (waitFor).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from xgen_infra.rehearsal.standins.contract import Props, Request
from xgen_infra.rehearsal.standins.kubernetes import marks
from xgen_infra.rehearsal.standins.kubernetes.api import Api, NoMatchError
from xgen_infra.rehearsal.standins.wire import at, steps

_INTERVAL = 0.25
_SKIPS_DELETION = {
    "Namespace",
    "Pod",
    "ReplicationController",
    "DaemonSet",
    "Deployment",
    "StatefulSet",
    "Job",
}
Condition = Callable[[Api, Props], str | None]
"""Tells why a live object is not ready, or None when it is. A FailedError says that it never will be."""


class FailedError(Exception):
    """An object will not become ready by waiting."""


def _conditions(live: Props) -> dict[str, Props]:
    return {one["type"]: one for one in (live.get("status") or {}).get("conditions") or []}


def _holds(live: Props, name: str) -> bool:
    return bool(_conditions(live).get(name, {}).get("status") == "True")


def _unobserved(live: Props) -> bool:
    seen = (live.get("status") or {}).get("observedGeneration", 0)
    return bool(seen < live["metadata"].get("generation", 0))


def _deployment(_api: Api, live: Props) -> str | None:
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    if live["spec"].get("paused"):
        return None
    if _unobserved(live):
        return "the controller has not seen the last change yet"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated >= wanted and available >= wanted and status.get("replicas", 0) <= updated:
        return None
    told = [one.get("message") for one in _conditions(live).values() if one["status"] == "False"]
    return "; ".join([f"{available} of {wanted} replicas available, {updated} updated", *filter(None, told)])


def _stateful_set(_api: Api, live: Props) -> str | None:
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    rolling = (live["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    if _unobserved(live):
        return "the controller has not seen the last change yet"
    if ready < wanted:
        return f"{ready} of {wanted} replicas ready"
    if rolling and wanted and status.get("currentRevision") != status.get("updateRevision"):
        return f"{updated} of {wanted} replicas updated"
    return None


def _daemon_set(_api: Api, live: Props) -> str | None:
    status = live.get("status") or {}
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    if _unobserved(live):
        return "the controller has not seen the last change yet"
    updated = status.get("updatedNumberScheduled", 0)
    return (
        None
        if ready >= wanted and updated >= wanted
        else f"{ready} of {wanted} pods ready, {updated} updated"
    )


def _job(_api: Api, live: Props) -> str | None:
    if _holds(live, "Failed"):
        raise FailedError(f"the Job failed: {_conditions(live)['Failed'].get('message', 'no message')}")
    return None if _holds(live, "Complete") else "the Job has not completed"


def _pod(_api: Api, live: Props) -> str | None:
    phase = (live.get("status") or {}).get("phase")
    return None if phase == "Succeeded" or _holds(live, "Ready") else f"the Pod is {phase}"


def _definition(_api: Api, live: Props) -> str | None:
    return None if _holds(live, "Established") else "the definition is not established"


def _addressed(live: Props) -> str | None:
    given = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    return None if given else "no address was given yet"


def _service(api: Api, live: Props) -> str | None:
    spec, metadata = live["spec"], live["metadata"]
    if spec.get("type") == "LoadBalancer" and (reason := _addressed(live)):
        return reason
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
        return None
    slices = api.items(
        f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices",
        labelSelector=f"kubernetes.io/service-name={metadata['name']}",
    )
    ends = [end for one in slices for end in one.get("endpoints") or []]
    ready = any((end.get("conditions") or {}).get("ready", True) for end in ends)
    return None if ready else "the Service finds no ready pod"


def _ingress(_api: Api, live: Props) -> str | None:
    return _addressed(live)


def _claim(api: Api, live: Props) -> str | None:
    phase, kind = (live.get("status") or {}).get("phase"), live["spec"].get("storageClassName")
    if phase == "Bound":
        return None
    found = api.get(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": kind or ""},
        }
    )
    late = kind and found and found.get("volumeBindingMode") == "WaitForFirstConsumer"
    return None if late and phase == "Pending" else f"the claim is {phase}"


def _volume(_api: Api, live: Props) -> str | None:
    phase = (live.get("status") or {}).get("phase")
    return None if phase in {"Available", "Bound"} else f"the volume is {phase}"


def _token(_api: Api, live: Props) -> str | None:
    waits = live.get("type") == "kubernetes.io/service-account-token" and not live.get("data")
    return "the token has not been filled in" if waits else None


_BY_KIND: dict[tuple[str, str], Condition] = {
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): _definition,
    ("batch/v1", "Job"): _job,
    ("networking.k8s.io/v1", "Ingress"): _ingress,
    ("v1", "PersistentVolume"): _volume,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "Pod"): _pod,
    ("v1", "Secret"): _token,
    ("v1", "Service"): _service,
}


def condition(manifest: Props) -> Condition | None:
    """Return what an object's readiness is judged by; None where nothing is waited for."""
    if marks.is_true(manifest, marks.SKIP_AWAIT):
        return None
    asked = marks.value(manifest, marks.WAIT_FOR)
    if not asked:
        return _BY_KIND.get((manifest["apiVersion"], manifest["kind"]))
    try:
        wanted = json.loads(asked)
    except ValueError:
        wanted = asked
    each = [_asked(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    return lambda api, live: next((reason for one in each if (reason := one(api, live))), None)


def _asked(expression: str) -> Condition:
    """Return the condition of a waitFor expression: `condition=Name[=Value]` or `jsonpath={.a.b}[=value]`."""
    form, _, rest = expression.partition("=")
    name, _, value = rest.partition("=")
    if form == "condition":
        wanted = value or "True"
        return lambda _api, live: (
            None
            if str(_conditions(live).get(name, {}).get("status", "")).lower() == wanted.lower()
            else f"its condition {name} is not {wanted}"
        )
    if form == "jsonpath" and name.startswith("{.") and name.endswith("}") and not set("*?@") & set(name):
        way = steps(name[2:-1])
        return lambda _api, live: (
            None
            if (found := at(live, way)) is not None and (not value or str(found) == value)
            else f"{name} is {at(live, way)}" + (f", not {value}" if value else "")
        )
    raise ValueError(
        f"{marks.WAIT_FOR}: expected condition=Name[=Value] or jsonpath={{.path}}[=value], found {expression!r}"
    )


def until_ready(api: Api, manifest: Props, live: Props, req: Request) -> tuple[Props, str | None]:
    """Wait until an object is ready; returns it as it stands, and why it is not ready after the time allowed."""
    ready = condition(manifest)
    deadline = time.monotonic() + marks.timeout(manifest, req.timeout)
    while ready is not None:
        try:
            reason = ready(api, live)
        except FailedError as error:
            return live, str(error)
        if reason is None:
            break
        if time.monotonic() > deadline:
            return live, f"{reason} (timed out)"
        if req.cancelled.wait(_INTERVAL):
            return live, f"{reason} (cancelled)"
        found = api.get(live)
        if found is None:
            return live, "it was deleted while it was waited for"
        live = found
    return live, None


def unready(api: Api, live: Props) -> str | None:
    """Tell at a glance why an object is not ready, or None."""
    ready = condition(live)
    try:
        return ready(api, live) if ready else None
    except FailedError as error:
        return str(error)


def until_gone(api: Api, live: Props, req: Request) -> str | None:
    """Wait until an object is gone; returns why it is still there after the time allowed."""
    if marks.is_true(live, marks.SKIP_AWAIT) and live["kind"] in _SKIPS_DELETION:
        return None
    deadline = time.monotonic() + marks.timeout(live, req.timeout)
    while (found := _still(api, live)) is not None:
        if time.monotonic() > deadline or req.cancelled.wait(_INTERVAL):
            held = ", ".join(found["metadata"].get("finalizers") or []) or "none"
            told = [str(one.get("message")) for one in _conditions(found).values() if one["status"] == "True"]
            return "; ".join(
                [f"it is still there after its deletion was asked for (finalizers: {held})", *told]
            )
    return None


def _still(api: Api, live: Props) -> Props | None:
    try:
        found = api.get(live)
    except NoMatchError:
        return None
    return found if found and found["metadata"].get("uid") == live["metadata"].get("uid") else None
