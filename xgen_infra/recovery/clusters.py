"""The clusters of a stack, as the Kubernetes providers of its state reach them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

PROVIDER = "pulumi:providers:kubernetes"
_SECONDS = 20
_ANSWERS = (401, 403)


def providers(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the inputs of the Kubernetes providers of a state that was exported with its secrets shown."""
    for resource in state["deployment"].get("resources") or []:
        if resource["type"] == PROVIDER:
            yield {key: plain(value) for key, value in (resource.get("inputs") or {}).items()}


def connect(provider: Mapping[str, Any]) -> client.ApiClient:
    """Return a client of the cluster that a provider's inputs name; raises ConfigException."""
    if provider.get("kubeconfig"):
        return config.new_client_from_config_dict(yaml.safe_load(provider["kubeconfig"]))
    return config.new_client_from_config(context=provider.get("context"))


def silent(state: Mapping[str, Any]) -> list[str]:
    """Return why clusters on which the state has resources do not answer; empty where all do."""
    found: list[str] = []
    if not any(one["type"].startswith("kubernetes:") for one in state["deployment"].get("resources") or []):
        return found
    for provider in providers(state):
        try:
            with connect(provider) as api:
                client.VersionApi(api).get_code(_request_timeout=_SECONDS)
        except ApiException as error:
            if error.status not in _ANSWERS:
                found.append(f"{error.status} {error.reason}")
        except (config.ConfigException, urllib3.exceptions.HTTPError) as error:
            found.append(str(error))
    return found


def plain(value: Any) -> Any:
    """Return a value of a state that was exported with its secrets shown."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value
