"""AWS in this process: botocore's requests go to the emulator's WSGI application, never to a socket."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ENDPOINT = "http://127.0.0.1:9"
"""The address that requests bear. Nothing is sent there: moto takes a bucket's name from the path of a bare address."""


class InProcess:
    """Answers botocore's `before-send` event from a WSGI application."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Return the application's answer to a signed request."""
        url = urlsplit(request.url)
        builder = EnvironBuilder(
            path=url.path or "/",
            query_string=url.query,
            base_url=f"{url.scheme}://{url.netloc}",
            method=request.method,
            headers=[(key, _text(value)) for key, value in request.headers.items()],
            data=_body(request.body),
        )
        content, status, headers = run_wsgi_app(self._app, builder.get_environ())
        number = int(status.partition(" ")[0])
        return AWSResponse(request.url, number, dict(headers), _Raw(b"".join(content)))


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else bytes(body.read())
