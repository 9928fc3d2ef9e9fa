"""The older pipeline's project.yaml, from the same source as the build plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from xgen_infra.site import LocalRegistry, NexusRegistry
from xgen_infra.vendor.targets import Target

_HEAD = "# Generated from the customers' files by `xgen build-plan --format project-yaml`.\n"


def project_yaml(targets: Iterable[Target], vendor: NexusRegistry | None) -> str:
    """Return the text of project.yaml: registry.nexus, registry.local, sites, siteRegistries.

    `siteRegistries` has the sites whose registry is not the vendor's; every other site uses registry.nexus.
    """
    chosen = sorted(targets, key=lambda target: target.site)
    default = (vendor.host, vendor.credential_id) if vendor else None
    registry: dict[str, Any] = {"nexus": _entry(*default)} if default else {}
    registry["local"] = {"host": LocalRegistry(kind="local").host}
    places = {one.site: (one.registry.host, one.registry.credential_id) for one in chosen}
    others = {site: _entry(*place) for site, place in places.items() if place != default}
    content: dict[str, Any] = {"registry": registry, "sites": [target.site for target in chosen]}
    if others:
        content["siteRegistries"] = others
    return _HEAD + yaml.safe_dump(content, sort_keys=False)


def _entry(host: str, credential_id: str) -> dict[str, str]:
    return {"host": host, "credentialId": credential_id}
