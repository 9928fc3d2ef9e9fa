"""What the servers of the GitOps side are told, each by a private JSON file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GitSettings:
    """`root` holds the bare repositories; `certificates` are (certificate, key) files by host name.

    Without `username` anyone may read and write.
    """

    port: int
    root: str
    username: str = ""
    password: str = field(default="", repr=False)
    certificates: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def authorization(self) -> str:
        """The Authorization header that is let in."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class ProgramSettings:
    """Where everything is.

    `poll_seconds` replaces the installed interval of looking for commits; `wrapper` is the script that Argo CD's
    image has beside its programs.
    """

    folder: str
    kubeconfig: str
    controller_kubeconfig: str
    argocd: str
    helm: str
    redis_port: int
    repo_port: int
    metrics_ports: tuple[int, int]
    redis_password: str = field(repr=False)
    proxy: str
    git_ca: str
    wrapper: str
    poll_seconds: int
