"""Kubernetes clusters in memory: objects of any kind, addressed and refused as the API server does it.

What is not here: defaults and validation of fields, admission, controllers. Statuses say that all is well at once. One
writer only (Pulumi, or Helm for it) is known: applying removes what that writer stated before and states no more.
"""

from __future__ import annotations

import copy
import itertools
import re
import secrets
import threading
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.api import CONFLICT, NOT_FOUND, Addressing, Api, ApiError
from xgen_infra.rehearsal.standins.kubernetes.kinds import CLUSTER_WIDE
from xgen_infra.rehearsal.standins.kubernetes.manifests import SERVER_SET
from xgen_infra.rehearsal.standins.memory.status import status

VERSION = "v1.36.0"
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
"""The namespaces that every cluster has (Kubernetes documentation, "Namespaces")."""
_PATH = re.compile(
    r"(?P<prefix>/api/v1|/apis/[^/]+/[^/]+)(/namespaces/(?P<namespace>[^/]+))?/(?P<kind>[^/]+)(/(?P<name>.+))?"
)


class Key(NamedTuple):
    """An object's identity: the version of its group does not count."""

    group: str
    kind: str
    namespace: str
    name: str


@dataclass
class Release:
    """A Helm release: what `helm status` and `helm get metadata` tell, and the objects that it made."""

    facts: Props
    owned: list[Key] = field(default_factory=list)


class MemoryCluster:
    """One cluster's objects and Helm releases."""

    def __init__(self) -> None:
        self.objects: dict[Key, Props] = {}
        self.releases: dict[tuple[str, str], Release] = {}
        self.lock = threading.RLock()
        self._stated: dict[Key, Props] = {}
        self._versions = itertools.count(1)
        for name in NAMESPACES:
            self.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def seed(self, manifest: Props) -> None:
        """Put an object there that was there before; one that is there already stays."""
        key = key_of(manifest)
        if key not in self.objects:
            self.objects[key] = self._settled(manifest, None)

    def get(self, key: Key) -> Props:
        """Return an object; raises ApiError 404."""
        if key not in self.objects:
            raise not_found(key)
        return copy.deepcopy(self.objects[key])

    def put(self, manifest: Props, manager: str, *, create: bool = False, dry_run: bool = False) -> Props:
        """Make an object or bring it to what its writer states; raises ApiError 409 where `create` finds one.

        `manager` is the field manager that the writer calls itself.
        """
        key = key_of(manifest)
        with self.lock:
            there = self.objects.get(key)
            if create and there is not None:
                raise ApiError(CONFLICT, "AlreadyExists", f'{resource(key)} "{key.name}" already exists')
            if key.namespace and Key("", "Namespace", "", key.namespace) not in self.objects:
                raise not_found(Key("", "Namespace", "", key.namespace))
            base = _without(there, self._stated.get(key, {})) if there is not None else {}
            live = self._settled(_merged(base, manifest), there)
            live["metadata"]["managedFields"] = [{"manager": manager, "operation": "Apply"}]
            if not dry_run:
                self.objects[key], self._stated[key] = live, copy.deepcopy(manifest)
                for claim in _claims(live):
                    self.seed(claim)
            return copy.deepcopy(live)

    def delete(self, key: Key) -> None:
        """Take an object away, and with a namespace all that is in it; raises ApiError 404."""
        with self.lock:
            if key not in self.objects:
                raise not_found(key)
            inside = [one for one in self.objects if key.kind == "Namespace" and one.namespace == key.name]
            for one in (key, *inside):
                self.objects.pop(one, None)
                self._stated.pop(one, None)
            for where in [one for one in self.releases if key.kind == "Namespace" and one[0] == key.name]:
                del self.releases[where]

    def listed(self, group: str, kind: str, namespace: str) -> list[Props]:
        """Return the objects of a kind."""
        with self.lock:
            return [
                copy.deepcopy(one)
                for key, one in self.objects.items()
                if (key.group, key.kind) == (group, kind) and namespace in {"", key.namespace}
            ]

    def _settled(self, manifest: Props, there: Props | None) -> Props:
        """Return an object with what the server adds."""
        live = copy.deepcopy(manifest)
        had = (there or {}).get("metadata") or {}
        live["metadata"] |= {
            "uid": had.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": had.get("creationTimestamp") or _now(),
            "resourceVersion": str(next(self._versions)),
            "generation": int(had.get("generation", 0))
            + (there is None or there.get("spec") != live.get("spec")),
        }
        if live["kind"] == "Secret":
            _seal(live)
        if (told := status(live)) is not None:
            live["status"] = told
        return live


