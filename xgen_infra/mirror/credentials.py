"""With what the mirror reaches the customer's repository: from the environment or the stack's own secure values.

A credential reaches git by its environment only: never by an argument, a URL, a file of git's configuration or a
log. It is offered to the repository's own origin alone, whatever a server redirects to.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from xgen_infra.secrecy import opened
from xgen_infra.secrets_catalog import git_over_http
from xgen_infra.site import Site
from xgen_infra.site.parts import Source

USERNAME, PASSWORD = "XGEN_GIT_USERNAME", "XGEN_GIT_PASSWORD"
SSH_KEY, SSH_KEY_FILE = "XGEN_GIT_SSH_KEY", "XGEN_GIT_SSH_KEY_FILE"
_HELPER = (
    f"""!f() {{ test "$1" = get && printf 'username=%s\\npassword=%s\\n' "${USERNAME}" "${PASSWORD}"; }}; f"""
)
_STALLED = {"http.lowSpeedLimit": "1", "http.lowSpeedTime": "30"}
Ask = Callable[[str], str]
"""Returns a secure value of the stack by its key, such as `gitPassword`."""


@dataclass(frozen=True)
class Credential:
    """A user name and password for HTTP, or a private key (its text, or the file that holds it) for SSH."""

    username: str = ""
    password: str = field(default="", repr=False)
    ssh_key: str = field(default="", repr=False)
    ssh_key_file: str = ""

    def __post_init__(self) -> None:
        opened.note(self.password, self.ssh_key)


def find(site: Site, environ: Mapping[str, str], ask: Ask) -> Credential:
    """Return the credential for a site's repository; the environment wins over the stack's own secure value.

    Raises what `ask` raises.
    """
    if git_over_http(site):
        password = environ.get(PASSWORD) or ask("gitPassword")
        return Credential(environ.get(USERNAME) or site.source.username, password)
    if file := environ.get(SSH_KEY_FILE):
        return Credential(ssh_key_file=file)
    return Credential(ssh_key=environ.get(SSH_KEY) or ask("gitSshKey"))


def environment(source: Source, credential: Credential, folder: Path) -> dict[str, str]:
    """Return the environment in which git reaches the repository. `folder` is private, and gone afterwards."""
    if not source.repo_url.startswith(("http://", "https://")):
        return {"GIT_SSH_COMMAND": _ssh(source, credential, folder)}
    parts = urlsplit(source.repo_url)
    # The empty helper drops those of the machine: no other credential is tried, and this one is stored nowhere.
    settings = {
        "credential.helper": "",
        f"credential.{parts.scheme}://{parts.netloc}.helper": _HELPER,
        **_STALLED,
    }
    made = {"GIT_ASKPASS": "false", USERNAME: credential.username, PASSWORD: credential.password}
    if source.ca_certificate and parts.scheme == "https":
        file = folder / "ca.pem"
        file.write_text(source.ca_certificate)
        made["GIT_SSL_CAINFO"] = str(file)
    return {**made, **added(settings)}


def added(settings: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return git settings as environment, after those that are there (git-config documentation, GIT_CONFIG_COUNT)."""
    first = int(environ.get("GIT_CONFIG_COUNT") or 0)
    made = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start=first):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def _ssh(source: Source, credential: Credential, folder: Path) -> str:
    key = credential.ssh_key_file
    if not key:
        file = folder / "key"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(credential.ssh_key.rstrip("\n") + "\n")
        key = str(file)
    options = {
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": "15",
    }
    if source.known_hosts:
        known = folder / "known_hosts"
        known.write_text(source.known_hosts.rstrip("\n") + "\n")
        options["UserKnownHostsFile"] = str(known)
    return shlex.join(
        ["ssh", "-i", key, *(word for name in options for word in ("-o", f"{name}={options[name]}"))]
    )
