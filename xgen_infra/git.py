"""Addresses of Git repositories."""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22}


def git_address(url: str) -> tuple[str, int]:
    """Return (host, port) of a Git URL; `user@host:path` is SSH."""
    if "://" not in url:
        return url.partition("@")[2].partition(":")[0].lower(), _DEFAULT_PORTS["ssh"]
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def same_repository(url: str) -> str:
    """Return one text for all ways to write a repository's address: host and path, lower case, without `.git`."""
    host, _ = git_address(url)
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    return f"{host}/{path.strip('/').removesuffix('.git')}".lower()
