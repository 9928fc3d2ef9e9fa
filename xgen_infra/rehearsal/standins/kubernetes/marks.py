"""The annotations by which a program steers pulumi-kubernetes (its documentation, "Annotations and labels")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
WAIT_FOR = "pulumi.com/waitFor"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_MANAGER = "pulumi.com/patchFieldManager"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"


def value(manifest: Mapping[str, Any], name: str) -> str:
    """Return an annotation's text, or an empty one."""
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return str(annotations.get(name) or "") if isinstance(annotations, dict) else ""


def is_true(manifest: Mapping[str, Any], name: str) -> bool:
    """Whether an annotation is "true"."""
    return value(manifest, name).lower() == "true"


def timeout(manifest: Mapping[str, Any], own: float, default: float = 600.0) -> float:
    """Return how long to wait, in seconds: the resource's own timeout, the annotation's, or the default."""
    text = value(manifest, TIMEOUT)
    return own or (float(text) if text.isdecimal() else default)


def propagation(manifest: Mapping[str, Any]) -> str:
    """Return the deletion propagation policy; in the foreground unless the annotation says otherwise."""
    return {"orphan": "Orphan", "background": "Background"}.get(
        value(manifest, PROPAGATION).lower(), "Foreground"
    )
