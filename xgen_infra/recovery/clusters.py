"""The clusters of a stack, as the Kubernetes providers of its state reach them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from xgen_infra.health.access import UnreachableError, reached

PROVIDER = "pulumi:providers:kubernetes"
_SECONDS = 20
_ANSWERS = (401, 403)


def providers(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the inputs of the Kubernetes providers of a state that was exported with its secrets shown."""
    for resource in state["deployment"].get("resources") or []:
        if resource["type"] == PROVIDER:
            yield {key: plain(value) for key, value in (resource.get("inputs") or {}).items()}


def silent(state: Mapping[str, Any], site: str) -> list[str]:
    """Return why clusters on which the state of a site has resources do not answer; empty where all do."""
    found: list[str] = []
    if not any(one["type"].startswith("kubernetes:") for one in state["deployment"].get("resources") or []):
        return found
    for provider in providers(state):
        try:
            with reached(site, context=provider.get("context"), text=provider.get("kubeconfig")) as api:
                _ask(api)
        except UnreachableError as error:
            found.append(str(error))
    return found


def _ask(api: client.ApiClient) -> None:
    """Ask a cluster for its version; one that refuses the question answers as well."""
    try:
        client.VersionApi(api).get_code(_request_timeout=_SECONDS)
    except ApiException as error:
        if error.status not in _ANSWERS:
            raise


def plain(value: Any) -> Any:
    """Return a value of a state that was exported with its secrets shown."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value
