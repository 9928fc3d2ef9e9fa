"""The `kubernetes` stand-in: what programs rely on of pulumi-kubernetes, on a real API server and with real Helm."""

from __future__ import annotations

from pathlib import Path

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.kubernetes.api import Clusters
from xgen_infra.rehearsal.standins.kubernetes.helm import TOKEN, Releases
from xgen_infra.rehearsal.standins.kubernetes.objects import Objects
from xgen_infra.rehearsal.standins.server import Stand

VERSION = "4.34.2"


def stand(folder: Path, helm: Path, project: Path) -> Stand:
    """Return the provider; `folder` is private to it, `project` is where local charts are looked for."""
    clusters = Clusters(folder)
    releases = Releases(clusters, helm, project, folder)
    return Stand(
        name="kubernetes",
        version=VERSION,
        types={TOKEN: releases.resource_type()},
        type_of=Objects(clusters).type_of,
        replace_config_on=replaced_on,
    )


def replaced_on(old: Props, new: Props) -> list[str]:
    """Return the configuration keys whose change replaces everything on the cluster.

    With `clusterIdentifier` only that key does (pulumi-kubernetes documentation, "Provider": clusterIdentifier).
    """
    if old.get("clusterIdentifier") or new.get("clusterIdentifier"):
        changed = old.get("clusterIdentifier") != new.get("clusterIdentifier")
        return ["clusterIdentifier"] if changed and old.get("clusterIdentifier") else []
    return [key for key in ("kubeconfig", "context") if old.get(key) != new.get(key)]
