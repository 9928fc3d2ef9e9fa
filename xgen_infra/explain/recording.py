"""The program itself, run without engine or cloud: every resource that it registers, by Pulumi's own mocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from xgen_infra.load import Credentials

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks a secret on the engine's wire (pulumi.runtime.rpc)."""
_FUNCTIONS: Mapping[str, Mapping[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": ["zone-a", "zone-b", "zone-c"],
        "zoneIds": ["zone-1", "zone-2", "zone-3"],
    },
    "aws:eks/getClusters:getClusters": {"names": []},
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


class _Recorder(pulumi.runtime.Mocks):
    def __init__(self, recording: Recording, *, made: bool) -> None:
        self._recording = recording
        self._made = made

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        self._recording.resources[ResourceId(args.typ, args.name)] = _unwrapped(args.inputs)
        if not self._made and args.typ.startswith("aws:"):
            return "", dict(args.inputs)
        return f"{args.name}-id", {**args.inputs, **_OUTPUTS.get(args.typ, {})}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return dict(_FUNCTIONS.get(args.token, {}))


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
        try:
            mocks.set_mocks(_Recorder(recording, made=made), "xgen-infra", stack, preview=True)
            # What a failed run left behind belongs to a loop that is closed.
            SETTINGS.outputs.clear()
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


def _unwrapped(value: Any) -> Any:
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return _unwrapped(value.get("value"))
        return {key: _unwrapped(item) for key, item in value.items()}
    if isinstance(value, pulumi.Resource):
        return f"{value.pulumi_resource_type} {value.pulumi_resource_name}"
    return "unknown" if isinstance(value, pulumi.output.Unknown) else value
