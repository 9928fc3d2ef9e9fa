"""The kubeconfig of an EKS cluster: it holds no credentials, it runs `aws eks get-token`.

Source: Amazon EKS User Guide, "Connect kubectl to an EKS cluster by creating a kubeconfig file".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AUTHENTICATION = "client.authentication.k8s.io/v1beta1"


def kubeconfig(cluster: Mapping[str, str], credentials: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give the kubeconfig of a cluster: {"name", "endpoint", "authority" (base64), "region"}.

    `credentials` may name a `roleArn` to assume and a `profileName` to use.
    """
    asked = credentials or {}
    arguments = ["--region", cluster["region"], "eks", "get-token"]
    arguments += ["--cluster-name", cluster["name"], "--output", "json"]
    if asked.get("roleArn"):
        arguments += ["--role", asked["roleArn"]]
    if asked.get("profileName"):
        arguments += ["--profile", asked["profileName"]]
    server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["authority"]}
    version = {"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{_AUTHENTICATION}"}}'}
    run = {"apiVersion": _AUTHENTICATION, "command": "aws", "args": arguments, "env": [version]}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": server}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "current-context": "aws",
        "users": [{"name": "aws", "user": {"exec": run}}],
    }
