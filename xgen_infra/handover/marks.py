"""What Helm leaves on the objects of a release: two annotations, and its name beside every field it set.

As long as a field bears Helm's name too, Argo CD cannot remove it (Kubernetes documentation, "Server-Side Apply":
a field goes when its last owner no longer applies it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes import client, dynamic
from kubernetes.client.exceptions import ApiException

HELM_MANAGERS = frozenset({"helm", "pulumi-resource-kubernetes"})
"""Who writes for Helm: its command, and the Pulumi provider that embeds it."""
ANNOTATIONS = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
TRACKING = "argocd.argoproj.io/tracking-id"
_SECONDS = 20
_NOT_FOUND, _CONFLICT = 404, 409
_TRIES = 5
Object = dict[str, Any]


def take_off(api: client.ApiClient, resources: Iterable[Mapping[str, str]], service: str) -> int:
    """Take Helm's marks off the objects of an Application; return how many bore any.

    `resources` are of its status. An object that Argo CD does not track as this Application's is left alone. The
    objects' specifications stay as they are, so nothing restarts.
    """
    kinds = dynamic.DynamicClient(api)
    return sum(_one(kinds, resource, service) for resource in resources)


def untracked(api: client.ApiClient, resources: Iterable[Mapping[str, str]], service: str) -> list[str]:
    """Return the objects of an Application that do not bear its name: Argo CD found them as they should be."""
    kinds = dynamic.DynamicClient(api)
    found = []
    for resource in resources:
        live = _live(kinds, resource)
        if live is not None and not _tracked(live, service):
            found.append(f"{resource['kind']} {resource['name']}")
    return found


def _live(kinds: dynamic.DynamicClient, resource: Mapping[str, str]) -> Object | None:
    where = {"name": resource["name"], "namespace": resource["namespace"], "_request_timeout": _SECONDS}
    try:
        live: Object = _kind(kinds, resource).get(**where).to_dict()
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    return live


def _kind(kinds: dynamic.DynamicClient, resource: Mapping[str, str]) -> Any:
    group = f"{resource['group']}/" if resource.get("group") else ""
    return kinds.resources.get(api_version=f"{group}{resource['version']}", kind=resource["kind"])


def _tracked(live: Object, service: str) -> bool:
    annotations = live["metadata"].get("annotations") or {}
    return str(annotations.get(TRACKING, "")).startswith(f"{service}:")


def _one(kinds: dynamic.DynamicClient, resource: Mapping[str, str], service: str) -> bool:
    where = {"name": resource["name"], "namespace": resource["namespace"], "_request_timeout": _SECONDS}
    for attempt in range(_TRIES):
        try:
            live = _live(kinds, resource)
            operations = without_marks(live, service) if live else []
            if not operations:
                return False
            _kind(kinds, resource).patch(body=operations, content_type="application/json-patch+json", **where)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return False
            if error.status != _CONFLICT or attempt + 1 == _TRIES:
                raise
            continue
        return True
    return False


def without_marks(live: Object, service: str) -> list[Object]:
    """Return the JSON patch (RFC 6902) that takes Helm's marks off an object; empty where it bears none."""
    metadata = live["metadata"]
    annotations = metadata.get("annotations") or {}
    if not _tracked(live, service):
        return []
    fields = metadata.get("managedFields") or []
    kept = [entry for entry in fields if not _helms(entry)]
    operations: list[Object] = []
    if kept != fields:
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": kept})
    operations += [
        {"op": "remove", "path": f"/metadata/annotations/{name.replace('/', '~1')}"}
        for name in ANNOTATIONS
        if name in annotations
    ]
    version = {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]}
    return [version, *operations] if operations else []


def _helms(entry: Object) -> bool:
    return (
        entry["manager"] in HELM_MANAGERS and entry["operation"] == "Update" and not entry.get("subresource")
    )
