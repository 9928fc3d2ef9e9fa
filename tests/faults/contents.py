"""What a cluster holds, in a form in which two clusters that were brought up apart are equal."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from xgen_infra.rehearsal.control_plane.api import Api

CLAIMS = "/api/v1/persistentvolumeclaims"
COLLECTIONS = (
    "/api/v1/namespaces",
    "/api/v1/configmaps",
    "/api/v1/secrets",
    CLAIMS,
    "/api/v1/services",
    "/api/v1/serviceaccounts",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/batch/v1/cronjobs",
    "/apis/batch/v1/jobs",
    "/apis/networking.k8s.io/v1/ingresses",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/storage.k8s.io/v1/storageclasses",
)
HELM = "helm.sh/release.v1"
_SERVERS_OWN = {
    "creationTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
    "selfLink",
    "deletionTimestamp",
}
_SET_LATER = {
    "clusterIP",
    "clusterIPs",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "finalizers",
    "ipFamilies",
    "ipFamilyPolicy",
    "nodePort",
    "healthCheckNodePort",
    "deployment.kubernetes.io/revision",
    "volumeName",
}
_BINDING = ("pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
"""Annotations of a claim that say where the scheduler chose to put its volume, and who made it."""
Contents = dict[str, Any]


def contents(api: Api, *, below: frozenset[str] = frozenset()) -> Contents:
    """Return every object by "<collection> <namespace>/<name>", but for those of `below`.

    What a server or controller sets by itself is left out; of a Helm record only its release and status are told.
    """
    found: Contents = {}
    for path in COLLECTIONS:
        for item in api.get(path)["items"]:
            name = f"{path.rsplit('/', 1)[-1]} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
            if item.get("type") == HELM:
                labels = item["metadata"]["labels"]
                release = f"release {item['metadata']['namespace']}/{labels['name']}"
                newest = found.get(release, (0, ""))
                found[release] = max(newest, (int(labels["version"]), labels["status"]))
            elif name not in below:
                found[name] = _bare(item)
    return {name: value[1] if name.startswith("release ") else value for name, value in found.items()}


def claims(api: Api) -> dict[str, str]:
    """Return the uid of each volume claim: another claim of the same name has another uid, and another volume."""
    found = [item["metadata"] for item in api.get(CLAIMS)["items"]]
    return {f"claim {one['namespace']}/{one['name']}": one["uid"] for one in found}


def apart(one: Contents, other: Contents) -> list[str]:
    """Return the names of the objects in which two contents differ, and how."""
    said = []
    for name in sorted({*one, *other}):
        if name not in one or name not in other:
            said.append(f"{name}: only {'before' if name in one else 'after'}")
        elif one[name] != other[name]:
            said.append(f"{name}: {_first(one[name], other[name])}")
    return said


def _bare(item: Any) -> Any:
    if isinstance(item, list):
        return [_bare(part) for part in item]
    if not isinstance(item, dict):
        return item
    kept = {
        key: _bare(value)
        for key, value in item.items()
        if key not in _SERVERS_OWN | _SET_LATER and key != "status" and not key.startswith(_BINDING)
    }
    if "data" in item and item.get("kind", "Secret") == "Secret" and "type" in item:
        kept["data"] = {key: _digest(value) for key, value in (item["data"] or {}).items()}
    if "scaleTargetRef" not in kept and "replicas" in kept:
        del kept["replicas"]
    return {key: value for key, value in kept.items() if value not in ({}, [], None)}


def _digest(value: str) -> str:
    return hashlib.sha256(base64.b64decode(value)).hexdigest()[:12]


def _first(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key):
                return _first(one.get(key), other.get(key), f"{path}.{key}")
    return f"{path} {str(one)[:80]} -> {str(other)[:80]}"
