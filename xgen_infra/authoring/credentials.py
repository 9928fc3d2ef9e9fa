"""The secrets of a new file: taken from files or the environment, asked without echo, or made up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xgen_infra.authoring.answers import AnswerError
from xgen_infra.authoring.generate import Generated, generate
from xgen_infra.secrecy import opened
from xgen_infra.secrets_catalog import SECRETS, Secret
from xgen_infra.site import Site

Ask = Callable[[str, bool], str]
"""Asks for a secret without echo: (what it is, whether it may be left open) -> the reply."""
_DATA = {
    "postgresPassword": "postgres",
    "redisPassword": "redis",
    "qdrantApiKey": "qdrant",
    "minioAccessKey": "minio",
    "minioSecretKey": "minio",
}
"""Secrets that a server has too, by its place in `infra`."""


@dataclass(frozen=True)
class Credentials:
    """Values by configuration key, never shown; `made` are those that were made up, by key of the catalog."""

    values: Mapping[str, str] = field(repr=False)
    made: Mapping[str, Generated] = field(repr=False)


def credentials(site: Site, given: Mapping[str, str], ask: Ask | None, *, runs: bool = False) -> Credentials:
    """Return a value for every secret that the site needs: given, of the environment, asked, or made up.

    Where the platform `runs` already, nothing is made up for a server outside the cluster: it has a password.

    Raises AnswerError, which names every one that nobody gave.
    """
    values: dict[str, str] = {}
    made: dict[str, Generated] = {}
    missing: list[Secret] = []
    unused = [key for key in given if not any(one.key == key and one.needed_when(site) for one in SECRETS)]
    if unused:
        raise AnswerError(f"this site has no use for {', '.join(unused)}: leave it out")
    for secret in SECRETS:
        if not secret.needed_when(site):
            continue
        value = given.get(secret.key) or os.environ.get(secret.variable) or ""
        may_make = secret.made is not None and not _exists(secret, site, runs=runs)
        if not value and ask:
            value = ask(f"{secret.key}: the {secret.purpose}{_where(secret, site)}", may_make)
        if not value and may_make:
            made[secret.key] = generate(secret, f"argocd@{site.stack}")
            value = made[secret.key].value
        if value:
            opened.note(value)
            values[secret.config_key] = value
        else:
            missing.append(secret)
    if missing:
        lines = (
            f"\n  {one.key}  the {one.purpose}: --secret-file {one.key}=FILE, or {one.variable}"
            for one in missing
        )
        raise AnswerError(
            f"a secret is missing; name a file that holds it, or set a variable:{''.join(lines)}"
        )
    return Credentials(values, made)


def _exists(secret: Secret, site: Site, *, runs: bool) -> bool:
    """Whether data was made with the value already, so that another one would lock everybody out."""
    adopted = bool(site.k3s and site.k3s.adopt.data_services)
    return secret.key in _DATA and (adopted or (runs and bool(server(secret.key, site))))


def _where(secret: Secret, site: Site) -> str:
    host = server(secret.key, site)
    return f" at {host}" if host else ""


def server(key: str, site: Site) -> str:
    """Return the server outside the cluster that has to know a secret too; empty where there is none."""
    place = _DATA.get(key)
    if place is None:
        return ""
    part = getattr(site.infra, place)
    return str((part.endpoint if place == "minio" else part.host) or "")


def from_files(pairs: list[str]) -> dict[str, str]:
    """Read secrets from files, each `KEY=FILE`; the file's last line break is no part of it. Raises AnswerError."""
    known = {secret.key: secret for secret in SECRETS}
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, name = pair.partition("=")
        if not equals or not name or key not in known:
            raise AnswerError(f"--secret-file: expected KEY=FILE with one of {', '.join(known)}")
        found[key] = read_secret(Path(name), keep_end=known[key].made == "sshKey")
    return found


def read_secret(path: Path, *, keep_end: bool = False) -> str:
    """Return the secret that a file holds; raises AnswerError or OSError as `read_text` does."""
    text = read_text(path, empty="it has to hold the secret")
    opened.note(text.strip())
    return text if keep_end else text.removesuffix("\n").removesuffix("\r")


def read_text(path: Path, *, empty: str) -> str:
    """Return what a file holds; raises AnswerError where it is empty or no text, OSError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise AnswerError(f"{path}: expected text in UTF-8") from None
    if not text.strip():
        raise AnswerError(f"{path} is empty: {empty}")
    return text
