"""`xgen registry-login`: let Docker push to one site's registry, for this build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.vendor import inventory
from xgen_infra.vendor.credentials import log_in


def registry_login(
    site: Annotated[str, typer.Argument(metavar="SITE", help="A site of `xgen sites`.")],
) -> None:
    """Check the credential for a site's registry and write it to Docker's configuration.

    The credential comes from XGEN_REGISTRY_USERNAME and XGEN_REGISTRY_PASSWORD, from Docker's configuration, or,
    for ECR, from AWS, as the site's push principal. Set DOCKER_CONFIG to a folder that goes with the build.
    """
    registry = inventory.read(Path()).target(site).registry
    written = log_in(registry)
    done = f"login written to {written}" if written else "no login needed"
    typer.echo(f"{registry.host}: {done}")
