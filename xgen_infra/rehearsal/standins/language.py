"""The Python language host: runs a program's `__main__.py` for the engine, each time in a fresh process.

It takes the place of pulumi-language-python, which no package registry serves.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from xgen_infra.rehearsal.standins.server import OPTIONS

VERSION = "3.272.0"
_MODULE = "xgen_infra.rehearsal.standins.language"


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime's side of the engine's protocol."""

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
        """Run the program in a child process, to which the request goes by standard input."""
        folder = request.info.program_directory or request.pwd
        child = subprocess.run(
            [sys.executable, "-m", _MODULE],
            input=request.SerializeToString(),
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": _search_path(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
        if child.returncode != 0:
            return language_pb2.RunResponse(
                error=f"the program's process ended with status {child.returncode}"
            )
        return language_pb2.RunResponse.FromString(child.stdout)


def _search_path(program: str) -> str:
    """Put the program's own folder first: at another revision it brings its own package."""
    return os.pathsep.join([program, str(Path(__file__).parents[3])])


def serve() -> tuple[grpc.Server, int]:
    """Start a language host on a free loopback port; returns it and the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _child() -> None:
    """Run one program: the request on standard input, the response on standard output."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    answer, sys.stdout = sys.stdout.buffer, sys.stderr
    folder = request.info.program_directory or request.pwd
    sys.path.insert(0, folder)
    entry = Path(folder) / "__main__.py"

    def program() -> None:
        runpy.run_path(str(entry), run_name="__main__")

    host: Any = LanguageServer(program)
    response = host.Run(request, None)
    answer.write(response.SerializeToString())
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    _child()
