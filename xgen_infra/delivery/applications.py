"""What Argo CD is told: the customer's repository, one project, one Application per service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from xgen_infra import naming
from xgen_infra.delivery.argocd_values import IN_CLUSTER
from xgen_infra.delivery.kinds import RENDERED
from xgen_infra.delivery.layout import CHART_FOLDER, VALUES_FOLDER

COMPONENT = "xgen:delivery:Applications"
"""The type of the component below which every Application is registered."""
_OVERRULING: dict[str, Any] = {"values": "", "parameters": [], "fileParameters": []}
"""What wins over values files (Argo CD documentation, "Helm": values), emptied: a field that nobody names stays."""
FINALIZER = "resources-finalizer.argocd.argoproj.io"


@dataclass(frozen=True)
class Repository:
    """The customer's Git repository and the folder in it, empty for its root.

    `password` and `ssh_key` are secret; one of them is None.
    """

    url: str
    revision: str
    folder: str
    username: str
    password: pulumi.Output[str] | None
    ssh_key: pulumi.Output[str] | None


class Applications(pulumi.ComponentResource):
    """The AppProject, the repository's Secret and the Applications of one site."""

    def __init__(
        self,
        name: str,
        *,
        provider: kubernetes.Provider,
        project: str,
        namespace: str,
        description: str,
        repository: Repository,
        values: Mapping[str, Mapping[str, Any]],
        existed: bool,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(COMPONENT, name, None, opts)
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
            spec=project_spec(repository.url, namespace, description),
            opts=child,
        )
        # Each needs both until it is gone: its finalizer removes what it deployed.
        after = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(depends_on=[app_project, repository_secret])
        )
        self.applications = {
            service: kubernetes.apiextensions.CustomResource(
                f"{name}-{service}",
                api_version="argoproj.io/v1alpha1",
                kind="Application",
                metadata={"name": service, "namespace": naming.ARGOCD_NAMESPACE, "finalizers": [FINALIZER]},
                spec=application_spec(service, project, namespace, repository, overlay, existed=existed),
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


def project_spec(repo_url: str, namespace: str, description: str) -> dict[str, Any]:
    """Return an AppProject's spec: this repository, this namespace, the chart's kinds, nothing else.

    Its description has at most 255 characters (Argo CD documentation, "AppProject": spec.description).
    """
    return {
        "description": description[:255] or "The six services of XGEN",
        "sourceRepos": [repo_url],
        "destinations": [{"server": IN_CLUSTER, "namespace": namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [{"group": kind.group, "kind": kind.kind} for kind in RENDERED],
    }


def application_spec(
    service: str,
    project: str,
    namespace: str,
    repository: Repository,
    overlay: Mapping[str, Any],
    *,
    existed: bool = False,
) -> dict[str, Any]:
    """Return an Application's spec.

    The file's values come from Git (`valueFiles`); `overlay` holds what only the stack knows: outputs of
    resources, names and generations of Secrets. One that `existed` may hold what would win over both.
    """
    folder = repository.folder
    return {
        "project": project,
        "destination": {"server": IN_CLUSTER, "namespace": namespace, **({"name": ""} if existed else {})},
        **({"sources": []} if existed else {}),
        "source": {
            "repoURL": repository.url,
            "targetRevision": repository.revision,
            "path": f"{folder}/{CHART_FOLDER}" if folder else CHART_FOLDER,
            "helm": {
                "releaseName": service,
                "valueFiles": [f"../../{VALUES_FOLDER}/{service}.yaml"],
                "valuesObject": dict(overlay),
                **(_OVERRULING if existed else {}),
            },
        },
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", "ApplyOutOfSyncOnly=true"],
            "retry": {"limit": -1, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
        },
    }
