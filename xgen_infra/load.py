"""The only reader of `pulumi.Config`: from a stack's configuration to a Site and its Credentials."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile
from xgen_infra.validate import Refused, program_site

STACK_FILE_VARIABLE = "XGEN_STACK_FILE"
"""Names the customer's file where the engine was given another one by `--config-file`."""
REMOVAL_VARIABLE = "XGEN_REMOVAL"
"""Set by `xgen destroy` for the stage that switches deletion protection off."""


@dataclass(frozen=True)
class Credentials:
    """The stack's `secure:` values, as secret outputs; None where the site has no use for one."""

    registry_password: pulumi.Output[str] | None = None
    git_password: pulumi.Output[str] | None = None
    git_ssh_key: pulumi.Output[str] | None = None
    postgres_password: pulumi.Output[str] | None = None
    redis_password: pulumi.Output[str] | None = None
    qdrant_api_key: pulumi.Output[str] | None = None
    minio_access_key: pulumi.Output[str] | None = None
    minio_secret_key: pulumi.Output[str] | None = None
    argocd_webhook_url: pulumi.Output[str] | None = None


def load() -> tuple[Site, Credentials]:
    """Return the stack's site and credentials.

    Raises pulumi.RunError, with every finding as file:line:column, before any resource is registered.
    """
    stack = pulumi.get_stack()
    config = pulumi.Config("xgen-infra")
    path = Path(os.environ.get(STACK_FILE_VARIABLE) or f"Pulumi.{stack}.yaml")
    try:
        file = StackFile.read(path)
        site = program_site(file, stack, removing(config.get_object("site")), config.get_object("vendor"))
    except Refused as refused:
        raise pulumi.RunError(str(refused)) from None
    return site, credentials(site, config)


def removing(raw: Any) -> Any:
    """Return the site's value with AWS' deletion protection off, where `xgen destroy` asks for that stage."""
    if os.environ.get(REMOVAL_VARIABLE) and isinstance(raw, dict) and isinstance(raw.get("cluster"), dict):
        return {**raw, "cluster": {**raw["cluster"], "deletionProtection": False}}
    return raw


def credentials(site: Site, config: pulumi.Config) -> Credentials:
    """Return the secret outputs of the keys that the site uses."""
    return Credentials(
        **{secret.field: config.require_secret(secret.key) for secret in SECRETS if secret.needed_when(site)}
    )
