"""The whole of the `kubernetes` stand-in."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from xgen_infra.rehearsal.standins.kubernetes.charts import Charts
from xgen_infra.rehearsal.standins.kubernetes.cluster import Clusters, check_config
from xgen_infra.rehearsal.standins.kubernetes.kubeconfig import replaced_by
from xgen_infra.rehearsal.standins.kubernetes.objects import Objects
from xgen_infra.rehearsal.standins.kubernetes.release import TOKEN, Releases
from xgen_infra.rehearsal.standins.stand import Stand


def stand(private: Path, helm: Path, project: Path) -> Stand:
    """Return the provider.

    `private` is a folder of its own that only its owner can read; `helm` the program; `project` the program's
    folder, from which local charts are named.
    """
    clusters = Clusters(private)
    return stand_on(clusters, Releases(clusters, helm, Charts(project), private))


def stand_on(clusters: Clusters, releases: Releases) -> Stand:
    """Return the provider on clusters of any kind."""
    return Stand(
        name="kubernetes",
        version=version("pulumi-kubernetes"),
        types={TOKEN: releases.resource_type()},
        type_of=Objects(clusters).type_of,
        check_config=check_config,
        replace_config_on=replaced_by,
        configure=clusters.configure,
    )
