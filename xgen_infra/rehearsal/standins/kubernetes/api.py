"""A Kubernetes API server as the kubernetes stand-in needs it: server-side apply, read, delete, by any kind."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import config
from kubernetes.client.exceptions import ApiException

from xgen_infra.rehearsal.standins.contract import Props

MANAGER = "pulumi-kubernetes"
_NOT_FOUND = 404


class ClusterError(Exception):
    """The API server refused a request, or could not be reached."""


@dataclass(frozen=True)
class Mapping:
    """How a kind is addressed."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Return the URL path of the collection, or of one object."""
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.prefix}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """One cluster, as one kubeconfig reaches it."""

    def __init__(self, kubeconfig: Props, context: str | None, namespace: str) -> None:
        self.namespace = namespace
        self._client = config.new_client_from_config_dict(kubeconfig, context=context)
        self._mappings: dict[tuple[str, str], Mapping] = {}

    def mapping(self, api_version: str, kind: str) -> Mapping:
        """Return how a kind is addressed; asks again for one that was not there, as after a CRD was made."""
        deadline = time.monotonic() + 10
        while (found := self._mappings.get((api_version, kind))) is None:
            self._discover(api_version)
            if (api_version, kind) not in self._mappings:
                if time.monotonic() > deadline:
                    raise ClusterError(f"no matches for kind {kind!r} in version {api_version!r}")
                time.sleep(0.5)
        return found

    def _discover(self, api_version: str) -> None:
        prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self.call("GET", prefix)
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise
            return
        for item in listed["resources"]:
            if "/" not in item["name"]:
                self._mappings[(api_version, item["kind"])] = Mapping(
                    prefix, item["name"], item["namespaced"]
                )

    def call(
        self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str
    ) -> Props:
        """Make one request; raises ApiException for a refusal, ClusterError where no server answers."""
        serialized = self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list(query.items()),
            header_params={"Content-Type": content, "Accept": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*serialized, _request_timeout=30)
            answer.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterError(f"the Kubernetes API server cannot be reached: {error}") from None
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            raise ApiException(status=answer.status, reason=answer.reason, body=answer.data.decode())
        parsed = json.loads(answer.data or b"{}")
        return parsed if isinstance(parsed, dict) else {}

    def apply(self, manifest: Props, manager: str, *, force: bool) -> Props:
        """Apply an object server-side (Kubernetes documentation, "Server-Side Apply")."""
        where = self._where(manifest)
        query = {"fieldManager": manager, **({"force": "true"} if force else {})}
        try:
            return self.call("PATCH", where, manifest, "application/apply-patch+yaml", **query)
        except ApiException as error:
            raise ClusterError(_explained(error)) from None

    def get(self, manifest: Props) -> Props | None:
        """Return an object as it stands, or None."""
        try:
            return self.call("GET", self._where(manifest))
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise ClusterError(_explained(error)) from None
        except ClusterError as error:
            if "no matches for kind" in str(error):
                return None
            raise

    def delete(self, manifest: Props, propagation: str) -> None:
        """Delete an object; one that is gone is fine."""
        try:
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
            self.call("DELETE", self._where(manifest), options)
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise ClusterError(_explained(error)) from None

    def _where(self, manifest: Props) -> str:
        mapping = self.mapping(manifest["apiVersion"], manifest["kind"])
        metadata = manifest["metadata"]
        return mapping.path(metadata.get("namespace") or self.namespace, metadata["name"])


class Clusters:
    """The clusters that the provider instances of a program point at, one client each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._apis: dict[str, Api] = {}
        self._lock = threading.Lock()

    def api(self, configuration: Any) -> Api:
        """Return the client for a provider's configuration; raises ClusterError where it has no kubeconfig."""
        key = _digest(configuration)
        with self._lock:
            if key not in self._apis:
                text, context = _kubeconfig(configuration)
                try:
                    self._apis[key] = Api(text, context, configuration.get("namespace") or "default")
                except config.ConfigException as error:
                    raise ClusterError(f"the kubeconfig cannot be used: {error}") from None
            return self._apis[key]

    def file(self, configuration: Any) -> tuple[Path, str | None]:
        """Return a kubeconfig file that only its owner can read, and the context to use, for helm."""
        text, context = _kubeconfig(configuration)
        path = self._folder / f"kubeconfig-{_digest(configuration)}"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(yaml.safe_dump(text))
        return path, context


def _digest(configuration: Any) -> str:
    keys = ("kubeconfig", "context", "namespace")
    return hashlib.sha256(json.dumps([configuration.get(key) for key in keys]).encode()).hexdigest()[:16]


def _kubeconfig(configuration: Any) -> tuple[Props, str | None]:
    given = configuration.get("kubeconfig") or os.environ.get("KUBECONFIG")
    if not given:
        raise ClusterError("neither the provider nor KUBECONFIG names a kubeconfig")
    text = given if "\n" in given or given.lstrip().startswith("{") else Path(given).expanduser().read_text()
    return yaml.safe_load(text), configuration.get("context")


def _explained(error: ApiException) -> str:
    try:
        message = json.loads(error.body or "{}").get("message")
    except ValueError:
        message = None
    return str(message or error.reason or error.status)


__all__ = ["Api", "ClusterError", "Clusters"]
