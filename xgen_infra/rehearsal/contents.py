"""What exists in a world in memory, in a form in which two worlds can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_AUTONAME = re.compile(r"-[0-9a-f]{7}(?= |$)")
"""The suffix of a name that was left to the provider (Pulumi documentation, "Auto-naming")."""


@dataclass(frozen=True)
class Contents:
    """What exists in a world: `clusters` by API server, and `aws`.

    A cluster is {"objects": [manifest...], "releases": [as `helm status --output json`...]}; what only a server sets
    (uid, resourceVersion, status) is left out of manifests. An item of `aws` is {"type", "account", "region", "name",
    "id"}; ids are AWS' own and differ between runs.
    """

    clusters: Mapping[str, Any]
    aws: Sequence[Mapping[str, Any]]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One line for each thing, without ids and random suffixes: equal for worlds that hold the same things."""
        found = []
        for cluster in self.clusters.values():
            for one in cluster["objects"]:
                metadata = one["metadata"]
                place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
                found.append(f"{one['apiVersion']} {one['kind']} {place}{metadata['name']}")
            found += [f"release {one['namespace']}/{one['name']}" for one in cluster["releases"]]
        found += [
            f"{one['account']} {one['region']} {one['type']} {_AUTONAME.sub('-*', one['name'])}"
            for one in self.aws
        ]
        return tuple(sorted(found))
