"""Any Kubernetes object as a resource type: server-side apply, one field manager per resource."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from xgen_infra.rehearsal.standins.contract import (
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.kubernetes.api import MANAGER, Api, Clusters
from xgen_infra.rehearsal.standins.kubernetes.awaits import until_gone, until_ready

_ALWAYS = frozenset({"apiVersion", "kind", "metadata.name", "metadata.namespace"})
_IMMUTABLE: Mapping[str, frozenset[str]] = {
    "Secret": frozenset({"type", "immutable"}),
    "Deployment": frozenset({"spec.selector"}),
    "Service": frozenset({"spec.clusterIP"}),
    "Job": frozenset({"spec.selector", "spec.template", "spec.completions"}),
    "StatefulSet": frozenset(
        {"spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"}
    ),
    "StorageClass": frozenset({"provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"}),
    "PersistentVolumeClaim": frozenset({"spec.accessModes", "spec.storageClassName", "spec.volumeName"}),
    "RoleBinding": frozenset({"roleRef"}),
    "ClusterRoleBinding": frozenset({"roleRef"}),
}
"""Fields whose change the API server refuses (Kubernetes API reference, by kind)."""
_FORCE = "pulumi.com/patchForce"


class Objects:
    """The resource type of every kind, on the clusters that the provider instances point at."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    def type_of(self, token: str) -> ResourceType | None:
        """Return the resource type of a token such as `kubernetes:core/v1:Secret`."""
        provider, _, kind = token.split(":")
        if provider != "kubernetes":
            return None
        secret = frozenset({"data", "stringData"}) if kind == "Secret" else frozenset()
        return ResourceType(
            token=token,
            create=self.create,
            read=self.read,
            update=self.update,
            delete=self.delete,
            check=check,
            replace_on=_ALWAYS | _IMMUTABLE.get(kind, frozenset()),
            delete_before_replace=True,
            secret_outputs=secret,
        )

    def create(self, req: Request) -> Made:
        """Apply an object that is new to the stack."""
        api = self._api(req)
        name = req.inputs["metadata"].get("name") or f"{req.name}-{secrets.token_hex(4)[:7]}"
        return self._apply(api, req, name)

    def update(self, req: Request, ident: str, olds: Props) -> Props:
        """Apply an object again; what is no longer in it goes, as this resource owned it."""
        del olds
        return self._apply(self._api(req), req, ident.rsplit("/", 1)[-1]).outputs

    def read(self, req: Request, ident: str, known: Props) -> Made | None:
        """Return an object as it stands, or None."""
        manifest = _named(req.inputs or known, ident)
        live = self._api(req).get(manifest)
        return None if live is None else Made(ident, _outputs(live, req.inputs))

    def delete(self, req: Request, ident: str, known: Props) -> None:
        """Delete an object and wait until it is gone."""
        api = self._api(req)
        manifest = _named({**known, **req.inputs}, ident)
        live = api.get(manifest)
        if live is None:
            return
        manifest["metadata"] = {**manifest["metadata"], "uid": live["metadata"]["uid"]}
        api.delete(manifest, "Foreground" if manifest["kind"] == "Job" else "Background")
        if reason := until_gone(api, manifest):
            raise TimeoutError(f"{manifest['kind']} {ident}: {reason}")

    def _apply(self, api: Api, req: Request, name: str) -> Made:
        manifest = manifest_of(req.inputs, name)
        annotations = manifest["metadata"].get("annotations") or {}
        force = str(annotations.get(_FORCE)).lower() == "true"
        api.apply(manifest, manager(req.urn), force=force)
        live, reason = until_ready(api, manifest)
        made = Made(_ident(live, api), _outputs(live, req.inputs))
        if reason:
            raise PartialCreateError(made, [f"{manifest['kind']} {made.id} is not ready: {reason}"])
        return made

    def _api(self, req: Request) -> Api:
        return self._clusters.api(req.config)


def manager(urn: str) -> str:
    """Return the field manager of a resource: its own, so that two never fight unseen."""
    return f"{MANAGER}-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def manifest_of(inputs: Props, name: str) -> Props:
    """Return the manifest of a resource's inputs."""
    manifest = {key: value for key, value in inputs.items() if not key.startswith("__")}
    return {**manifest, "metadata": {**manifest.get("metadata", {}), "name": name}}


def check(req: Request) -> list[Failure]:
    """Refuse what no API server takes."""
    failures = [
        Failure(key, f"every Kubernetes object needs {key}")
        for key in ("apiVersion", "kind")
        if key not in req.inputs
    ]
    metadata: Any = req.inputs.get("metadata")
    if isinstance(metadata, dict):
        for field in ("labels", "annotations"):
            failures += [
                Failure(f"metadata.{field}.{key}", "expected a string")
                for key, value in (metadata.get(field) or {}).items()
                if not isinstance(value, str)
            ]
    return failures


def _named(inputs: Props, ident: str) -> Props:
    namespace, _, name = ident.rpartition("/")
    metadata = {**inputs.get("metadata", {}), "name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {**inputs, "metadata": metadata}


def _ident(live: Props, api: Api) -> str:
    metadata = live["metadata"]
    mapping = api.mapping(live["apiVersion"], live["kind"])
    return f"{metadata['namespace']}/{metadata['name']}" if mapping.namespaced else str(metadata["name"])


def _outputs(live: Props, inputs: Props) -> Props:
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    carried = {"stringData": inputs["stringData"]} if "stringData" in inputs else {}
    return {**live, **carried, "metadata": metadata}
