"""Delivery by Pulumi itself: six Helm releases of the one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra.delivery.applications import CHART_FOLDER


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
        self.releases = {
            service: kubernetes.helm.v3.Release(
                f"{name}-{service}",
                name=service,
                namespace=namespace,
                chart=f"./{CHART_FOLDER}",
                values=dict(of_service),
                timeout=600,
                opts=pulumi.ResourceOptions(
                    parent=self, provider=provider, depends_on=list(depends_on), retain_on_delete=True
                ),
            )
            for service, of_service in values.items()
        }
        self.register_outputs({"releases": sorted(self.releases)})
