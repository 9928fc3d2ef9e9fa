"""Delivery by Pulumi itself: six Helm releases of the one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra.delivery.layout import CHART_FOLDER
from xgen_infra.delivery.schema import CHART


class Releases(pulumi.ComponentResource):
    """The six releases, side by side.

    They outlive their removal from the program, so that Argo CD can take them over with every pod running;
    `xgen destroy` removes them with their namespace.
    """

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        namespace: str,
        values: Mapping[str, Mapping[str, Any]],
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:delivery:Releases", name, None, opts)
        # A local chart is upgraded when its version or an input changes, not when its files do
        # (pulumi-kubernetes documentation, "Release"): the digest makes a changed template an input's change.
        description = f"charts/xgen-service {chart_digest()}"
        self.releases = {
            service: kubernetes.helm.v3.Release(
                f"{name}-{service}",
                name=service,
                namespace=namespace,
                chart=f"./{CHART_FOLDER}",
                description=description,
                values=dict(of_service),
                timeout=600,
                opts=pulumi.ResourceOptions(
                    parent=self, provider=provider, depends_on=list(depends_on), retain_on_delete=True
                ),
            )
            for service, of_service in values.items()
        }
        self.register_outputs({"releases": sorted(self.releases)})


def chart_digest() -> str:
    """Return twelve hex digits that change with any file of the chart."""
    digest = sha256()
    for file in sorted(path for path in CHART.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(CHART)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
