"""Which secrets there are: a stack's `secure:` values, what its state holds encrypted, what Kubernetes keeps."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from xgen_infra.engine.special import SECRET, SIGNATURE
from xgen_infra.findings import keeps_secret
from xgen_infra.secrets_catalog import SECRET_OUTPUTS

HELM_RELEASE = "helm.sh/release.v1"
_PUBLIC = frozenset(
    {
        "admin.passwordMtime",
        "bucket",
        "ca.crt",
        "name",
        "namespace",
        "project",
        "tls.crt",
        "type",
        "url",
        "username",
    }
)
"""Keys of Kubernetes Secrets whose value is not secret: addresses, names, certificates."""
_CLUSTER = ("argocd.argoproj.io/secret-type", "cluster")
"""The label of a Secret that tells Argo CD of a cluster (Argo CD documentation, "Declarative Setup": Clusters): an address
and a configuration, in which only credentials are secret."""
_KUBECONFIG = frozenset(
    {"token", "password", "client-key-data", "refresh-token", "id-token", "bearerToken", "keyData"}
)


def of_state(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets of a state that was exported with --show-secrets, by `<resource>.<property path>`.

    A resource's id is none, also where it is passed on as if it were (the id of an access key).
    """
    found, public = dict[str, str](), public_of(shown)
    for resource in (shown.get("deployment") or {}).get("resources") or []:
        name = resource["urn"].rpartition("::")[2]
        for side in ("outputs", "inputs"):
            for path, value in _sealed(resource.get(side) or {}, name):
                for inner, text in _texts(path, value):
                    if text not in public and text not in found.values():
                        found[inner] = text
    return found


def of_config(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets of `pulumi config --show-secrets --json`, by key."""
    return {key: str(one["value"]) for key, one in shown.items() if one.get("secret") and one.get("value")}


def of_outputs(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets in `pulumi stack output --show-secrets --json`, by `<output>.<property path>`."""
    secret = [(name, shown[name]) for name in sorted(SECRET_OUTPUTS) if shown.get(name)]
    return {path: text for name, value in secret for path, text in _texts(name, value)}


def public_of(state: Mapping[str, Any]) -> frozenset[str]:
    """Return what a state shows to everybody: the ids of its resources."""
    return frozenset(
        resource["id"]
        for resource in (state.get("deployment") or {}).get("resources") or []
        if resource.get("id")
    )


def of_kubernetes(secret: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a Kubernetes Secret (as its API gives it), by `Secret <namespace>/<name>: <key>`.

    A Helm release's record is left out: it is a packed manifest, of which the parts count and not the whole.
    """
    if secret.get("type") == HELM_RELEASE:
        return {}
    metadata = secret["metadata"]
    place = f"Secret {metadata['namespace']}/{metadata['name']}"
    found: dict[str, str] = {}
    if (metadata.get("labels") or {}).get(_CLUSTER[0]) == _CLUSTER[1]:
        settings = yaml.safe_load(_decoded((secret.get("data") or {}).get("config", "")) or "null")
        return dict(_below(f"{place}: config", settings))
    for key, encoded in (secret.get("data") or {}).items():
        if key not in _PUBLIC:
            found.update(_texts(f"{place}: {key}", _decoded(encoded)))
    return found


def _sealed(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every encrypted value of a resource, with its path."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET and "plaintext" in value:
            yield path, json.loads(value["plaintext"])
            return
        for key, part in value.items():
            yield from _sealed(part, f"{path}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _sealed(part, f"{path}[{index}]")


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the secret texts in a value: itself, the values of a map, the credentials in a document."""
    if isinstance(value, Mapping) and value.get("kind") == "Config":
        yield from _below(path, value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key in _PUBLIC:
                continue
            decoded = _decoded(part) if ".data" in path and isinstance(part, str) else part
            yield from _texts(f"{path}.{key}", decoded)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(f"{path}[{index}]", part)
    elif isinstance(value, str) and value:
        document = _document(value)
        if not (isinstance(document, Mapping) and document.get("kind") == "Config"):
            yield path, value
        yield from _below(path, document)


def _document(text: str) -> Any:
    """Return a kubeconfig or a Docker configuration as data; None for any other text.

    A kubeconfig as such is no secret (one that calls `aws eks get-token` holds none), what is in it may be.
    """
    if not ("auths" in text or '"Config"' in text or "kind: Config" in text):
        return None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _below(path: str, document: Any) -> Iterator[tuple[str, str]]:
    if isinstance(document, Mapping):
        for key, part in document.items():
            secret = key in _KUBECONFIG or key == "auth" or keeps_secret(key)
            if isinstance(part, str) and secret:
                yield f"{path}.{key}", part
            else:
                yield from _below(f"{path}.{key}", part)
    elif isinstance(document, list):
        for index, part in enumerate(document):
            yield from _below(f"{path}[{index}]", part)


def _decoded(encoded: str) -> str:
    try:
        return b64decode(encoded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return encoded
