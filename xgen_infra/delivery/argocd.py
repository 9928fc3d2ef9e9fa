"""Delivery by Argo CD: its installation, one project, the repository's Secret, one Application per service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming, versions

LABELS = {"app.kubernetes.io/part-of": "argocd"}
IN_CLUSTER = "https://kubernetes.default.svc"
CHART_FOLDER = "charts/xgen-service"
KINDS: tuple[tuple[str, str], ...] = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
)
"""What the chart renders: all that the AppProject allows. Secrets are Pulumi's."""


@dataclass(frozen=True)
class Repository:
    """The customer's Git repository. `password` and `ssh_key` are secret; one of them is None."""

    url: str
    revision: str
    path: str
    username: str
    password: pulumi.Output[str] | None
    ssh_key: pulumi.Output[str] | None
    ca_certificate: str | None


class ArgoCD(pulumi.ComponentResource):
    """Argo CD in its namespace, from its chart."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        values: Mapping[str, Any],
        chart_repository: str | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:delivery:ArgoCD", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        self.namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": naming.ARGOCD_NAMESPACE},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=list(depends_on))),
        )
        self.release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name="argocd",
            namespace=naming.ARGOCD_NAMESPACE,
            chart=versions.ARGO_CD.name,
            version=versions.ARGO_CD.version,
            repository_opts={"repo": chart_repository or versions.ARGO_CD.repository},
            values=dict(values),
            timeout=900,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[self.namespace])),
        )
        self.register_outputs({"version": versions.ARGO_CD.version})


class Applications(pulumi.ComponentResource):
    """The AppProject, the repository's Secret and the Applications of one site."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        project: str,
        namespace: str,
        repository: Repository,
        values: Mapping[str, Mapping[str, Any]],
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("xgen:delivery:Applications", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=provider, depends_on=list(depends_on))
        repository_secret = kubernetes.core.v1.Secret(
            f"{name}-repository",
            metadata={
                "name": f"repository-{project}",
                "namespace": naming.ARGOCD_NAMESPACE,
                "labels": {"argocd.argoproj.io/secret-type": "repository"},
            },
            string_data=repository_data(repository, project),
            opts=child,
        )
        app_project = kubernetes.apiextensions.CustomResource(
            f"{name}-project",
            api_version="argoproj.io/v1alpha1",
            kind="AppProject",
            metadata={"name": project, "namespace": naming.ARGOCD_NAMESPACE},
            spec=project_spec(repository.url, namespace),
            opts=child,
        )
        after = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(depends_on=[app_project, repository_secret])
        )
        self.applications = {
            service: kubernetes.apiextensions.CustomResource(
                f"{name}-{service}",
                api_version="argoproj.io/v1alpha1",
                kind="Application",
                metadata={
                    "name": service,
                    "namespace": naming.ARGOCD_NAMESPACE,
                    "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                },
                spec=application_spec(service, project, namespace, repository, overlay),
                opts=after,
            )
            for service, overlay in values.items()
        }
        self.register_outputs({"applications": sorted(self.applications)})


def repository_data(repository: Repository, project: str) -> dict[str, pulumi.Input[str]]:
    """Return the repository Secret's data (Argo CD documentation, "Declarative Setup": Repositories)."""
    data: dict[str, pulumi.Input[str]] = {"type": "git", "url": repository.url, "project": project}
    if repository.password is not None:
        data |= {"username": repository.username, "password": repository.password}
    if repository.ssh_key is not None:
        data["sshPrivateKey"] = repository.ssh_key
    return data


def project_spec(repo_url: str, namespace: str) -> dict[str, Any]:
    """Return an AppProject's spec: this repository, this namespace, the chart's kinds, nothing else."""
    return {
        "description": "The six services of XGEN",
        "sourceRepos": [repo_url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in KINDS],
    }


def application_spec(
    service: str, project: str, namespace: str, repository: Repository, overlay: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an Application's spec.

    The file's values come from Git (`valueFiles`); `overlay` holds what only the stack knows: outputs of
    resources, names and generations of Secrets.
    """
    folder = "" if repository.path in {".", ""} else repository.path.strip("/") + "/"
    return {
        "project": project,
        "destination": {"server": IN_CLUSTER, "namespace": namespace},
        "source": {
            "repoURL": repository.url,
            "targetRevision": repository.revision,
            "path": f"{folder}{CHART_FOLDER}",
            "helm": {
                "releaseName": service,
                "valueFiles": [f"../../values/{service}.yaml"],
                "valuesObject": dict(overlay),
            },
        },
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", "ApplyOutOfSyncOnly=true"],
            "retry": {"limit": -1, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
        },
    }
