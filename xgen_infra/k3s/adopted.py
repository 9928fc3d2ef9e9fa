"""Data services that run in the cluster already and stay their owner's."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming


class AdoptedServices(pulumi.ComponentResource):
    """The Services of running data services: read, so that a missing one stops the preview, and never changed.

    Their StatefulSets, Secrets and volumes are no resources of the stack: taking them over would mean to write
    their specifications anew, which restarts the pods, and to know credentials that the data was made with
    (docs/adr/0005-adopting-a-running-cluster.md). Where a Service has another name, the file gives it
    (`infra.postgres.host: postgresql.xgen-system.svc.cluster.local`).
    """

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        names: tuple[str, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:k3s:AdoptedServices", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        self.services = [
            kubernetes.core.v1.Service.get(
                f"{name}-{service}", f"{naming.DATA_NAMESPACE}/{service}", opts=child
            )
            for service in names
        ]
        self.register_outputs({})
