"""Reads from a registry over HTTP (OCI Distribution Specification 1.1), with basic or bearer authentication."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from xgen_infra.registry.manifests import (
    INDEXES,
    MANIFESTS,
    error_codes,
    json_object,
    of_platform,
    wrong_platform,
)
from xgen_infra.registry.problems import Problem, RegistryError, unusable
from xgen_infra.registry.transport import Endpoint, Transport
from xgen_infra.secrecy import opened

_CHALLENGE = re.compile(r"(?i)\b(basic|bearer)\s+((?:\w+=(?:\"[^\"]*\"|[^\s,]+)(?:\s*,\s*)?)*)")
_PARAMETER = re.compile(r"(\w+)=(?:\"([^\"]*)\"|([^\s,]+))")


@dataclass(frozen=True)
class Credential:
    """A user name and password; `source` says in words where they came from, for messages."""

    username: str
    password: str = field(repr=False)
    source: str = "the given credential"

    def __post_init__(self) -> None:
        opened.note(self.password)


@dataclass(frozen=True)
class Image:
    """What a tag is: the digest of the manifest for one platform, such as linux/amd64."""

    repository: str
    reference: str
    digest: str
    platform: str


class RegistryClient:
    """One registry. Every method raises RegistryError, which says what was found and what to do.

    `timeout` is in seconds, for each connection and each wait for data; what may pass (timeouts, 429, 5xx) is
    tried `attempts` times.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credential: Credential | None = None,
        *,
        timeout: float = 15,
        attempts: int = 3,
    ) -> None:
        self.endpoint = endpoint
        self.credential = credential
        self._logins: dict[str, str] = {}
        self._http = Transport(endpoint, timeout=timeout, attempts=attempts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def check(self) -> None:
        """Ask whether this is a registry that takes the credential."""
        answer, _ = self._get("/v2/", scope="")
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise self._no_registry()
        self._refuse_others(answer, self.endpoint.host)

    def resolve(self, repository: str, reference: str, platform: str = "linux/amd64") -> Image:
        """Return which image a tag or digest is for a platform; the manifest that it names is known to exist."""
        body, kind, digest = self._manifest(repository, reference)
        name = _name(self.endpoint.host, repository, reference)
        if kind in INDEXES:
            digest = of_platform(body, platform, name)
            self._manifest(repository, digest)
        elif kind in MANIFESTS:
            found = self._platform(repository, body)
            if found != platform:
                raise wrong_platform(name, found, platform)
        else:
            raise RegistryError(
                Problem.ANSWER,
                f"{name} is of the kind {kind or 'unknown'}, not a container image",
                "build it anew with a current Docker and push it",
            )
        return Image(repository, reference, digest, platform)

    def _manifest(self, repository: str, reference: str) -> tuple[dict[str, Any], str, str]:
        """Return a manifest, its media type and its digest, computed here."""
        path = f"/v2/{repository}/manifests/{reference}"
        accept = ", ".join((*INDEXES, *MANIFESTS))
        answer, content = self._get(path, scope=f"repository:{repository}:pull", accept=accept)
        name = _name(self.endpoint.host, repository, reference)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise self._missing(content, repository, reference)
        self._refuse_others(answer, name)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise RegistryError(
                Problem.ANSWER,
                f"{name} came with content of another digest ({digest})",
                "something between here and the registry changes its answers: find it before any image is pulled",
            )
        body = json_object(content, name)
        kind = body.get("mediaType") or answer.headers.get("content-type", "").partition(";")[0].strip()
        return body, str(kind), digest

    def _platform(self, repository: str, manifest: dict[str, Any]) -> str:
        """Return what a single image was built for, from its configuration."""
        config = manifest.get("config")
        digest = str(config.get("digest")) if isinstance(config, dict) else ""
        scope = f"repository:{repository}:pull"
        answer, content = self._get(f"/v2/{repository}/blobs/{digest}", scope=scope)
        name = f"the configuration of {self.endpoint.host}/{repository}"
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise RegistryError(Problem.MISSING, f"{name} is not there", "push the image again")
        self._refuse_others(answer, name)
        found = json_object(content, name)
        return f"{found.get('os', 'unknown')}/{found.get('architecture', 'unknown')}"

    def _missing(self, content: bytes, repository: str, reference: str) -> RegistryError:
        codes = error_codes(content)
        if not codes:
            self.check()
        name = _name(self.endpoint.host, repository, reference)
        if "NAME_UNKNOWN" in codes:
            found = f"{self.endpoint.host} has no repository {repository}"
        else:
            found = f"{name} is not there"
        mend = "let Jenkins build and push it first, or name a tag that exists"
        return RegistryError(Problem.MISSING, found, mend)

    def _get(self, path: str, *, scope: str, accept: str = "*/*") -> tuple[httpx.Response, bytes]:
        """Ask, and ask again with a login where the registry wants one."""
        url = f"{self.endpoint.url}{path}"
        headers = {"Accept": accept}
        if scope in self._logins:
            headers["Authorization"] = self._logins[scope]
        answer, content = self._http.get(url, headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED and scope not in self._logins:
            self._logins[scope] = self._login(answer, scope)
            headers["Authorization"] = self._logins[scope]
            answer, content = self._http.get(url, headers)
        return answer, content

    def _login(self, answer: httpx.Response, scope: str) -> str:
        """Return an Authorization header for a challenge (RFC 7617; Distribution, "Token Authentication")."""
        offered = {
            scheme.lower(): {name: quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
            for header in answer.headers.get_list("www-authenticate")
            for scheme, rest in _CHALLENGE.findall(header)
        }
        if "bearer" in offered:
            return f"Bearer {self._token(offered['bearer'], scope)}"
        if self.credential is None:
            raise self._unauthorized()
        if "basic" not in offered:
            raise RegistryError(
                Problem.ANSWER,
                f"{self.endpoint.host} asks for a login of an unknown kind",
                "let it offer basic or bearer authentication",
            )
        pair = f"{self.credential.username}:{self.credential.password}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def _token(self, challenge: dict[str, str], scope: str) -> str:
        realm = challenge.get("realm", "")
        parts = urlsplit(realm)
        secure = parts.scheme == "https" or (parts.scheme == "http" and self.endpoint.plain_http)
        if not parts.hostname or not secure:
            raise RegistryError(
                Problem.ANSWER,
                f"{self.endpoint.host} sends logins to {realm or 'nowhere'}, which is not HTTPS",
                "no password is sent there: let the registry name an https:// realm",
            )
        asked = {"service": challenge.get("service", ""), "scope": challenge.get("scope") or scope}
        url = httpx.URL(realm).copy_merge_params({key: value for key, value in asked.items() if value})
        login = self.credential
        auth = httpx.BasicAuth(login.username, login.password) if login else None
        answer, content = self._http.get(str(url), {"Accept": "application/json"}, auth)
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise self._unauthorized()
        self._refuse_others(answer, realm)
        body = json_object(content, realm)
        token = body.get("token") or body.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise RegistryError(
                Problem.ANSWER, f"{realm} gave no token", "let the registry's administrator see why"
            )
        return token

    def _refuse_others(self, answer: httpx.Response, name: str) -> None:
        # A token that lacks a right is answered like a missing one (Distribution, "Token Authentication").
        lacking = "insufficient_scope" in answer.headers.get("www-authenticate", "")
        if answer.status_code == httpx.codes.UNAUTHORIZED and not lacking:
            raise self._unauthorized()
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            user = f"the user {self.credential.username}" if self.credential else "an anonymous user"
            raise RegistryError(
                Problem.FORBIDDEN,
                f"{name} is not for {user}",
                "let the registry's administrator grant that user the right to read this repository",
            )
        if answer.status_code != httpx.codes.OK:
            raise unusable(name, answer.status_code)

    def _unauthorized(self) -> RegistryError:
        host = self.endpoint.host
        if self.credential is None:
            return RegistryError(
                Problem.NO_CREDENTIALS,
                f"{host} asks for a login, and none was given",
                "give one in XGEN_REGISTRY_USERNAME and XGEN_REGISTRY_PASSWORD, or by docker login",
            )
        return RegistryError(
            Problem.CREDENTIALS,
            f"{host} refuses the user {self.credential.username} ({self.credential.source})",
            "replace the password where it comes from, and check that the user exists there and is not locked",
        )

    def _no_registry(self) -> RegistryError:
        return RegistryError(
            Problem.NO_REGISTRY,
            f"{self.endpoint.host} answers, but not as a registry",
            "write the host and port of its Docker registry (in Nexus: the repository's own connector port)",
        )


def _name(host: str, repository: str, reference: str) -> str:
    return f"{host}/{repository}{'@' if reference.startswith('sha256:') else ':'}{reference}"
