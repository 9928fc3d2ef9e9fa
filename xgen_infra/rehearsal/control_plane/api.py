"""A few plain requests to an API server, as a kubeconfig's user."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any

import httpx

MANAGER = "xgen-rehearsal"
Object = dict[str, Any]


class Api:
    """The API server of a kubeconfig that holds its certificates inside."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=_decoded(cluster, "certificate-authority-data").decode())
        with tempfile.NamedTemporaryFile() as file:
            file.write(_decoded(user, "client-certificate-data") + _decoded(user, "client-key-data"))
            file.flush()
            context.load_cert_chain(file.name)
        self._client = httpx.Client(base_url=cluster["server"], verify=context, timeout=10, trust_env=False)

    def ready(self, path: str = "/readyz") -> bool:
        """Answer whether a health endpoint answers 200."""
        try:
            return self._client.get(path).is_success
        except httpx.TransportError:
            return False

    def get(self, path: str) -> Object:
        """Return an object or a list; httpx.HTTPStatusError when it is refused or absent."""
        return self._answer("GET", path)

    def create(self, path: str, item: Object) -> Object:
        """Create an object in the collection at `path`; its status is kept where the resource keeps it."""
        return self._answer("POST", path, json=item)

    def apply(self, path: str, item: Object) -> Object:
        """Apply an object at its own path, on the server's side."""
        return self._answer(
            "PATCH",
            path,
            params={"fieldManager": MANAGER, "force": "true"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(item),
        )

    def merge(self, path: str, patch: Object) -> Object:
        """Merge a patch into the object at `path`."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._answer("PATCH", path, headers=headers, content=json.dumps(patch))

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone already is fine."""
        answer = self._client.delete(path)
        if answer.status_code != httpx.codes.NOT_FOUND:
            answer.raise_for_status()

    def close(self) -> None:
        self._client.close()

    def _answer(self, method: str, path: str, **options: Any) -> Object:
        answer = self._client.request(method, path, **options)
        answer.raise_for_status()
        body: Object = answer.json()
        return body


def _decoded(part: Object, name: str) -> bytes:
    return base64.b64decode(part[name])
