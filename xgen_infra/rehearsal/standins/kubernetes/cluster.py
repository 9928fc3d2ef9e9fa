"""The clusters that the provider instances of a program point at, and how each instance wants to be served."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from xgen_infra.rehearsal.standins.contract import UNKNOWN, Failure, Props, Say
from xgen_infra.rehearsal.standins.kubernetes import kubeconfig
from xgen_infra.rehearsal.standins.kubernetes.api import Api, ApiError, UnreachableError
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import Kubeconfig, KubeconfigError

_RENDERING = "renderYamlToDirectory"


@dataclass(frozen=True)
class Options:
    """A provider instance's options, with the defaults of pulumi-kubernetes (its documentation, "Provider")."""

    server_side_apply: bool = True
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    patch_force: bool = False
    upsert: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Options:
        """Read the options of a configuration; an environment variable stands in for one that is not set."""

        def flag(key: str, variable: str, default: bool = False) -> bool:
            given = config.get(key)
            text = os.environ.get(f"PULUMI_K8S_{variable}") if given is None else str(given)
            return default if text is None else text.lower() == "true"

        return cls(
            server_side_apply=flag("enableServerSideApply", "ENABLE_SERVER_SIDE_APPLY", default=True),
            delete_unreachable=flag("deleteUnreachable", "DELETE_UNREACHABLE"),
            skip_update_unreachable=flag("skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE"),
            config_map_mutable=flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
            secret_mutable=flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
            patch_force=flag("enablePatchForce", "ENABLE_PATCH_FORCE"),
            upsert=flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
        )


@dataclass(frozen=True)
class Cluster:
    """A cluster as one configuration reaches it; `unreachable` says why it cannot be reached, or is empty."""

    kubeconfig: Kubeconfig
    api: Api | None
    namespace: str
    unreachable: str = ""

    @property
    def reached(self) -> Api:
        """The API server; raises UnreachableError."""
        if self.api is None or self.unreachable:
            raise UnreachableError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.api


class Clusters:
    """One client for each kubeconfig; `private` is a folder that only its owner can read."""

    def __init__(self, private: Path) -> None:
        self._private = private
        self._clusters: dict[str, Cluster] = {}
        self._lock = threading.Lock()

    def configure(self, config: Mapping[str, Any], say: Say) -> None:
        """Look anew whether a provider instance's cluster can be reached; the user is told where it cannot."""
        if config.get("kubeconfig") == UNKNOWN:
            return
        found = self._reach(config)
        if found.unreachable:
            say("warning", f"configured Kubernetes cluster is unreachable: {found.unreachable}")
        with self._lock:
            self._clusters[self._key(config)] = found

    def of(self, config: Mapping[str, Any]) -> Cluster:
        """Return the cluster of a provider instance's configuration."""
        key = self._key(config)
        with self._lock:
            known = self._clusters.get(key)
        if known is None:
            self.configure(config, lambda _severity, _text: None)
            with self._lock:
                known = self._clusters[key]
        return known

    def file(self, config: Mapping[str, Any]) -> Path:
        """Return a kubeconfig file that only its owner can read, with the configuration's choices made."""
        chosen = kubeconfig.of(config)
        path = self._private / f"kubeconfig-{chosen.digest}"
        part = path.with_suffix(f".{threading.get_ident()}")
        part.touch(mode=0o600)
        part.write_text(yaml.safe_dump(chosen.content()))
        part.rename(path)
        return path

    def _reach(self, config: Mapping[str, Any]) -> Cluster:
        chosen = kubeconfig.of(config)
        namespace = str(config.get("namespace") or "")
        try:
            namespace = namespace or chosen.namespace()
            api = Api(chosen.transport(self._private), namespace)
            api.version()
        except KubeconfigError as error:
            return Cluster(chosen, None, namespace or "default", str(error))
        except (UnreachableError, ApiError) as error:
            return Cluster(
                chosen, None, namespace, f"unable to load schema information from the API server: {error}"
            )
        return Cluster(chosen, api, namespace)

    @staticmethod
    def _key(config: Mapping[str, Any]) -> str:
        return f"{kubeconfig.of(config).digest}/{config.get('namespace') or ''}"


def check_config(config: Props) -> list[Failure]:
    """Refuse a configuration that the rehearsal does not serve."""
    if config.get(_RENDERING):
        return [Failure(_RENDERING, "the rehearsal's kubernetes provider applies objects and renders none")]
    return []
