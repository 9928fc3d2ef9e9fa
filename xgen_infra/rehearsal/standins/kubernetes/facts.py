"""What a release tells of itself once Helm has made it."""

from __future__ import annotations

from typing import Any

import yaml

from xgen_infra.rehearsal.standins.contract import Props


def status(live: Props | None) -> str:
    return str(((live or {}).get("info") or {}).get("status", "pending"))


def facts(live: Props) -> Props:
    chart = live["chart"]
    return {
        "name": live["name"],
        "namespace": live["namespace"],
        "resourceNames": _resource_names(live.get("manifest") or ""),
        "status": {
            "appVersion": chart["appVersion"],
            "chart": chart["name"],
            "name": live["name"],
            "namespace": live["namespace"],
            "revision": live["version"],
            "status": status(live),
            "version": chart["version"],
        },
    }


def _resource_names(manifest: str) -> Any:
    """Group the names of a release's objects by kind, group and version, as the resource shows them."""
    found: dict[str, set[str]] = {}
    for document in yaml.load_all(manifest, Loader=yaml.CSafeLoader):
        if not isinstance(document, dict) or "kind" not in document:
            continue
        group = document["apiVersion"].rpartition("/")[0]
        key = f"{document['kind']}{'.' if group else ''}{group}/{document['apiVersion']}"
        metadata = document["metadata"]
        prefix = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        found.setdefault(key, set()).add(f"{prefix}{metadata['name']}")
    return {key: sorted(names) for key, names in sorted(found.items())}
