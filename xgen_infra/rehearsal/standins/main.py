"""`python -m xgen_infra.rehearsal.standins.main`: the stand-ins of one rehearsal, in one process.

Writes `<folder>/ports.json` ({"kubernetes": port, "aws": port, "eks": port}) when all of them
answer, and ends with SIGTERM or with its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from xgen_infra.rehearsal.standins import aws, eks, kubernetes
from xgen_infra.rehearsal.standins.aws.world import World
from xgen_infra.rehearsal.standins.journal import Journal
from xgen_infra.rehearsal.standins.server import serve

PORTS = "ports.json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Start what is asked for and stay until told to end."""
    asked = _parser().parse_args(arguments)
    folder = Path(asked.folder)
    private = folder / "private"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    servers, ports = [], {}
    for name in asked.providers.split(","):
        match name:
            case "kubernetes":
                stand = kubernetes.stand(private, Path(asked.helm), Path(asked.project))
                server, ports[name] = serve(stand, Journal(folder, name))
            case "aws":
                world = World(folder, asked.aws_endpoint, Path(asked.kubeconfig), asked.account)
                server, ports[name] = serve(aws.stand(world), Journal(folder, name))
            case "eks":
                server, ports[name] = serve(eks.stand(), Journal(folder, name))
            case _:
                raise SystemExit(f"no stand-in is called {name}")
        servers.append(server)
    ready = folder / (PORTS + ".part")
    ready.write_text(json.dumps(ports))
    ready.rename(folder / PORTS)
    _until_told(asked.parent)
    for server in servers:
        server.stop(grace=1)
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--providers", required=True, help="comma-separated: kubernetes, aws, eks")
    parser.add_argument("--project", required=True, help="where local charts are looked for")
    parser.add_argument("--helm", default="helm")
    parser.add_argument("--kubeconfig", default="", help="the administrator's, of the local control plane")
    parser.add_argument("--aws-endpoint", default="")
    parser.add_argument("--account", default="123456789012")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    return parser


def _until_told(parent: int) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(1.0):
        if parent and not Path(f"/proc/{parent}").exists():
            return


if __name__ == "__main__":
    main()
