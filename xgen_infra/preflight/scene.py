"""What every check is given: the site, its secrets, and the ways to AWS and to the cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from kubernetes import client

from xgen_infra.engine import Engine
from xgen_infra.health.access import UnreachableError, cluster
from xgen_infra.preflight.check import StopError, refuse, warn
from xgen_infra.preflight.reach import closed
from xgen_infra.preflight.secrets import Secrets
from xgen_infra.site import EksCluster, K3sCluster, Management, Site
from xgen_infra.stackfile import StackFile


@dataclass(frozen=True)
class Account:
    """One account and region of AWS, as the principal that looks into it."""

    session: Any = field(repr=False)
    region: str
    seconds: float
    lock: threading.Lock = field(repr=False)

    def client(self, service: str, endpoint: str | None = None) -> Any:
        """Return a client of a service; of a store other than AWS' own by its address."""
        config = Config(
            connect_timeout=self.seconds,
            read_timeout=self.seconds,
            retries={"max_attempts": 2},
            s3={"addressing_style": "path"} if endpoint else None,
        )
        # Clients may be shared between threads, the session that makes them may not (Boto3 documentation, "Session").
        with self.lock:
            return self.session.client(service, region_name=self.region, endpoint_url=endpoint, config=config)


@dataclass(frozen=True)
class Scene:
    """One site, looked at from this machine. `seconds` bounds each connection and each answer."""

    file: StackFile
    site: Site
    secrets: Secrets
    folder: Path
    kubeconfig: Path | None = None
    seconds: float = 8
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _asked: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _session: Any = field(default_factory=boto3.Session, repr=False)
    _answers: list[str] = field(default_factory=list, repr=False)

    @property
    def eks(self) -> EksCluster:
        """The cluster of a site on EKS."""
        assert self.site.eks  # noqa: S101
        return self.site.eks

    @property
    def k3s(self) -> K3sCluster:
        """The cluster of a site on K3s."""
        assert self.site.k3s  # noqa: S101
        return self.site.k3s

    @property
    def account(self) -> Account:
        """The site's account, by the caller's own AWS credentials.

        Raises StopError where they are another account's, or nobody's: what is there says nothing of the site.
        """
        with self._asked:
            if not self._answers:
                self._answers.append(self._whose())
        if self._answers[0] != self.eks.account:
            whose = (
                f"AWS answers for account {self._answers[0]}"
                if self._answers[0]
                else "AWS lets nobody in, or is away"
            )
            raise StopError(warn(f"not looked at: {whose}", "see the check aws-identity"))
        return self.aws(self.eks.region)

    def _whose(self) -> str:
        try:
            return str(self.aws(self.eks.region).client("sts").get_caller_identity()["Account"])
        except (ClientError, BotoCoreError):
            return ""

    def aws(self, region: str, **keys: str) -> Account:
        """Return a region as the caller sees it, or as the owner of `keys` (boto3's names) does."""
        session = boto3.Session(**keys) if keys else self._session
        return Account(session, region, self.seconds, self._lock)

    def management_account(self, management: Management) -> Account:
        """Return the account of the management network, by its role where the file names one.

        Raises StopError where it cannot be entered.
        """
        own, region = self.account, management.region or self.eks.region
        if management.role_arn is None:
            return self.aws(region)
        try:
            asked = own.client("sts").assume_role(
                RoleArn=management.role_arn, RoleSessionName="xgen-preflight"
            )
        except (ClientError, BotoCoreError) as error:
            raise StopError(
                refuse(
                    f"{management.role_arn} cannot be assumed ({said(error)})",
                    "let its account trust this principal with sts:AssumeRole, or correct management.roleArn",
                )
            ) from None
        keys = asked["Credentials"]
        return self.aws(
            region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    @contextmanager
    def cluster(self) -> Iterator[client.ApiClient]:
        """Yield a client of a K3s site's cluster; what it fails at ends the check."""
        try:
            with cluster(self.site, self.kubeconfig, Engine(self.folder)) as api:
                self._answering(api.configuration)
                yield api
        except UnreachableError as error:
            mend = "see the check cluster"
            raise StopError(warn(f"not looked at: {error}", mend)) from None

    def _answering(self, configuration: Any) -> None:
        """Raise UnreachableError where nobody listens: the client itself would try for minutes."""
        parts = urlsplit(configuration.host)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if not configuration.proxy and (why := closed(parts.hostname or "", port, self.seconds)):
            raise UnreachableError(
                f"the cluster of {self.site.stack} does not answer at {parts.netloc} ({why})"
            )


def said(error: Exception) -> str:
    """Return what AWS said, in one line."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return f"{told.get('Code', 'error')}: {told.get('Message', '')}".strip().rstrip(":")
    return " ".join(str(error).split())


def denied(error: Exception) -> bool:
    """Whether AWS refuses the principal, rather than the request."""
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
