"""Starts the GitOps side of a rehearsal: the customer's Git server, and what runs Argo CD's programs."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from xgen_infra import naming
from xgen_infra.git import git_address
from xgen_infra.rehearsal.control_plane.pki import Authority, write_private
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.gitops.repository import create_repository
from xgen_infra.rehearsal.gitops.settings import GitSettings, ProgramSettings
from xgen_infra.rehearsal.ports import free_ports, listening
from xgen_infra.rehearsal.processes import ProcessError, Supervisor, clean_environment
from xgen_infra.rehearsal.tools import Tool, module_dir
from xgen_infra.site.parts import Source

MODULE = "github.com/argoproj/argo-cd/v3"
CONTROLLER = "argocd-application-controller"
POLL_SECONDS = 3
"""How often Argo CD looks for a commit here, in place of the minutes of the customer's file."""
_SECONDS = 300.0
_PACKAGE = "xgen_infra.rehearsal.gitops"
_SOURCE = str(Path(__file__).parents[3])


@dataclass(frozen=True)
class GitOps:
    """`repository` is the customer's, bare; `environment` lets any `git` here reach it under the customer's URL.

    `ca` is the certificate (PEM) of the authority that stands in for the Git server's own.
    """

    repository: Path
    environment: Mapping[str, str]
    ca: Path


def start(
    supervisor: Supervisor,
    root: Path,
    binaries: Mapping[Tool, Path],
    plane: ControlPlane,
    source: Source,
    password: str,
) -> GitOps:
    """Start the Git server with the customer's empty repository, and the runner of Argo CD's programs.

    `password` goes with `source.username`. Raises ProcessError for a repository that is not reached by HTTP, or
    where a server does not start.
    """
    url = urlsplit(source.repo_url)
    if url.scheme not in {"http", "https"}:
        raise ProcessError(
            f"the rehearsal's Git server speaks HTTP, and source.repoURL is {source.repo_url}: "
            "rehearse the rest by --delivery helm"
        )
    folder = root / "gitops"
    folder.mkdir(mode=0o700, exist_ok=True)
    host, _ = git_address(source.repo_url)
    authority = Authority(folder / "pki", "rehearsal-git")
    port, redis, repo, *metrics = free_ports(5)
    repository = create_repository(folder / "repositories", url.path)
    pair = authority.issue("git-server", hosts=(host,))
    served = GitSettings(
        port,
        str(folder / "repositories"),
        source.username,
        password,
        {host: (str(pair.cert), str(pair.key))},
    )
    _python(supervisor, root, "git", "git_server", asdict(served))
    supervisor.wait(listening(port), _SECONDS, what="git")
    user = f"system:serviceaccount:{naming.ARGOCD_NAMESPACE}:{CONTROLLER}"
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{naming.ARGOCD_NAMESPACE}")
    settings = ProgramSettings(
        folder=str(folder),
        kubeconfig=str(plane.kubeconfig),
        controller_kubeconfig=str(plane.kubeconfig_for(user, groups)),
        argocd=str(binaries[Tool.ARGOCD]),
        helm=str(binaries[Tool.HELM]),
        redis_port=redis,
        repo_port=repo,
        metrics_ports=(metrics[0], metrics[1]),
        redis_password=secrets.token_hex(16),
        proxy=f"http://127.0.0.1:{port}",
        git_ca=str(authority.cert),
        wrapper=str(module_dir("argocd", MODULE) / "hack" / "git-verify-wrapper.sh"),
        poll_seconds=POLL_SECONDS,
    )
    _python(supervisor, root, "argocd", "containers", asdict(settings))
    reach = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url.scheme}://{url.netloc}/.proxy",
        "GIT_CONFIG_VALUE_0": settings.proxy,
        "GIT_SSL_CAINFO": settings.git_ca,
    }
    return GitOps(repository, reach, authority.cert)


def _python(
    supervisor: Supervisor, root: Path, name: str, module: str, settings: Mapping[str, object]
) -> None:
    file = root / "gitops" / f"{name}.json"
    write_private(file, json.dumps(settings).encode())
    environment = clean_environment(root, PYTHONPATH=_SOURCE, PYTHONDONTWRITEBYTECODE="1")
    supervisor.spawn(name, [sys.executable, "-m", f"{_PACKAGE}.{module}", file], env=environment, grace=8.0)
