"""Helm's own records of the six releases: Secrets named `sh.helm.release.v1.<release>.v<revision>`.

Source: Helm documentation, "Advanced Techniques": storage backends. A record is JSON, compressed and coded twice.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from xgen_infra import catalog

TYPE = "helm.sh/release.v1"
_SECONDS = 20


@dataclass(frozen=True)
class Record:
    """The newest revision of one release: what it was made of. `status` is Helm's word, such as `deployed`."""

    status: str
    values: dict[str, Any]
    templates: dict[str, bytes]


def records(api: client.ApiClient, namespace: str) -> dict[str, Record]:
    """Return the newest record of each of the six services that has any."""
    newest: dict[str, Any] = {}
    for secret in _secrets(api, namespace):
        name = secret.metadata.labels["name"]
        if name not in newest or _revision(secret) > _revision(newest[name]):
            newest[name] = secret
    return {name: _read(secret) for name, secret in newest.items()}


def delete(api: client.ApiClient, namespace: str, service: str) -> int:
    """Delete every record of one release; return how many there were. No object of the release is touched."""
    found = [secret for secret in _secrets(api, namespace) if secret.metadata.labels["name"] == service]
    for secret in found:
        client.CoreV1Api(api).delete_namespaced_secret(
            secret.metadata.name, namespace, _request_timeout=_SECONDS
        )
    return len(found)


def _secrets(api: client.ApiClient, namespace: str) -> list[Any]:
    listed = client.CoreV1Api(api).list_namespaced_secret(
        namespace, label_selector="owner=helm", _request_timeout=_SECONDS
    )
    return [
        secret
        for secret in listed.items
        if secret.type == TYPE and secret.metadata.labels.get("name") in catalog.NAMES
    ]


def _revision(secret: Any) -> int:
    return int(secret.metadata.labels["version"])


def _read(secret: Any) -> Record:
    release = json.loads(gzip.decompress(b64decode(b64decode(secret.data["release"]))))
    parts = [*(release["chart"].get("templates") or []), *(release["chart"].get("files") or [])]
    return Record(
        status=secret.metadata.labels["status"],
        values=release.get("config") or {},
        templates={part["name"]: b64decode(part["data"]) for part in parts if part.get("data")},
    )
