"""Helm's records of operations that were cut off: as long as one stands, Helm refuses every other operation.

A record is a Secret `sh.helm.release.v1.<release>.v<revision>` (Helm documentation, "Advanced Techniques": storage
backends). Without the newest, the release is at the revision before, or is not there; its objects stay, and carry the
release's name, so the next operation takes them over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubernetes import client

_PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
_SECONDS = 20


def forget_pending(api: client.ApiClient, namespaces: Iterable[str]) -> list[str]:
    """Delete the records of operations that were cut off; return what they were of, in words."""
    core = client.CoreV1Api(api)
    return [said for namespace in namespaces for said in _forget(core, namespace)]


def _forget(core: client.CoreV1Api, namespace: str) -> Iterator[str]:
    selector = f"owner=helm,status in ({','.join(_PENDING)})"
    listed = core.list_namespaced_secret(namespace, label_selector=selector, _request_timeout=_SECONDS)
    for secret in listed.items:
        labels = secret.metadata.labels
        core.delete_namespaced_secret(secret.metadata.name, namespace, _request_timeout=_SECONDS)
        yield f"{namespace}/{labels['name']} revision {labels['version']} ({labels['status']})"
