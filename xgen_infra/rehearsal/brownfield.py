"""What ran on the customer's cluster before the first `up`, where the file says `adopt`: installed by hand, long ago.

Nothing here was made by the program: other owners of fields, other images, settings of another hand. The six
services run from the customer's Git by the Argo CD that was there.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xgen_infra import catalog, environment, naming, versions
from xgen_infra.delivery import services
from xgen_infra.delivery.argocd_values import IN_CLUSTER, argocd_values
from xgen_infra.delivery.layout import CHART_FOLDER, VALUES_FOLDER
from xgen_infra.k3s.data_services import in_cluster
from xgen_infra.rehearsal.control_plane.api import Api, Object
from xgen_infra.rehearsal.gitops.observe import Scene
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.processes import ProcessError
from xgen_infra.rehearsal.report import Phase
from xgen_infra.rehearsal.tools import Tool
from xgen_infra.rehearsal.world import World
from xgen_infra.site import Site

_SECONDS = 300.0


def adopts(site: Site) -> bool:
    """Whether a site takes over anything that runs already."""
    return bool(
        site.k3s and (site.k3s.adopt.namespace or site.k3s.adopt.argocd or site.k3s.adopt.data_services)
    )


class Brownfield:
    """A running installation, and what its pods and credentials were before the stack took it over."""

    def __init__(self, world: World, view: ClusterView) -> None:
        self._world, self._site, self._view = world, world.site, view
        self._before: Mapping[str, str] = {}

    def seed(self, phase: Phase) -> None:
        """Install what the file says is there, and see it run."""
        site = self._site
        assert site.k3s  # noqa: S101
        api = Api(self._world.kubeconfig)
        try:
            self._workspace(api)
            if site.k3s.adopt.data_services:
                self._data_services(api)
            if site.k3s.adopt.argocd and site.delivery == "argocd":
                self._argocd(api)
        finally:
            api.close()
        ready = until(self._all_ready, _SECONDS)
        self._before = self.pods()
        phase.check("it runs", ready and bool(self._before), f"{len(self._before)} pods")

    def check(self, phase: Phase) -> None:
        """See every pod of it run on."""
        now = self.pods()
        lost = sorted(self._before.keys() - now.keys())
        phase.check(
            "every pod that ran before runs on",
            not lost,
            [self._before[uid] for uid in lost] or f"{len(self._before)} pods, the same as before",
        )

    def check_credentials(self, phase: Phase) -> None:
        """See that the Secret holds what the data was made with, and a key that its owner put there."""
        held = self._view.secret(self._site.namespace, naming.SERVICE_SECRET)
        changed = sorted(key for key, value in self._credentials().items() if held.get(key) != value)
        phase.check(
            "its own credentials are the file's, and what it had beside them is kept",
            not changed,
            changed or f"{len(held)} keys",
        )

    def check_applications(self, phase: Phase) -> None:
        """See the Applications say what the file says, and nothing beside it."""
        found = self._view.applications()
        left = {
            name: app["spec"]["source"]["helm"].get("parameters")
            for name, app in found.items()
            if app["spec"]["source"]["helm"].get("parameters")
        }
        phase.check("no setting by hand overrules the file", not left, left or "no parameters are left")

    def check_kept(self, phase: Phase) -> None:
        """See what is not the stack's outlive it: data services, Argo CD."""
        assert self._site.k3s  # noqa: S101
        adopt = self._site.k3s.adopt
        places = [naming.DATA_NAMESPACE] * adopt.data_services
        places += [naming.ARGOCD_NAMESPACE] * (adopt.argocd and self._site.delivery == "argocd")
        theirs = {uid: name for uid, name in self._before.items() if name.split("/")[0] in places}
        lost = sorted(theirs.keys() - self.pods().keys())
        kept = [theirs[uid] for uid in lost] or f"{len(theirs)} pods, the same as before"
        phase.check("what was adopted and is not the stack's runs on", not lost, kept)

    def pods(self) -> dict[str, str]:
        """Return the pods of every namespace that a site has: namespace/name by uid."""
        places = (self._site.namespace, naming.DATA_NAMESPACE, naming.ARGOCD_NAMESPACE)
        return {
            pod.metadata.uid: f"{pod.metadata.namespace}/{pod.metadata.name}"
            for place in places
            for pod in self._view.core.list_namespaced_pod(place).items
            if not pod.metadata.deletion_timestamp
        }

    def _all_ready(self) -> bool:
        expected = [f"{naming.DATA_NAMESPACE}/{name}-0" for name in self._data_names()]
        site = self._site
        assert site.k3s  # noqa: S101
        if site.k3s.adopt.argocd and site.delivery == "argocd":
            least: dict[str, int] = {
                spec.service.name: spec.scale.min_replicas if spec.scale.autoscaling else spec.scale.replicas
                for spec in site.specs
            }
            if not self._view.all_ready(site.namespace, least):
                return False
        return set(expected) <= set(self.pods().values())

    def _data_names(self) -> tuple[str, ...]:
        assert self._site.k3s  # noqa: S101
        return in_cluster(self._site.infra) if self._site.k3s.adopt.data_services else ()

    def _secret(self, key: str) -> str:
        return self._world.file.canaries.get(f"xgen-infra:{key}", "")

    def _credentials(self) -> dict[str, str]:
        """Return the services' Secret: what the data was made with, and a key that only its owner knows of."""
        wired = {v.name: self._secret(v.source) for v in environment.wired(self._site) if v.secret}
        return {**wired, "BY_HAND": "kept"}

    def _workspace(self, api: Api) -> None:
        """Make the services' namespace and their Secret."""
        _namespace(api, self._site.namespace)
        secret = _kind("Secret", naming.SERVICE_SECRET, stringData=self._credentials())
        _apply(api, "v1", "secrets", self._site.namespace, secret)

    def _data_services(self, api: Api) -> None:
        """Make StatefulSets that this program would not write, and their Services and credentials."""
        _namespace(api, naming.DATA_NAMESPACE)
        for name in self._data_names():
            labels = {"app": name}
            container = {"name": name, "image": f"registry.invalid/{name}:2019", "args": ["--as-root"]}
            spec = {
                "replicas": 1,
                "serviceName": name,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            }
            _apply(
                api,
                "v1",
                "secrets",
                naming.DATA_NAMESPACE,
                _kind("Secret", name, stringData={"password": secrets.token_hex(16)}),
            )
            _apply(
                api, "apps/v1", "statefulsets", naming.DATA_NAMESPACE, _kind("StatefulSet", name, spec=spec)
            )
            ports = {"selector": labels, "ports": [{"name": "main", "port": 9000}]}
            _apply(api, "v1", "services", naming.DATA_NAMESPACE, _kind("Service", name, spec=ports))

    def _argocd(self, api: Api) -> None:
        """Install Argo CD with leave to do anything, and the six services from the customer's Git."""
        site = self._site
        values = argocd_values(site)
        values["createClusterRoles"] = True
        del values["configs"]["clusterCredentials"], values["configs"]["cm"]["resource.inclusions"]
        self._helm(values)
        project = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
        _apply(
            api,
            "argoproj.io/v1alpha1",
            "appprojects",
            naming.ARGOCD_NAMESPACE,
            _kind("AppProject", site.project, spec=project),
        )
        repository = {
            "type": "git",
            "url": site.source.repo_url,
            "username": site.source.username,
            "password": self._secret("gitPassword"),
        }
        secret = _kind("Secret", "gitlab", stringData=repository)
        secret["metadata"]["labels"] = {"argocd.argoproj.io/secret-type": "repository"}
        _apply(api, "v1", "secrets", naming.ARGOCD_NAMESPACE, secret)
        mirrored = Scene(self._world, self._view).xgen("mirror", site.stack)
        if mirrored.status:
            raise ProcessError(f"xgen mirror failed: {mirrored.said}")
        for name in catalog.NAMES:
            _apply(
                api, "argoproj.io/v1alpha1", "applications", naming.ARGOCD_NAMESPACE, _application(site, name)
            )

    def _helm(self, values: Mapping[str, Any]) -> None:
        file = self._world.root / "argocd-by-hand.yaml"
        file.write_text(yaml.safe_dump(dict(values)))
        chart = self._world.root / "charts" / f"{versions.ARGO_CD.name}-{versions.ARGO_CD.version}"
        command: list[str | Path] = [
            self._world.binaries[Tool.HELM],
            "install",
            "argocd",
            chart,
            "--create-namespace",
        ]
        command += ["--namespace", naming.ARGOCD_NAMESPACE, "--values", file]
        command += ["--kubeconfig", self._world.kubeconfig]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProcessError(f"helm install argocd failed: {done.stderr}")


