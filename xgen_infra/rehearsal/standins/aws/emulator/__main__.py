"""`python -m ...emulator --port N [--tls-port N --certificate F --key F] [--networks F] [--open]`."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def main() -> None:
    """Serve until ended by a signal."""
    asked = _arguments()
    os.environ.update(
        MOTO_PORT=str(asked.port),
        MOTO_IAM_LOAD_MANAGED_POLICIES="true",
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        INITIAL_NO_AUTH_ACTION_COUNT="inf" if asked.open else "0",
    )
    # moto reads its settings from the environment when it is imported
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import BaseWSGIServer, make_server  # noqa: PLC0415

    from xgen_infra.rehearsal.standins.aws.emulator import (  # noqa: PLC0415
        boundaries,
        guard,
        networks,
        quotas,
        simulation,
    )

    boundaries.install()
    quotas.install()
    simulation.install()
    if not asked.open:
        guard.install()
    if asked.networks:
        networks.lay(networks.load(asked.networks))
    app = one_at_a_time(DomainDispatcherApplication(create_backend_app))

    def serve(port: int, tls: tuple[str, str] | None) -> BaseWSGIServer:
        return make_server(
            "127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler, ssl_context=tls
        )

    if asked.tls_port:
        secure = serve(asked.tls_port, (str(asked.certificate), str(asked.key)))
        threading.Thread(target=secure.serve_forever, daemon=True).start()
    serve(asked.port, None).serve_forever()


def one_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """Answer requests one after the other: moto changes its tables while other threads walk over them."""
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with lock:
            return list(app(environ, start_response))

    return answer


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
