"""A Kubernetes API server as the kubernetes stand-in needs it: objects of any kind."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xgen_infra.rehearsal.standins.contract import Props

if TYPE_CHECKING:
    from xgen_infra.rehearsal.standins.kubernetes.transport import Transport

NOT_FOUND, CONFLICT, FORBIDDEN = 404, 409, 403


class ApiError(Exception):
    """The API server refused a request. `status` is the HTTP status, `reason` its own word ("AlreadyExists")."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NoMatchError(Exception):
    """The API server knows no such kind."""


class UnreachableError(Exception):
    """No API server answers."""


@dataclass(frozen=True)
class Addressing:
    """How a kind is addressed."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """Return the URL path of the collection, or of one object."""
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.prefix}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """One cluster, as one kubeconfig reaches it. `namespace` is where an object goes that names none."""

    def __init__(self, transport: Transport, namespace: str) -> None:
        self.namespace = namespace
        self._transport = transport
        self._kinds: dict[tuple[str, str], Addressing] = {}
        self._lock = threading.Lock()

    def version(self) -> str:
        """Return the server's version; raises UnreachableError."""
        return str(self.request("GET", "/version")["gitVersion"])

    def kind(self, api_version: str, kind: str, *, patience: float = 0.0) -> Addressing:
        """Return how a kind is addressed; raises NoMatchError.

        A kind that is not there is asked for again for `patience` seconds, as after its definition was made.
        """
        deadline = time.monotonic() + patience
        while (found := self._kinds.get((api_version, kind))) is None:
            self._discover(api_version)
            if (api_version, kind) not in self._kinds:
                if time.monotonic() >= deadline:
                    raise NoMatchError(f"the API server knows no kind {kind!r} in version {api_version!r}")
                time.sleep(0.5)
        return found

    def get(self, manifest: Mapping[str, Any]) -> Props | None:
        """Return an object as it stands; None where it, or its kind, is not there."""
        try:
            return self.request("GET", self._path(manifest))
        except NoMatchError:
            return None
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Props]:
        """Return the objects of a collection."""
        return list(self.request("GET", path, **query).get("items") or [])

    def create(self, manifest: Props, manager: str, *, dry_run: bool = False) -> Props:
        """Make an object; one that is there already is refused (AlreadyExists)."""
        where = self._path(manifest, patience=0 if dry_run else 15, named=False)
        return self.request("POST", where, manifest, fieldManager=manager, **_dry(dry_run))

    def apply(self, manifest: Props, manager: str, *, force: bool, dry_run: bool = False) -> Props:
        """Apply an object server-side (Kubernetes documentation, "Server-Side Apply")."""
        where = self._path(manifest, patience=0 if dry_run else 15)
        query = {"fieldManager": manager, "force": str(force).lower(), **_dry(dry_run)}
        return self.request("PATCH", where, manifest, "application/apply-patch+yaml", **query)

    def replace(self, manifest: Props, manager: str, *, dry_run: bool = False) -> Props:
        """Put an object in the place of the one that is there."""
        return self.request("PUT", self._path(manifest), manifest, fieldManager=manager, **_dry(dry_run))

    def patch(self, manifest: Props, operations: list[Props]) -> Props:
        """Change an object by a JSON patch (RFC 6902)."""
        return self.request("PATCH", self._path(manifest), operations, "application/json-patch+json")

    def delete(self, manifest: Mapping[str, Any], propagation: str) -> None:
        """Ask for an object's deletion; one that is gone, or whose kind is, is fine."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            self.request("DELETE", self._path(manifest), options)
        except NoMatchError:
            return
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        content: str = "application/json",
        **query: str,
    ) -> Props:
        """Make one request; raises ApiError for a refusal, UnreachableError where no server answers."""
        text = body if content.endswith("json") else json.dumps(body)
        headers = {"Content-Type": content, "Accept": "application/json"}
        status, reason, data = self._transport.send(method, path, query, headers, text)
        answer = _json(data)
        if status >= 400:  # noqa: PLR2004 - HTTP's own line
            raise ApiError(
                status,
                str(answer.get("reason") or reason),
                str(answer.get("message") or data[:500].decode(errors="replace") or reason),
            )
        return answer

    def _path(self, manifest: Mapping[str, Any], patience: float = 0.0, *, named: bool = True) -> str:
        metadata = manifest["metadata"]
        addressing = self.kind(manifest["apiVersion"], manifest["kind"], patience=patience)
        namespace = metadata.get("namespace") or self.namespace
        return addressing.path(namespace, metadata["name"] if named else None)

    def _discover(self, api_version: str) -> None:
        prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self.request("GET", prefix)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return
        with self._lock:
            for item in listed.get("resources") or []:
                if "/" not in item["name"]:
                    addressing = Addressing(prefix, item["name"], item["namespaced"])
                    self._kinds[(api_version, item["kind"])] = addressing


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _json(data: bytes) -> Props:
    try:
        answer = json.loads(data or b"{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
