"""Which cluster in memory a provider instance's configuration points at: one for each API server's address."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes import kubeconfig
from xgen_infra.rehearsal.standins.kubernetes.cluster import Cluster, Clusters
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import KubeconfigError
from xgen_infra.rehearsal.standins.memory.cluster import MemoryApi, MemoryCluster


class MemoryClusters(Clusters):
    """Clusters that come to be when a configuration first points at them; `existing` are objects that each has."""

    def __init__(self, private: Path, existing: tuple[Props, ...] = ()) -> None:
        super().__init__(private)
        self._existing = existing
        self._guard = threading.Lock()
        self.by_server: dict[str, MemoryCluster] = {}

    def cluster(self, config: Mapping[str, Any]) -> MemoryCluster:
        """Return the cluster of a configuration; raises KubeconfigError."""
        server = kubeconfig.server(kubeconfig.of(config).content())
        with self._guard:
            if server not in self.by_server:
                made = self.by_server[server] = MemoryCluster()
                for manifest in self._existing:
                    made.seed(manifest)
            return self.by_server[server]

    def clear(self) -> None:
        """Forget every cluster."""
        with self._guard, self._lock:
            self.by_server.clear()
            self._clusters.clear()

    def _reach(self, config: Mapping[str, Any]) -> Cluster:
        chosen = kubeconfig.of(config)
        namespace = str(config.get("namespace") or "")
        try:
            namespace = namespace or chosen.namespace()
            return Cluster(chosen, MemoryApi(self.cluster(config), namespace), namespace)
        except KubeconfigError as error:
            return Cluster(chosen, None, namespace or "default", str(error))