def _application(site: Site, name: catalog.ServiceName) -> Object:
    """Return an Application as the customer's operators wrote it: outputs as text, parameters, no finalizer."""
    folder = f"{site.source.folder}/" if site.source.folder else ""
    spec = {
        "project": site.project,
        "destination": {"server": IN_CLUSTER, "namespace": site.namespace},
        "source": {
            "repoURL": site.source.repo_url,
            "targetRevision": site.source.target_revision,
            "path": f"{folder}{CHART_FOLDER}",
            "helm": {
                "releaseName": name,
                "valueFiles": [f"../../{VALUES_FOLDER}/{name}.yaml"],
                "values": yaml.safe_dump(services.overlay(site, name, {})),
                # They win over what Git says.
                "parameters": [
                    {"name": "global.registry.host", "value": naming.registry_host(site)},
                    {"name": "global.registry.site", "value": site.site},
                ],
            },
        },
        "syncPolicy": {"automated": {}, "syncOptions": ["ServerSideApply=true"]},
    }
    return _kind("Application", name, spec=spec)


def _kind(kind: str, name: str, **parts: Any) -> Object:
    return {"kind": kind, "metadata": {"name": name}, **parts}


def _namespace(api: Api, name: str) -> None:
    path = f"/api/v1/namespaces/{name}"
    api.apply(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _apply(api: Api, version: str, plural: str, namespace: str, item: Object) -> None:
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    path = f"{root}/namespaces/{namespace}/{plural}/{item['metadata']['name']}"
    api.apply(path, {"apiVersion": version, **item})
