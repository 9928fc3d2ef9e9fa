"""A token server for a registry: each user may read or write only what lies below some paths."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from xgen_infra.rehearsal.ports import free_ports, release


@dataclass(frozen=True)
class Reader:
    """A user's password, the path below which it may read, and whether it may write there too."""

    password: str
    below: str
    writes: bool = False


def _bare(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _token(certificate: Path, key: Path, access: list[dict[str, Any]]) -> str:
    """Sign a token (Distribution, "Token Authentication Implementation": JWT with the signer's chain)."""
    chain = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    now = int(time.time())
    header = {"typ": "JWT", "alg": "ES256", "x5c": [b64encode(chain).decode()]}
    claims = {"iss": "tokens", "sub": "", "aud": "registry", "exp": now + 300, "nbf": now - 5, "iat": now}
    body = ".".join(
        _bare(json.dumps(part).encode()) for part in (header, {**claims, "jti": "1", "access": access})
    )
    r, s = decode_dss_signature(private.sign(body.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{body}.{_bare(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@contextlib.contextmanager
def token_server(
    users: Mapping[str, Reader], context: ssl.SSLContext, certificate: Path, key: Path
) -> Iterator[int]:
    """Serve tokens over TLS for the registry whose trust is in `certificate`'s authority; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, _, password = _login(self.headers.get("Authorization", ""))
            user = users.get(name)
            if user is None or user.password != password:
                self._answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
                return
            access = []
            for scope in parse_qs(urlsplit(self.path).query).get("scope", []):
                kind, path, actions = scope.split(":")
                allowed = [word for word in actions.split(",") if word == "pull" or user.writes]
                if path.startswith(user.below):
                    access.append({"type": kind, "name": path, "actions": allowed})
            self._answer(200, {"token": _token(certificate, key, access), "expires_in": 300})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Say nothing of clients that turn away."""

    (port,) = free_ports(1)
    server = Server(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        release([port])


def _login(authorization: str) -> tuple[str, str, str]:
    return b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
