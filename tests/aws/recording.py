"""A recording engine: runs a piece of the program against Pulumi's mocks and keeps what it registered."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Further outputs of a resource type (from its inputs), or the result of a function (from its arguments)."""

SPECIAL = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


@dataclass(frozen=True)
class Secret:
    """A value that reached the engine as a secret."""

    value: Any


@dataclass(frozen=True)
class Child:
    """An output that is a resource of its own, as components made by a plugin have."""

    type: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it; `depends_on` and `parent` are URNs, `inputs` camelCase."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    parent: str
    depends_on: frozenset[str]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    import_id: str
    provider: str
    providers: Mapping[str, str]

    @property
    def ids(self) -> tuple[str, ...]:
        """What other resources know this one by."""
        return (f"{self.name}-id",)


@dataclass
class Recording:
    """All that a program registered, its invokes, and what it returned."""

    resources: list[Registered] = field(default_factory=list)
    invokes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    result: Any = None

    def of(self, type_: str) -> list[Registered]:
        return [found for found in self.resources if found.type == type_]

    def named(self, type_: str) -> dict[str, Registered]:
        return {found.name: found for found in self.of(type_)}

    def one(self, type_: str, name: str | None = None) -> Registered:
        found = [one for one in self.of(type_) if name in {None, one.name}]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''}"
        return found[0]

    def before(self, one: Registered) -> set[str]:
        """URNs of all that must stand before `one`, and so go after it: dependencies, parents, providers."""
        known = {found.urn: found for found in self.resources}
        open_, seen = [one.urn], set[str]()
        while open_:
            current = known.get(open_.pop())
            if current is None:
                continue
            providers = [current.provider, *current.providers.values()]
            named = {reference.rpartition("::")[0] for reference in providers}
            fresh = {*current.depends_on, current.parent, *named} - seen - {""}
            seen |= fresh
            open_ += fresh
        return seen


class _Monitor(mocks.MockMonitor):
    """Answers the program's calls; decodes property bags itself, so that no resource reference is followed."""

    def __init__(self, answers: Mapping[str, Answer], recording: Recording) -> None:
        super().__init__(_NoMocks())
        self._answers, self._recording, self._numbers = answers, recording, itertools.count(1)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = _plain(json_format.MessageToDict(request.object))
        self._record(request, urn, inputs)
        extra = self._answers.get(request.type, lambda _inputs: {})(_bare(inputs))
        state = {**_bare(inputs), **extra}
        outputs = {key: self._encoded(urn, key, value) for key, value in state.items()}
        identity = f"{request.name}-id"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=_struct(outputs))

    def _record(self, request: Any, urn: str, inputs: Mapping[str, Any]) -> None:
        by_property = {urn for found in request.propertyDependencies.values() for urn in found.urns}
        self._recording.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=urn,
                inputs=inputs,
                parent=request.parent,
                depends_on=frozenset(request.dependencies) | by_property,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                import_id=request.importId,
                provider=request.provider,
                providers=dict(request.providers),
            )
        )

    def _encoded(self, parent: str, key: str, value: Any) -> Any:
        if not isinstance(value, Child):
            return value
        urn = self.make_urn(parent, value.type, key)
        identity = f"{key}-{next(self._numbers)}"
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, identity, dict(value.outputs))
        return {SPECIAL: REFERENCE, "urn": urn, "id": identity, "packageVersion": ""}

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        arguments = _bare(_plain(json_format.MessageToDict(request.args)))
        if request.tok == "pulumi:pulumi:getResource":
            found = self.resources[arguments["urn"]]
            result: dict[str, Any] = {"urn": found.urn, "id": found.id, "state": found.state}
        else:
            self._recording.invokes.append((request.tok, arguments))
            result = self._answers[request.tok](arguments)
        return resource_pb2.ResourceInvokeResponse(**{"return": _struct(result)})


class _NoMocks(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


def _struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(value), struct_pb2.Struct())


def _plain(value: Any) -> Any:
    """Return a wire value as Python data: whole numbers as int, references as URNs, secrets marked."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    special = value.get(SPECIAL)
    if special == REFERENCE:
        return value["urn"]
    if special in {SECRET, OUTPUT}:
        inner = _plain(value.get("value"))
        return Secret(inner) if special == SECRET or value.get("secret") else inner
    return {key: _plain(item) for key, item in value.items()}


def _bare(value: Any) -> Any:
    """Return a value without the marks of secrets."""
    if isinstance(value, Secret):
        return _bare(value.value)
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    return value


def record(
    program: Callable[[], Any], answers: Mapping[str, Answer] | None = None, into: Recording | None = None
) -> Recording:
    """Run `program` and return what it registered; outputs within its result (dict, list) are resolved.

    Raises what the program raises; `into` then holds what was registered before.

    Every run has a thread, and so an event loop and Pulumi settings, of its own.
    """
    recording = into or Recording()
    failures: list[BaseException] = []

    async def body() -> None:
        recording.result = await pulumi.Output.from_input(program()).future()

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        monitor = _Monitor(answers or {}, recording)
        try:
            mocks.set_mocks(_NoMocks(), "xgen-infra", "test", preview=False, monitor=monitor)
            # Whatever a failed run left behind belongs to its own, closed loop.
            SETTINGS.outputs.clear()
            loop.run_until_complete(run_pulumi_func(body))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return recording
