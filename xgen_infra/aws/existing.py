"""An EKS cluster that exists: looked up, never changed."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws


def kubeconfig(name: str, region: str, endpoint: str, certificate: str) -> dict[str, Any]:
    """Return a kubeconfig whose token comes from `aws eks get-token`; it holds no credential.

    `certificate` is the cluster's authority, base64 (Amazon EKS User Guide, "Connect kubectl to an EKS
    cluster by creating a kubeconfig file").
    """
    token = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": endpoint, "certificate-authority-data": certificate}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": {"exec": token}}],
    }


class ExistingCluster(pulumi.ComponentResource):
    """A cluster by its name, with what is needed to reach it."""

    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]

    def __init__(
        self, name: str, cluster: str, region: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Look up `cluster` in the provider's account; `region` is the provider's."""
        super().__init__("xgen:aws:ExistingCluster", name, None, opts)
        found = aws.eks.get_cluster_output(name=cluster, opts=pulumi.InvokeOptions(parent=self))
        self.endpoint = found.endpoint
        self.kubeconfig = found.apply(
            lambda it: json.dumps(
                kubeconfig(cluster, region, it.endpoint, it.certificate_authorities[0].data)
            )
        )
        self.register_outputs({"endpoint": self.endpoint})
