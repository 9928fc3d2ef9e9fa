"""Argo CD in its namespace, and what it may do at a customer's: its project's one namespace, the chart's kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming, versions
from xgen_infra.delivery.argocd_values import NOTIFICATIONS_SECRET, WEBHOOK_KEY
from xgen_infra.delivery.kinds import READ, RENDERED

_SEE = ["get", "list", "watch"]
_CHANGE = [*_SEE, "create", "update", "patch", "delete"]


@dataclass(frozen=True)
class Access:
    """What Argo CD's secrets are: the webhook that it reports to, and a pull secret (`.dockerconfigjson`)."""

    webhook_url: pulumi.Input[str] | None = None
    pull_secret: pulumi.Input[str] | None = None


class ArgoCD(pulumi.ComponentResource):
    """Argo CD from its chart, with permissions in one namespace of services and none on the cluster."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        values: Mapping[str, Any],
        chart_repository: str | None,
        namespace: str,
        access: Access,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:delivery:ArgoCD", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        made = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": naming.ARGOCD_NAMESPACE},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=list(depends_on))),
        )
        inside = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[made]))
        secrets = _secrets(name, access, inside)
        after = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=secrets))
        self.release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name="argocd",
            namespace=naming.ARGOCD_NAMESPACE,
            chart=versions.ARGO_CD.name,
            version=versions.ARGO_CD.version,
            repository_opts={"repo": chart_repository or versions.ARGO_CD.repository},
            values=dict(values),
            timeout=900,
            opts=after,
        )
        permitted = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=list(depends_on)))
        self.ready: list[pulumi.Resource] = [
            self.release,
            *_permit(f"{name}-controller", "argocd-application-controller", namespace, permitted),
            *_permit(f"{name}-server", "argocd-server", namespace, permitted),
        ]
        self.register_outputs({"version": versions.ARGO_CD.version})


def rules(account: str) -> list[dict[str, Any]]:
    """Return what a service account of Argo CD may do in the services' namespace: no Secret is in reach.

    The controller applies what the chart renders and reads what comes of it; the server, behind its user
    interface, reads both, and pods' logs.
    """
    controls = account == "argocd-application-controller"
    listed = [_rule([kind.group], [kind.plural], _CHANGE if controls else _SEE) for kind in RENDERED]
    listed += [_rule([kind.group], [kind.plural], _SEE) for kind in READ]
    return (
        listed if controls else [*listed, _rule([""], ["pods/log"], ["get"]), _rule([""], ["events"], _SEE)]
    )


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"api_groups": groups, "resources": resources, "verbs": verbs}


def _permit(
    name: str, account: str, namespace: str, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Resource, pulumi.Resource]:
    metadata = {"name": account, "namespace": namespace}
    role = kubernetes.rbac.v1.Role(f"{name}-role", metadata=metadata, rules=rules(account), opts=opts)
    binding = kubernetes.rbac.v1.RoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": naming.ARGOCD_NAMESPACE}],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[role])),
    )
    return role, binding


def _secrets(name: str, access: Access, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """Make the Secrets that the chart's values only name: none of them passes through Helm."""
    made: list[pulumi.Resource] = []
    if access.webhook_url is not None:
        made.append(
            kubernetes.core.v1.Secret(
                f"{name}-notifications",
                metadata={"name": NOTIFICATIONS_SECRET, "namespace": naming.ARGOCD_NAMESPACE},
                string_data={WEBHOOK_KEY: pulumi.Output.secret(access.webhook_url)},
                opts=opts,
            )
        )
    if access.pull_secret is not None:
        made.append(
            kubernetes.core.v1.Secret(
                f"{name}-registry",
                metadata={"name": naming.REGISTRY_SECRET, "namespace": naming.ARGOCD_NAMESPACE},
                type="kubernetes.io/dockerconfigjson",
                string_data={".dockerconfigjson": pulumi.Output.secret(access.pull_secret)},
                opts=opts,
            )
        )
    return made
