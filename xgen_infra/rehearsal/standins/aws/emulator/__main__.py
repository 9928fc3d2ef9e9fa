"""`python -m ...emulator --port N [--tls-port N --certificate F --key F] [--networks F] [--open]`."""

from __future__ import annotations

import argparse
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from xgen_infra.rehearsal.standins.aws.emulator.application import application

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer


def main() -> None:
    """Serve until ended by a signal."""
    asked = _arguments()
    os.environ["MOTO_PORT"] = str(asked.port)
    app = application(asked.networks, enforce_iam=not asked.open)
    from moto.moto_server.werkzeug_app import MotoRequestHandler  # noqa: PLC0415 - after its settings
    from werkzeug.serving import make_server  # noqa: PLC0415

    def serve(port: int, tls: tuple[str, str] | None) -> BaseWSGIServer:
        return make_server(
            "127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler, ssl_context=tls
        )

    if asked.tls_port:
        secure = serve(asked.tls_port, (str(asked.certificate), str(asked.key)))
        threading.Thread(target=secure.serve_forever, daemon=True).start()
    serve(asked.port, None).serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--networks", type=Path)
    parser.add_argument("--open", action="store_true", help="anyone may do anything")
    return parser.parse_args()


if __name__ == "__main__":
    main()
