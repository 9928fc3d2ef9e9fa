"""The Python language host: runs a program's `__main__.py`, each time in a fresh process with the engine's environment.

It takes the place of pulumi-language-python, which no package registry serves.
"""

from __future__ import annotations

import ast
import gc
import os
import runpy
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from xgen_infra.rehearsal.standins.server import OPTIONS
from xgen_infra.rehearsal.surroundings import install_language as install

__all__ = ["VERSION", "Host", "forget", "import_program", "install", "start", "stay"]

VERSION = "3.272.0"
_TICK = 1.0
_SERVERS: list[grpc.Server] = []
"""Those that were started: one that nothing refers to ends."""


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime's side of the engine's protocol.

    `ready`, where given, is the file that offers a host whose program is imported already.
    """

    def __init__(self, ready: Path | None = None) -> None:
        self._ready = ready

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetRequiredPlugins(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: grpc.ServicerContext) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        yield language_pb2.InstallDependenciesResponse()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program once: each operation has a host of its own, so nothing is left of an earlier run."""
        folder = Path(request.info.program_directory or request.pwd)
        os.chdir(folder)
        if self._ready:
            self._ready.unlink()
        else:
            _look_first_in(folder)

        def program() -> None:
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

        host: Any = LanguageServer(program)
        return host.Run(request, context)


def _look_first_in(folder: Path) -> None:
    """Let the program import its own copy of this package: at another revision it is not this one."""
    sys.path.insert(0, str(folder))
    forget()


def forget() -> None:
    """Let nothing of this package be imported already: a program has its own copy."""
    package = __package__.split(".", 1)[0]
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def import_program(folder: Path) -> None:
    """Import what a program imports, before it runs."""
    _look_first_in(folder)
    os.chdir(folder)
    try:
        for name in _imported(ast.parse((folder / "__main__.py").read_bytes())):
            import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001 - it is raised again when the program runs
        forget()


def _imported(program: ast.Module) -> Iterator[str]:
    for statement in program.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module


def start(host: Host) -> int:
    """Begin to serve one engine; return the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    _SERVERS.append(server)
    return int(port)


def stay(parent: int) -> NoReturn:
    """Serve until the process that started this is gone, and end this one.

    The engine ends its plugins by an interrupt; one that was killed cannot. A program that failed may leave threads
    that never end.
    """
    with suppress(KeyboardInterrupt):
        while os.getppid() == parent:
            time.sleep(_TICK)
    os._exit(0)


if __name__ == "__main__":
    # One program runs here and the process ends: nearly all that it makes are modules, which stay.
    gc.disable()
    this = os.getppid()
    print(start(Host()), flush=True)
    stay(this)
