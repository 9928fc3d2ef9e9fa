"""`python -m xgen_infra.rehearsal.standins.main`: the stand-ins of one rehearsal, in one process.

Writes `<folder>/ports.json` ({"kubernetes": port, "aws": port, "eks": port}) when all of them answer, and ends
with SIGTERM or with its parent. One process: the SDK, gRPC and the protocol are most of what each would need, so
three processes would take twice the memory of one.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import threading
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xgen_infra.rehearsal.standins.journal import Journal
from xgen_infra.rehearsal.standins.server import serve
from xgen_infra.rehearsal.standins.stand import Stand
from xgen_infra.rehearsal.surroundings import PORTS

if TYPE_CHECKING:
    from xgen_infra.rehearsal.standins.memory.stands import Memory

_PATIENCE = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Start what is asked for and stay until told to end."""
    # What is imported stays: looking through it for garbage again and again is a third of the start.
    gc.disable()
    asked = _parser().parse_args(arguments)
    folder = Path(asked.folder)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    memory = _memory(asked) if asked.memory else None
    find = memory.stand if memory else lambda name: _stand(name, asked)
    servers, ports = [], {}
    for name in filter(None, asked.providers.split(",")):
        server, ports[name] = serve(find(name), Journal(folder, name))
        servers.append(server)
    ready = folder / (PORTS + ".part")
    ready.write_text(json.dumps(ports))
    ready.rename(folder / PORTS)
    if memory:
        memory.warm_up()
    gc.freeze()
    gc.enable()
    while not told.wait(1.0) and _runs(asked.parent):
        pass
    for stopped in [server.stop(grace=1) for server in servers]:
        stopped.wait(_PATIENCE)
    # A provider that waits for an object must not hold the process.
    os._exit(0)


def _stand(name: str, asked: Namespace) -> Stand:
    """Return a provider; only what is asked for is imported, as each brings its own SDK."""
    folder = Path(asked.folder)
    match name:
        case "kubernetes":
            from xgen_infra.rehearsal.standins.kubernetes import provider as kubernetes  # noqa: PLC0415

            private = folder / "private"
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
            return kubernetes.stand(private, Path(asked.helm), Path(asked.project))
        case "aws":
            from xgen_infra.rehearsal.standins.aws import provider as aws  # noqa: PLC0415
            from xgen_infra.rehearsal.standins.aws.world import World  # noqa: PLC0415

            return aws.stand(
                World(
                    Path(asked.aws_root or folder),
                    asked.aws_endpoint,
                    Path(asked.kubeconfig),
                    asked.account,
                    tuple(json.loads(Path(asked.aws_session).read_text())) if asked.aws_session else None,
                    Path(asked.aws_ca) if asked.aws_ca else None,
                )
            )
        case "eks":
            from xgen_infra.rehearsal.standins.eks import provider as eks  # noqa: PLC0415

            return eks.stand()
    raise SystemExit(f"no stand-in is called {name}")


def _memory(asked: Namespace) -> Memory:
    from xgen_infra.rehearsal.standins.memory.door import Setting  # noqa: PLC0415
    from xgen_infra.rehearsal.standins.memory.stands import Memory, open_door  # noqa: PLC0415

    folder = Path(asked.folder)
    memory = Memory(folder, Setting.read(Path(asked.memory)), Path(asked.helm), Path(asked.project))
    open_door(memory, folder)
    return memory


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--providers", required=True, help="comma-separated: kubernetes, aws, eks")
    parser.add_argument("--project", required=True, help="where local charts are looked for")
    parser.add_argument("--helm", default="helm")
    parser.add_argument("--kubeconfig", default="", help="the administrator's, of the local control plane")
    parser.add_argument("--aws-ca", default="", help="the authority of an https endpoint")
    parser.add_argument("--aws-endpoint", default="")
    parser.add_argument(
        "--aws-root", default="", help="where what the emulator lacks is kept, if not in the folder"
    )
    parser.add_argument(
        "--aws-session", default="", help="a file with [key id, secret, token] of a role's session"
    )
    parser.add_argument("--account", default="123456789012")
    parser.add_argument("--memory", default="", help="a Setting's file: clusters and AWS in this process")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    return parser


def _runs(process: int) -> bool:
    return not process or Path(f"/proc/{process}").exists()


if __name__ == "__main__":
    main()
