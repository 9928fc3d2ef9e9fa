"""One HTTP connection to a registry: retries what may pass, and says what a failure means."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from xgen_infra.registry.problems import (
    Problem,
    RegistryError,
    tls_instead,
    transport_problem,
    unusable,
)

_MAX_SIZE = 4 * 1024 * 1024
_MAX_SECONDS = 120
_MAX_REDIRECTS = 5
_PASSING = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Endpoint:
    """Where a registry is: host[:port], its scheme, and the PEM of its private authority where it has one."""

    host: str
    plain_http: bool = False
    ca_certificate: str | None = None

    @property
    def url(self) -> str:
        """The registry's base address."""
        return f"{'http' if self.plain_http else 'https'}://{self.host}"


class _PassingError(Exception):
    """A failure that may be over in a moment."""

    def __init__(self, final: RegistryError) -> None:
        self.final = final
        super().__init__(str(final))


class Transport:
    """Sends GET requests; `timeout` is in seconds, for each connection and each wait for data."""

    def __init__(self, endpoint: Endpoint, *, timeout: float, attempts: int) -> None:
        self._timeout = timeout
        self._attempts = attempts
        self._http = httpx.Client(timeout=timeout, verify=_trust(endpoint))

    def close(self) -> None:
        self._http.close()

    def get(
        self, url: str, headers: dict[str, str], auth: httpx.Auth | None = None
    ) -> tuple[httpx.Response, bytes]:
        """Return the answer, whatever its status, and its content; RegistryError where there is none.

        A redirect is followed; to another host it takes no login along.
        """
        tries = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=0.5, max=8),
            reraise=True,
        )
        try:
            return tries(self._once, url, headers, auth)
        except _PassingError as error:
            raise error.final from None

    def _once(
        self, url: str, headers: dict[str, str], auth: httpx.Auth | None
    ) -> tuple[httpx.Response, bytes]:
        host, plain = urlsplit(url).netloc, url.startswith("http://")
        try:
            request: httpx.Request | None = self._http.build_request("GET", url, headers=headers)
            for _ in range(_MAX_REDIRECTS):
                assert request is not None  # noqa: S101
                answer, content = self._send(request, auth, host)
                if plain and _wants_tls(answer, content, host):
                    raise tls_instead(host)
                if answer.next_request is None:
                    break
                # httpx has taken the login out of the next request where that leads to another host.
                request, auth = answer.next_request, None
        except (httpx.RequestError, httpx.InvalidURL) as error:
            problem = transport_problem(error, host, plain_http=plain, seconds=self._timeout)
            if problem.problem is Problem.UNREACHABLE and isinstance(error, httpx.TransportError):
                raise _PassingError(problem) from None
            raise problem from None
        if answer.status_code in _PASSING:
            raise _PassingError(unusable(host, answer.status_code))
        return answer, content

    def _send(
        self, request: httpx.Request, auth: httpx.Auth | None, host: str
    ) -> tuple[httpx.Response, bytes]:
        answer = self._http.send(request, auth=auth, stream=True)
        try:
            return answer, _limited(answer, host)
        finally:
            answer.close()


def _wants_tls(answer: httpx.Response, content: bytes, host: str) -> bool:
    """Whether a plain request met a server that wants TLS: it says so, or leads there."""
    if answer.next_request is not None:
        target = answer.next_request.url
        return target.scheme == "https" and target.host == urlsplit(f"//{host}").hostname
    # So say servers in Go and nginx ("HTTPS") and Apache ("SSL-enabled server port").
    text = content.upper()
    return bool(answer.status_code == httpx.codes.BAD_REQUEST) and (
        b"HTTPS" in text or b"SSL-ENABLED" in text
    )


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    """Return the system's authorities and the registry's private one."""
    context = ssl.create_default_context()
    if endpoint.ca_certificate:
        try:
            context.load_verify_locations(cadata=endpoint.ca_certificate)
        except (ssl.SSLError, ValueError) as error:
            raise RegistryError(
                Problem.UNKNOWN_CA,
                f"caCertificate of {endpoint.host} is no certificate ({getattr(error, 'reason', None) or error})",
                "write the authority's certificate as PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
            ) from None
    return context


def _limited(answer: httpx.Response, host: str) -> bytes:
    content, begun = b"", time.monotonic()
    for part in answer.iter_bytes():
        content += part
        if len(content) > _MAX_SIZE or time.monotonic() - begun > _MAX_SECONDS:
            raise RegistryError(
                Problem.ANSWER,
                f"{host} answers with more than 4 MiB, or for more than {_MAX_SECONDS} s",
                "this is no manifest: check registry.host in the customer's file",
            )
    return content
