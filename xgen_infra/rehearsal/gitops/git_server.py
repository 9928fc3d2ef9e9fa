"""A Git server over HTTP and HTTPS with basic authentication: `git http-backend` behind Python's own server.

It answers under its own address and, as a forward proxy, under any host it has a certificate for or plain HTTP
names, so that a customer's repository URL works unchanged on this machine.

Runs as `python -m xgen_infra.rehearsal.gitops.git_server SETTINGS`, a JSON file of `GitSettings`.
"""

from __future__ import annotations

import hmac
import json
import os
import socketserver
import ssl
import subprocess
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from xgen_infra.rehearsal.gitops.settings import GitSettings

_BACKEND_SECONDS = 60


class GitServer(socketserver.ThreadingTCPServer):
    """The server; one thread a connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, settings: GitSettings) -> None:
        self.settings = settings
        super().__init__(("127.0.0.1", settings.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a connection that broke; it harms no other."""
        del request
        sys.stderr.write(f"{client_address[1]}: {sys.exc_info()[1]!r}\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitServer

    def do_CONNECT(self) -> None:
        """Become the host that the client wants a tunnel to."""
        host = self.path.rpartition(":")[0]
        pair = self.server.settings.certificates.get(host)
        if pair is None:
            self.send_error(HTTPStatus.BAD_GATEWAY, "No such host in this rehearsal")
            return
        self.send_response_only(HTTPStatus.OK)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.setup()
        self.close_connection = False

    def do_GET(self) -> None:
        """Answer what Git's smart protocol asks for."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Take what a fetch wants or a push brings."""
        self._serve(self._body())

    def _serve(self, body: bytes) -> None:
        settings = self.server.settings
        given = self.headers.get("Authorization", "")
        if settings.username and not hmac.compare_digest(given.encode(), settings.authorization.encode()):
            self._answer(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="Git"'}, b"")
            return
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            env=self._environment(len(body)),
            check=False,
            timeout=_BACKEND_SECONDS,
        )
        sys.stderr.write(done.stderr.decode(errors="replace"))
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        self._answer(status, headers, content)

    def _environment(self, length: int) -> dict[str, str]:
        """Return the CGI environment (RFC 3875; git-http-backend documentation)."""
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": self.server.settings.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_USER": self.server.settings.username or "anonymous",
            "REMOTE_ADDR": "127.0.0.1",
        }
        for header, name in (("Git-Protocol", "GIT_PROTOCOL"), ("Content-Encoding", "HTTP_CONTENT_ENCODING")):
            if value := self.headers.get(header):
                environment[name] = value
        return environment

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(settings: str) -> None:
    """Serve until ended."""
    raw = json.loads(Path(settings).read_text())
    with GitServer(GitSettings(**raw)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
