"""The values of a release: those of its files, and over them its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xgen_infra.engine.special import SIGNATURE
from xgen_infra.rehearsal.standins.contract import Props

ASSET = "c44067f5952c0a294b673a41bacd8c17"
"""The signature of an asset (pulumi sdk, `resource.AssetSig`)."""


class ValuesError(Exception):
    """A values file cannot be read; the message says why."""


def values_of(inputs: Mapping[str, Any]) -> Props:
    """Return a release's values; raises ValuesError."""
    found: Props = {}
    for file in inputs.get("valueYamlFiles") or []:
        found = merged(found, _content(file))
    return merged(found, inputs.get("values") or {})


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Props:
    """Lay one map of values over another, as Helm does: maps merge, anything else replaces."""
    found = dict(base)
    for key, value in over.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = merged(before, value)
        else:
            found[key] = value
    return found


def _content(file: Any) -> Props:
    if not isinstance(file, dict) or file.get(SIGNATURE) != ASSET:
        raise ValuesError("valueYamlFiles: expected file or text assets")
    try:
        text = file["text"] if file.get("text") else Path(file["path"]).read_text()
        content = yaml.safe_load(text) or {}
    except (KeyError, OSError, yaml.YAMLError) as error:
        raise ValuesError(f"valueYamlFiles: {file.get('path', 'a text')} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise ValuesError(f"valueYamlFiles: {file.get('path', 'a text')} holds no map")
    return content
