"""The site's namespace and the two Secrets that the services need in it. Always Pulumi's, under both deliveries."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming


class Workspace(pulumi.ComponentResource):
    """The namespace `xgen` with xgen-secrets and, where images are pulled with a password, registry-credentials."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        namespace: str,
        labels: Mapping[str, str],
        adopt_namespace: bool,
        secret_values: Mapping[str, pulumi.Input[str]],
        pull_secret: pulumi.Input[str] | None,
        depends_on: tuple[pulumi.Resource, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:delivery:Workspace", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        self.namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": namespace,
                "labels": {**labels, "pod-security.kubernetes.io/warn": "restricted"},
                "annotations": {"pulumi.com/patchForce": "true"} if adopt_namespace else {},
            },
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    depends_on=list(depends_on), retain_on_delete=adopt_namespace, protect=adopt_namespace
                ),
            ),
        )
        inside = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[self.namespace]))
        self.secret = _secret(
            f"{name}-secrets", naming.SERVICE_SECRET, namespace, "Opaque", secret_values, inside
        )
        self.secrets: list[pulumi.Resource] = [self.secret]
        if pull_secret is not None:
            docker = {".dockerconfigjson": pull_secret}
            self.secrets.append(
                _secret(
                    f"{name}-registry",
                    naming.REGISTRY_SECRET,
                    namespace,
                    "kubernetes.io/dockerconfigjson",
                    docker,
                    inside,
                )
            )
        self.register_outputs({"namespace": namespace})


def _secret(
    resource: str,
    name: str,
    namespace: str,
    kind: str,
    values: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> kubernetes.core.v1.Secret:
    return kubernetes.core.v1.Secret(
        resource,
        metadata={"name": name, "namespace": namespace},
        type=kind,
        string_data={key: pulumi.Output.secret(value) for key, value in values.items()},
        opts=opts,
    )


def docker_config(host: str, username: str, password: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return a `.dockerconfigjson` for one registry; secret, as the password is.

    Source: Kubernetes documentation, "Pull an Image from a Private Registry".
    """

    def render(secret: str) -> str:
        pair = b64encode(f"{username}:{secret}".encode()).decode()
        return json.dumps({"auths": {host: {"username": username, "password": secret, "auth": pair}}})

    return pulumi.Output.secret(password.apply(render))
