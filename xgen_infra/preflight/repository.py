"""The customer's Git repository, as Argo CD will read it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from xgen_infra.git import git_address
from xgen_infra.mirror import credentials
from xgen_infra.preflight.check import Result, fine, refuse, warn
from xgen_infra.preflight.reach import FROM_INSIDE
from xgen_infra.preflight.scene import Scene
from xgen_infra.vendor.publish import Git, GitError

_AWAY = (
    "Could not resolve",
    "Failed to connect",
    "Connection refused",
    "timed out",
    "No route to host",
    "did not end within",
    "Couldn't connect",
    "Operation too slow",
)
"""What git and curl say of a host that is not there for them."""
_LOGIN = ("was not allowed", "Permission denied", "could not read", "Authentication failed")


def git(scene: Scene) -> Iterator[Result]:
    """Read the repository's branches with the site's credential, and look for the one that Argo CD follows."""
    source = scene.site.source
    credential = credentials.find(scene.site, scene.secrets.environ, scene.secrets.need)
    with tempfile.TemporaryDirectory(prefix="xgen-preflight-") as folder:
        env = credentials.environment(source, credential, Path(folder))
        # Away from any repository, whose own settings could lead elsewhere.
        repository = Git(Path(folder))
        try:
            listed = repository.run("ls-remote", "--heads", "--tags", source.repo_url, env=env).decode()
        except GitError as error:
            yield _failed(scene, str(error))
            return
    refs = {line.partition("\t")[2] for line in listed.splitlines()}
    yield fine(f"{source.repo_url} can be read, by {credential.username or 'the deploy key'}")
    yield _revision(refs, source.target_revision, source.repo_url, scene.site.stack)


def _revision(refs: set[str], revision: str, url: str, stack: str) -> Result:
    if f"refs/heads/{revision}" in refs:
        return fine(f"the branch {revision} is there")
    if f"refs/tags/{revision}" in refs:
        return refuse(
            f"{revision} is a tag of {url}: the mirror needs a branch that it can move forward",
            "write a branch as source.targetRevision",
        )
    return warn(
        f"{url} has no branch {revision}{'' if refs else ': it is empty'}",
        f"that is right before the first time: `xgen mirror {stack}` makes it. Otherwise correct "
        "source.targetRevision",
    )


def _failed(scene: Scene, told: str) -> Result:
    source = scene.site.source
    host, port = git_address(source.repo_url)
    if any(words in told for words in _AWAY):
        return warn(f"{host}:{port} cannot be reached from here ({told})", FROM_INSIDE)
    if any(words in told for words in _LOGIN):
        key = "gitPassword" if source.repo_url.startswith("http") else "gitSshKey"
        return refuse(
            told,
            f"give {source.username if key == 'gitPassword' else 'the deploy key'} the right to read there, or write "
            f"the right credential: pulumi config set --secret xgen-infra:{key} --stack {scene.site.stack}",
        )
    if "certificate" in told:
        return refuse(told, "write the PEM of the server's own authority as source.caCertificate")
    if "Host key verification failed" in told:
        return refuse(
            told, f"write what `ssh-keyscan {host}` prints, checked by its owner, as source.knownHosts"
        )
    return refuse(told)
