"""A forward proxy on loopback that stands for DNS: customers' host names lead to servers of the test, nothing else."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from xgen_infra.rehearsal.ports import free_ports, release

_HOP = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "te", "upgrade"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    names: Mapping[str, int]

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that turn away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_CONNECT(self) -> None:
        port = self.server.names.get(self.path)
        if port is None:
            self.send_error(502)
            return
        with socket.create_connection(("127.0.0.1", port), timeout=10) as upstream:
            self.send_response(200)
            self.end_headers()
            _pump(self.connection, upstream)
        self.close_connection = True

    def forward(self) -> None:
        url = urlsplit(self.path)
        port = self.server.names.get(url.netloc if url.port else f"{url.netloc}:80")
        if port is None:
            self.send_error(502)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            path = url._replace(scheme="", netloc="").geturl()
            upstream.request(self.command, path, body=self._body(), headers=headers)
            answer = upstream.getresponse()
            self._pass_on(answer, answer.read())
        finally:
            upstream.close()

    def _pass_on(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | {"content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        length = self.headers.get("Content-Length")
        return self.rfile.read(int(length)) if length else None

    def log_message(self, *_: Any) -> None:
        return


for _verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_verb}", _Handler.forward)


@contextlib.contextmanager
def proxy(names: Mapping[str, int]) -> Iterator[str]:
    """Serve `host:port` names by ports of this machine; yield the proxy's URL. Any other name is answered by 502."""
    (port,) = free_ports(1)
    server = _Server(("127.0.0.1", port), _Handler)
    server.names = names
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        release([port])


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    pair = {one: other, other: one}
    while True:
        ready, _, _ = select.select(list(pair), [], [], 30)
        if not ready:
            return
        for side in ready:
            data = side.recv(65_536)
            if not data:
                return
            pair[side].sendall(data)
