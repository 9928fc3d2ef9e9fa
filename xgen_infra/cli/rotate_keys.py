"""`xgen rotate-keys`: the document bucket's access key is replaced while the services run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from kubernetes import client

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.health.access import cluster
from xgen_infra.rotation import ClusterPods, EngineStack, Rotation, RotationError


def rotate_keys(
    site: completion.Site,
    keep_inactive: Annotated[
        bool, typer.Option("--keep-inactive", help="End with the old key inactive; run again to delete it.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the pods, each time.")] = 1800,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Another kubeconfig than the stack's; its current context.")
    ] = None,
) -> None:
    """Replace the access key of a site's documents. Interrupted or failed, run it again: it goes on.

    The file says where the rotation is: it is edited in place and is to be committed. Each stage runs `pulumi up`,
    which also brings what else waits in the file.
    """
    folder = Path.cwd()
    _, chosen = read_site(folder, site)
    if chosen.eks is None:
        raise RotationError(
            f"{site} is not on EKS: the key of its object store is what minioAccessKey and minioSecretKey in "
            f"Pulumi.{site}.yaml say"
        )
    engine = Engine(folder)

    def connect() -> AbstractContextManager[client.ApiClient]:
        return cluster(chosen, kubeconfig, engine)

    stack = EngineStack(engine, site, chosen.eks.region)
    pods = ClusterPods(connect, chosen.namespace, timeout)
    Rotation(folder, site, stack, pods, typer.echo).run(delete=not keep_inactive)
