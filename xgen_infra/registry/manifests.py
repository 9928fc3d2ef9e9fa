"""What a manifest says (OCI Image Format Specification; Docker Image Manifest Version 2, Schema 2). Pure."""

from __future__ import annotations

import json
from typing import Any

from xgen_infra.registry.problems import Problem, RegistryError

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def json_object(content: bytes, name: str) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RegistryError(
            Problem.NO_REGISTRY, f"{name} came as something other than JSON", "check registry.host"
        )
    return body


def error_codes(content: bytes) -> set[str]:
    """Return the error codes of an answer (OCI Distribution Specification, "Error Codes")."""
    try:
        errors = json.loads(content)["errors"]
        return {str(error["code"]) for error in errors}
    except (ValueError, KeyError, TypeError):
        return set()


def of_platform(index: dict[str, Any], platform: str, name: str) -> str:
    listed = index.get("manifests")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    found: dict[str, str] = {}
    for entry in entries:
        said = entry.get("platform") or {}
        found.setdefault(f"{said.get('os')}/{said.get('architecture')}", str(entry.get("digest")))
    if platform not in found:
        # Builders add provenance as entries for unknown/unknown.
        built = ", ".join(sorted(key for key in found if "unknown" not in key and "None" not in key))
        raise wrong_platform(name, built or "no platform at all", platform)
    return found[platform]


def wrong_platform(name: str, found: str, expected: str) -> RegistryError:
    return RegistryError(
        Problem.ARCHITECTURE,
        f"{name} was built for {found}, and {expected} is wanted",
        f"build it with docker build --platform {expected}, or name the tag of an image that was",
    )
