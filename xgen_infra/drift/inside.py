"""What the engine does not see: the objects that Helm releases and Argo CD made.

A release's manifest is applied as a dry run (Kubernetes documentation, "Server-Side Apply" and "Dry-run"), and what
the API server would make of it is compared with what is there. So a field that the chart leaves to others, as
`replicas` to an autoscaler, is no difference, and neither is another spelling of the same quantity.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from kubernetes import client, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError

from xgen_infra import catalog, naming
from xgen_infra.drift.model import Difference, Drift, Unseen, shown
from xgen_infra.health.applications import state_of
from xgen_infra.secrecy import redact

_ARGO = ("argoproj.io", "v1alpha1", naming.ARGOCD_NAMESPACE, "applications")
_SECONDS = 20
_NOT_FOUND = 404
_SERVERS = ("status",)
_BOOKKEEPING = frozenset(
    {
        "creationTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
        "ownerReferences",
    }
)
Object = dict[str, Any]


def releases(drift: Drift, api: client.ApiClient, state: list[Mapping[str, Any]]) -> None:
    """Compare the objects of the state's Helm releases."""
    named = [
        (outputs["name"], outputs["namespace"])
        for resource in state
        if resource["type"] == "kubernetes:helm.sh/v3:Release"
        and (outputs := resource.get("outputs") or {}).get("name")
    ]
    if not named:
        return
    with tempfile.TemporaryDirectory(prefix="xgen-drift-") as folder:
        cluster = dynamic.DynamicClient(api, cache_file=f"{folder}/discovered.json")
        for name, namespace in named:
            manifest = _manifest(api, name, namespace)
            if manifest is None:
                drift.differences.append(Difference(name, "Helm release", "", "deleted"))
                continue
            for wanted in yaml.safe_load_all(manifest):
                if isinstance(wanted, dict):
                    _compare(drift, cluster, wanted, namespace)


def applications(drift: Drift, api: client.ApiClient) -> None:
    """Note what Argo CD says is not what Git says; it heals that by itself, unless something hinders it."""
    listed = client.CustomObjectsApi(api).list_namespaced_custom_object(*_ARGO, _request_timeout=_SECONDS)
    found = {item["metadata"]["name"]: item for item in listed["items"]}
    for name in catalog.NAMES:
        if name not in found:
            continue
        drift.compared += 1
        state = state_of(found[name])
        if state.sync == "Unknown":
            why = "; ".join(state.reasons) or "Argo CD does not know"
            drift.unseen.append(Unseen(f"Application {name}", redact.text(why)))
        for resource in (found[name].get("status") or {}).get("resources") or []:
            drift.compared += 1
            if resource.get("status") == "OutOfSync":
                missing = (resource.get("health") or {}).get("status") == "Missing"
                drift.differences.append(
                    Difference(
                        f"{resource['kind']} {resource['name']}",
                        f"Application {name}",
                        "" if missing else "manifest",
                        "deleted" if missing else "changed",
                        None if missing else "what Git says",
                        None if missing else "OutOfSync",
                    )
                )


def _manifest(api: client.ApiClient, name: str, namespace: str) -> str | None:
    """Return the manifest of a release's last revision; None where Helm has no record of it."""
    selector = f"owner=helm,name={name}"
    listed = client.CoreV1Api(api).list_namespaced_secret(
        namespace, label_selector=selector, _request_timeout=_SECONDS
    )
    records = sorted(listed.items, key=lambda item: int(item.metadata.labels["version"]))
    if not records:
        return None
    packed = b64decode(b64decode(records[-1].data["release"]))
    return str(json.loads(gzip.decompress(packed))["manifest"])


def _compare(drift: Drift, cluster: dynamic.DynamicClient, wanted: Object, namespace: str) -> None:
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    try:
        resource = cluster.resources.get(api_version=wanted["apiVersion"], kind=kind)
        place = {"name": name}
        if resource.namespaced:
            place["namespace"] = wanted["metadata"].get("namespace", namespace)
        live = resource.get(**place, _request_timeout=_SECONDS).to_dict()
        made = cluster.server_side_apply(
            resource,
            body=wanted,
            **place,
            field_manager="helm",
            force_conflicts=True,
            dry_run="All",
            _request_timeout=_SECONDS,
        ).to_dict()
    except (DynamicApiError, ApiException) as error:
        if error.status == _NOT_FOUND:
            drift.differences.append(Difference(f"{kind} {name}", "Helm release", "", "deleted"))
            drift.compared += 1
        else:
            drift.unseen.append(Unseen(f"{kind} {name}", f"{error.status} {error.reason}"))
        return
    except ResourceNotFoundError:
        drift.unseen.append(Unseen(f"{kind} {name}", f"the cluster knows no {wanted['apiVersion']} {kind}"))
        return
    drift.compared += 1
    for path, expected, found in differences(_own(made), _own(live)):
        hidden = kind == "Secret"
        sides = [redact.HIDDEN if hidden and one is not None else one for one in (expected, found)]
        changed = "added" if expected is None else "deleted" if found is None else "changed"
        drift.differences.append(
            Difference(f"{kind} {name}", "Helm release", path, changed, shown(sides[0]), shown(sides[1]))  # type: ignore[arg-type]
        )


def _own(thing: Object) -> Object:
    """Return an object without what only the server writes."""
    kept = {key: value for key, value in thing.items() if key not in _SERVERS}
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _BOOKKEEPING}
    return {**kept, "metadata": metadata}


def differences(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, expected, found) for each leaf in which two documents differ; entries with a name go by it."""
    if expected == found:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            step = f'["{key}"]' if "." in key or "/" in key else f".{key}" if path else key
            yield from differences(expected.get(key), found.get(key), f"{path}{step}")
    elif _named(expected) and _named(found):
        ours, theirs = ({one["name"]: one for one in side} for side in (expected, found))
        for name in sorted({*ours, *theirs}):
            yield from differences(ours.get(name), theirs.get(name), f"{path}[{name}]")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, pair in enumerate(zip(expected, found, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    else:
        yield path, expected, found


def _named(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in value)
        and len({one["name"] for one in value}) == len(value)
    )