class MemoryApi(Api):
    """A cluster in memory as the kubernetes stand-in asks it."""

    def __init__(self, cluster: MemoryCluster, namespace: str) -> None:
        self.namespace = namespace
        self._cluster = cluster

    def kind(self, api_version: str, kind: str, *, patience: float = 0.0) -> Addressing:
        """Return how a kind is addressed: by its own name. A kind of others' lives where its definition says."""
        del patience
        group = api_version.rpartition("/")[0]
        prefix = f"/apis/{api_version}" if group else f"/api/{api_version}"
        return Addressing(prefix, kind, self._namespaced(group, kind))

    def request(
        self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str
    ) -> Props:
        """Answer a request; raises ApiError."""
        if path == "/version":
            return {"gitVersion": VERSION}
        asked = _PATH.fullmatch(path)
        if asked is None:
            raise ApiError(NOT_FOUND, "NotFound", "the server could not find the requested resource")
        group = asked["prefix"].removeprefix("/api/v1").removeprefix("/apis/").rpartition("/")[0]
        key = Key(group, asked["kind"], asked["namespace"] or "", asked["name"] or "")
        dry_run = "dryRun" in query
        match method:
            case "GET" if key.name:
                return self._cluster.get(key)
            case "GET":
                return {"items": _answer_list(self._cluster, key)}
            case "POST" | "PUT" | "PATCH" if content != "application/json-patch+json":
                manifest = self._placed(body, key)
                manager = query.get("fieldManager", "")
                return self._cluster.put(manifest, manager, create=method == "POST", dry_run=dry_run)
            case "DELETE":
                self._cluster.delete(key)
                return {"kind": "Status", "status": "Success"}
        raise ApiError(415, "UnsupportedMediaType", f"{method} as {content} is not served in memory")

    def _placed(self, body: Props, key: Key) -> Props:
        manifest = copy.deepcopy(body)
        metadata = manifest["metadata"]
        if key.namespace:
            metadata["namespace"] = key.namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{secrets.token_hex(3)[:5]}"
        return manifest

    def _namespaced(self, group: str, kind: str) -> bool:
        for one in self._cluster.listed("apiextensions.k8s.io", "CustomResourceDefinition", ""):
            spec = one["spec"]
            if spec["group"] == group and spec["names"]["kind"] == kind:
                return bool(spec["scope"] == "Namespaced")
        return kind not in CLUSTER_WIDE


def key_of(manifest: Mapping[str, Any]) -> Key:
    """Return the identity of a manifest whose namespace is settled."""
    metadata = manifest["metadata"]
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return Key(group, manifest["kind"], metadata.get("namespace") or "", metadata["name"])


def not_found(key: Key) -> ApiError:
    """Return the API server's word for an object that is not there."""
    return ApiError(NOT_FOUND, "NotFound", f'{resource(key)} "{key.name}" not found')


def resource(key: Key) -> str:
    """Return the name of a kind in messages: its plural, with its group."""
    singular = key.kind.lower()
    if singular.endswith("y"):
        plural = f"{singular[:-1]}ies"
    else:
        plural = f"{singular}es" if singular.endswith("s") else f"{singular}s"
    return f"{plural}.{key.group}" if key.group else plural


def bare(live: Props) -> Props:
    """Return an object without what only a server sets: fit to be compared with another run's."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_SET}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}


def _answer_list(cluster: MemoryCluster, key: Key) -> Iterable[Props]:
    if key.kind == "endpointslices":
        # Every Service has a ready pod behind it.
        return [{"endpoints": [{"conditions": {"ready": True}}]}]
    return cluster.listed(key.group, key.kind, key.namespace)


def _claims(live: Props) -> Iterator[Props]:
    """Yield the claims that a StatefulSet makes; they stay when it goes (Kubernetes documentation, "StatefulSets")."""
    if live["kind"] != "StatefulSet":
        return
    spec, metadata = live["spec"], live["metadata"]
    for template in spec.get("volumeClaimTemplates") or []:
        for number in range(int(spec.get("replicas", 1))):
            name = f"{template['metadata']['name']}-{metadata['name']}-{number}"
            own = {**template["metadata"], "name": name, "namespace": metadata["namespace"]}
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": own,
                "spec": template["spec"],
            }


def _seal(live: Props) -> None:
    """Keep a Secret's texts as the server does, in base64; fill in a service account's token."""
    data = dict(live.get("data") or {})
    for name, text in (live.pop("stringData", None) or {}).items():
        data[name] = b64encode(str(text).encode()).decode()
    if live.get("type") == "kubernetes.io/service-account-token":
        data.setdefault("token", b64encode(secrets.token_hex(16).encode()).decode())
        data.setdefault("ca.crt", b64encode(b"none").decode())
    live["type"] = live.get("type") or "Opaque"
    live["data"] = data


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: _merged(base.get(key), over.get(key, base.get(key))) for key in {**base, **over}}
    return copy.deepcopy(over)


def _without(live: Any, stated: Any) -> Any:
    """Return what of a live object its writer never stated."""
    if not isinstance(live, dict) or not isinstance(stated, dict):
        return live
    left = {}
    for key, value in live.items():
        if key not in stated:
            left[key] = value
        elif (
            isinstance(value, dict)
            and isinstance(stated[key], dict)
            and (rest := _without(value, stated[key]))
        ):
            left[key] = rest
    if "stringData" in stated:
        left.pop("data", None)
    return left


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
