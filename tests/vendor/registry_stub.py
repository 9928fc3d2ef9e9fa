"""A registry on loopback that holds a few images and can be made to misbehave; and certificates for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xgen_infra.rehearsal.ports import free_ports, release

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Stub:
    """What the registry holds and how it answers. `user` is (name, password); `bearer` asks for tokens."""

    user: tuple[str, str] | None = None
    bearer: bool = False
    realm: str = ""
    readers: set[str] = field(default_factory=set)
    overrides: list[Callable[[str], tuple[int, dict[str, str], bytes] | None]] = field(default_factory=list)
    port: int = 0
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def put(self, repository: str, tag: str, platform: str = "linux/amd64", content: str = "") -> str:
        """Store an image; return its digest."""
        system, arch = platform.split("/")
        config = json.dumps({"os": system, "architecture": arch, "content": content}).encode()
        self.blobs[digest_of(config)] = config
        manifest = {"mediaType": MANIFEST, "config": {"digest": digest_of(config)}, "layers": []}
        return self._store(repository, tag, MANIFEST, manifest)

    def put_index(self, repository: str, tag: str, *platforms: str) -> dict[str, str]:
        """Store an image for several platforms; return the digest of each, and of all under ''."""
        digests = {
            platform: self.put(repository, f"{tag}.{n}", platform) for n, platform in enumerate(platforms)
        }
        entries = [
            {
                "digest": digest,
                "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
            }
            for platform, digest in digests.items()
        ]
        attestation = {"digest": digest_of(b"x"), "platform": {"os": "unknown", "architecture": "unknown"}}
        index = {"mediaType": INDEX, "manifests": [*entries, attestation]}
        return {**digests, "": self._store(repository, tag, INDEX, index)}

    def _store(self, repository: str, tag: str, kind: str, body: dict[str, Any]) -> str:
        content = json.dumps(body).encode()
        for reference in (tag, digest_of(content)):
            self.manifests[repository, reference] = (kind, content)
        return digest_of(content)

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        for override in self.overrides:
            if special := override(path):
                return special
        url = urlsplit(path)
        if url.path == "/token":
            return self._token(url.query, authorization)
        return self._refusal(url.path, authorization) or self._content(url)

    def _content(self, url: SplitResult) -> tuple[int, dict[str, str], bytes]:
        if url.path == "/v2/":
            return 200, {}, b"{}"
        repository, _, rest = url.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = repository.rpartition("/")
        if kind == "blobs" and rest in self.blobs:
            return 200, {}, self.blobs[rest]
        if (repository, rest) in self.manifests:
            media, content = self.manifests[repository, rest]
            return 200, {"Content-Type": media, "Docker-Content-Digest": digest_of(content)}, content
        known = any(name == repository for name, _ in self.manifests)
        code = "MANIFEST_UNKNOWN" if known else "NAME_UNKNOWN"
        return 404, {}, json.dumps({"errors": [{"code": code}]}).encode()

    def _refusal(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes] | None:
        if self.user is None:
            return None
        if not self.bearer:
            right = _basic(authorization) == self.user
            return None if right else (401, {"WWW-Authenticate": 'BASIC realm="Nexus"'}, b"{}")
        realm = self.realm or f"http://{self.host}/token"
        repository = path.removeprefix("/v2/").rsplit("/", 2)[0]
        scope = f',scope="repository:{repository}:pull"' if repository else ""
        challenge = f'Bearer realm="{realm}",service="stub"{scope}'
        if not authorization.startswith("Bearer "):
            return 401, {"WWW-Authenticate": challenge}, b"{}"
        if repository and self.readers and authorization != f"Bearer for:{repository}":
            return 401, {"WWW-Authenticate": f'{challenge},error="insufficient_scope"'}, b"{}"
        return None

    def _token(self, query: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        if _basic(authorization) != self.user:
            return 401, {}, b"{}"
        scope = parse_qs(query).get("scope", ["::"])[0].split(":")[1]
        granted = scope if not self.readers or scope in self.readers else "nothing"
        return 200, {}, json.dumps({"token": f"for:{granted}"}).encode()


def _basic(authorization: str) -> tuple[str, str] | None:
    if not authorization.startswith("Basic "):
        return None
    name, _, password = b64decode(authorization[6:]).decode().partition(":")
    return name, password


@contextlib.contextmanager
def serve(stub: Stub, context: ssl.SSLContext | None = None) -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "")
            stub.requests.append((self.path, authorization))
            status, headers, content = stub.answer(self.path, authorization)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    (stub.port,) = free_ports(1)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Say nothing of clients that turn away."""

    server = Server(("127.0.0.1", stub.port), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        release([stub.port])


def authority(folder: Path, *, name: str = "localhost", days: int = 30) -> tuple[str, Path, Path]:
    """Make a private authority and a certificate for a host; return its PEM, and files of certificate and key."""
    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"The authority of {name}")])
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificates = []
    for subject, key in ((issuer, keys[0]), (own, keys[1])):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
        )
        if subject is issuer:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        else:
            names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names[: 1 if name != "localhost" else 2]), critical=False
            )
        certificates.append(builder.sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    certificate, private = folder / "server.crt", folder / "server.key"
    certificate.write_bytes(certificates[1].public_bytes(pem))
    private.write_bytes(
        keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificates[0].public_bytes(pem).decode(), certificate, private


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
