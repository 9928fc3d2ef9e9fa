"""The program itself, run without engine or cloud: every resource that it registers, by Pulumi's own mocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from xgen_infra.engine.special import RESOURCE, SIGNATURE
from xgen_infra.load import Credentials

_FUNCTIONS: Mapping[str, Mapping[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": ["zone-a", "zone-b", "zone-c"],
        "zoneIds": ["zone-1", "zone-2", "zone-3"],
    },
    "aws:eks/getClusters:getClusters": {"names": []},
    "aws:eks/getCluster:getCluster": {
        "endpoint": "https://cluster.example",
        "certificateAuthorities": [{"data": ""}],
    },
}
"""What AWS would answer, as far as the program asks; other questions are answered with nothing."""
_OUTPUTS: Mapping[str, Mapping[str, Any]] = {"aws:iam/accessKey:AccessKey": {"secret": "made by AWS"}}
"""Outputs beyond the inputs that the program puts into further resources beside what the file says."""


@dataclass(frozen=True)
class ResourceId:
    """A resource of the stack: its type token and logical name."""

    type: str
    name: str


@dataclass
class Recording:
    """The inputs of everything registered, secrets unwrapped: they are canaries."""

    resources: dict[ResourceId, Any] = field(default_factory=dict)


class _Monitor(mocks.MockMonitor):
    """Answers the program's calls. It decodes what it gets itself, so that no reference to a resource is followed."""

    def __init__(self, recording: Recording, *, made: bool) -> None:
        super().__init__(_Reader())
        self._recording = recording
        self._made = made

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = _plain(json_format.MessageToDict(request.object))
        self._recording.resources[ResourceId(request.type, request.name)] = inputs
        known = self._made or not request.type.startswith("aws:")
        outputs = {**inputs, **(_OUTPUTS.get(request.type, {}) if self._made else {})}
        identity = f"{request.name}-id" if known else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=_struct(outputs))

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        return resource_pb2.ResourceInvokeResponse(**{"return": _struct(_FUNCTIONS.get(request.tok, {}))})


class _Reader(pulumi.runtime.Mocks):
    """Resources that exist and are only read: they are as the program describes them."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.resource_id, dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return dict(_FUNCTIONS.get(args.token, {})), None


def canaries() -> Credentials:
    """Return credentials each of which is its own field's name."""
    return Credentials(**{part.name: pulumi.Output.secret(part.name) for part in fields(Credentials)})


def record(stack: str, program: Callable[[], Awaitable[None]], *, made: bool = True) -> Recording:
    """Run a program as a preview does and return what it registers; raises what the program raises.

    With `made`, identities and keys that AWS gives are there; without, they are unknown as before the first `up`.
    Each run has a thread, and so an event loop and Pulumi settings, of its own.
    """
    recording = Recording()
    failures: list[BaseException] = []

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        monitor = _Monitor(recording, made=made)
        try:
            mocks.set_mocks(_Reader(), "xgen-infra", stack, preview=True, monitor=monitor)
            # What a failed run left behind belongs to a loop that is closed.
            SETTINGS.outputs.clear()
            SETTINGS.rpc_manager.clear()
            loop.run_until_complete(run_pulumi_func(program))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return recording


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(value), struct_pb2.Struct())


def _plain(value: Any) -> Any:
    """Return a value of the wire as plain data: a resource as its URN, a secret as what it holds."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if SIGNATURE in value:
            return value["urn"] if value[SIGNATURE] == RESOURCE else _plain(value.get("value"))
        return {key: _plain(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
