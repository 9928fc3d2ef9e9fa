"""What can be wrong between this machine and a registry, each with its mend."""

from __future__ import annotations

import socket
import ssl
from enum import StrEnum

import httpx


class Problem(StrEnum):
    """The kinds of trouble that have a mend of their own."""

    CREDENTIALS = "wrong credentials"
    NO_CREDENTIALS = "no credentials"
    FORBIDDEN = "not allowed"
    MISSING = "missing image"
    ARCHITECTURE = "wrong architecture"
    SPEAKS_HTTP = "plain HTTP where TLS was said"
    SPEAKS_TLS = "TLS where plain HTTP was said"
    UNKNOWN_CA = "unknown certificate authority"
    CERTIFICATE = "wrong certificate"
    UNREACHABLE = "unreachable"
    NO_REGISTRY = "not a registry"
    ANSWER = "unusable answer"


class RegistryError(Exception):
    """A registry that did not give what was asked for: one sentence of what was found, one of what to do."""

    def __init__(self, problem: Problem, found: str, mend: str) -> None:
        self.problem = problem
        self.found = found
        self.mend = mend
        super().__init__(f"{found}: {mend}")


_WRONG_NAME = frozenset({62, 64})
_WRONG_TIME = {9: "is not valid yet", 10: "has expired"}
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNEXPECTED_EOF",
)


def transport_problem(
    error: httpx.RequestError | httpx.InvalidURL, host: str, *, plain_http: bool, seconds: float
) -> RegistryError:
    """Return what a failed connection means (X509_V_ERR numbers: OpenSSL documentation, X509_STORE_CTX_get_error)."""
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate_problem(cause, host)
    if isinstance(cause, ssl.SSLError):
        return _tls_problem(cause, host, plain_http=plain_http, seconds=seconds)
    silent = isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError))
    if plain_http and silent and speaks_tls(host, seconds):
        return tls_instead(host)
    return _unreachable(error, cause, host, seconds)


def _tls_problem(cause: ssl.SSLError, host: str, *, plain_http: bool, seconds: float) -> RegistryError:
    if not plain_http and any(word in str(cause.reason) for word in _NOT_TLS) and _speaks_http(host, seconds):
        return speaks_http(host)
    return RegistryError(
        Problem.CERTIFICATE,
        f"{host} did not agree on TLS ({cause.reason or cause})",
        "let its administrator see which TLS versions and client certificates it asks for",
    )


def _unreachable(error: Exception, cause: BaseException, host: str, seconds: float) -> RegistryError:
    if isinstance(cause, socket.gaierror):
        found = f"the name {host.partition(':')[0]} is not known to this machine's DNS"
        mend = (
            "check registry.host in the customer's file, and that this machine is in a network that knows it"
        )
    elif isinstance(error, httpx.TimeoutException):
        found = f"{host} did not answer within {seconds:.0f} s"
        mend = "check route and firewall from this machine to that port, or the VPN that leads there"
    else:
        reason = getattr(cause, "strerror", None) or str(error) or type(error).__name__
        found = f"{host} cannot be reached ({reason})"
        mend = "check that the registry runs, and the port of registry.host in the customer's file"
    return RegistryError(Problem.UNREACHABLE, found, mend)


def _certificate_problem(cause: ssl.SSLCertVerificationError, host: str) -> RegistryError:
    if cause.verify_code in _WRONG_NAME:
        return RegistryError(
            Problem.CERTIFICATE,
            f"the certificate of {host} is for another name ({cause.verify_message})",
            "write the name that the certificate bears as registry.host",
        )
    if cause.verify_code in _WRONG_TIME:
        return RegistryError(
            Problem.CERTIFICATE,
            f"the certificate of {host} {_WRONG_TIME[cause.verify_code]}",
            "let its administrator renew it, or set this machine's clock",
        )
    return RegistryError(
        Problem.UNKNOWN_CA,
        f"the certificate of {host} comes from an authority that this machine does not know ({cause.verify_message})",
        "write that authority's certificate (PEM) as registry.caCertificate in the customer's file",
    )


def speaks_http(host: str) -> RegistryError:
    """Return the refusal of a registry that was to speak TLS and does not."""
    return RegistryError(
        Problem.SPEAKS_HTTP,
        f"{host} speaks plain HTTP, and the customer's file says HTTPS",
        "write plainHttp: true below registry, or the port on which it speaks HTTPS",
    )


def tls_instead(host: str) -> RegistryError:
    """Return the refusal of a registry that was to speak plain HTTP and does not."""
    return RegistryError(
        Problem.SPEAKS_TLS,
        f"{host} speaks HTTPS, and the customer's file says plain HTTP",
        "remove plainHttp: true below registry, or write the port on which it speaks plain HTTP",
    )


def unusable(name: str, status: int) -> RegistryError:
    """Return the refusal of an answer that means nothing here."""
    return RegistryError(
        Problem.ANSWER, f"{name} answered with status {status}", "try again; if it stays, its log says why"
    )


def _root(error: BaseException) -> BaseException:
    """Return the operating system's or TLS' own error below the client's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _speaks_http(host: str, seconds: float) -> bool:
    """Whether a server answers plain HTTP. Nothing secret is sent."""
    try:
        httpx.get(f"http://{host}/v2/", timeout=seconds)
    except httpx.HTTPError:
        return False
    return True


def speaks_tls(host: str, seconds: float) -> bool:
    """Whether a server answers a TLS greeting, whatever its certificate. Nothing is sent to it."""
    name, _, port = host.partition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((name, int(port or 80)), timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return True
    except (OSError, ValueError):
        return False
