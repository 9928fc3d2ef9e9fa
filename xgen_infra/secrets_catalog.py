"""Every `secure:` key of a customer's file: its purpose, and which sites need it. The only list of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic.alias_generators import to_snake

from xgen_infra.site import NexusRegistry, Site


@dataclass(frozen=True)
class Secret:
    """The configuration key `xgen-infra:<key>`, encrypted in the customer's file."""

    key: str
    purpose: str
    needed_when: Callable[[Site], bool]
    where: str
    """The sites that need it, in words."""

    @property
    def field(self) -> str:
        """The key in snake_case: its name among the program's credentials."""
        return to_snake(self.key)

    @property
    def config_key(self) -> str:
        """The key as it stands in the file."""
        return f"xgen-infra:{self.key}"

    @property
    def command(self) -> str:
        """The command that writes it; the value is asked for and never shown."""
        return f"pulumi config set --secret {self.config_key}"


def _has_nexus(site: Site) -> bool:
    return isinstance(site.registry, NexusRegistry)


def git_over_http(site: Site) -> bool:
    """Whether the Git source is reached by http or https."""
    return bool(re.match(r"https?://", site.source.repo_url))


SECRETS: tuple[Secret, ...] = (
    Secret(
        "registryPassword",
        "password of registry.username, with which the cluster pulls images",
        _has_nexus,
        "every site with a registry of kind nexus",
    ),
    Secret(
        "gitPassword",
        "password or token of source.username, with which Argo CD reads the repository",
        git_over_http,
        "every site whose source.repoURL is http or https",
    ),
    Secret(
        "gitSshKey",
        "private key with which Argo CD reads the repository",
        lambda site: not git_over_http(site),
        "every site whose source.repoURL is ssh",
    ),
    Secret("postgresPassword", "password of infra.postgres.user", lambda _: True, "every site"),
    Secret("redisPassword", "password of Redis", lambda _: True, "every site"),
    Secret("qdrantApiKey", "API key of Qdrant", lambda _: True, "every site"),
    Secret(
        "minioAccessKey",
        "access key of the object store",
        lambda site: site.k3s is not None,
        "every K3s site; on EKS the program makes the key",
    ),
    Secret(
        "minioSecretKey",
        "secret key of the object store",
        lambda site: site.k3s is not None,
        "every K3s site; on EKS the program makes the key",
    ),
    Secret(
        "argocdWebhookUrl",
        "address to which Argo CD reports an unhealthy service",
        lambda site: site.argocd.notifications_webhook,
        "every site with argocd.notificationsWebhook",
    ),
)

BY_KEY: dict[str, Secret] = {secret.config_key: secret for secret in SECRETS}

SECRET_OUTPUTS = frozenset({"kubeconfig"})
"""Outputs of a stack that the engine keeps encrypted; nothing that is written down shows one."""
