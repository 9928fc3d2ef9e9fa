"""A provider as a table of resource types, functions and components."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.comparison import live_inputs
from xgen_infra.rehearsal.standins.contract import (
    Construct,
    Failure,
    Invoke,
    Made,
    Props,
    Request,
    ResourceType,
    Say,
)


@dataclass(frozen=True)
class Stand:
    """A provider: its resource types, functions and components.

    `type_of(token)` finds a type that `types` does not list. `check_config(config)` refuses a configuration;
    `replace_config_on(old, new)` names the keys whose change replaces every resource of the provider;
    `configure(config, say)` is told of each provider instance before it is used. Configurations are plain: nested
    values are JSON texts, as the SDKs send them.
    """

    name: str
    version: str
    types: Mapping[str, ResourceType]
    invokes: Mapping[str, Invoke] = field(default_factory=dict)
    construct: Mapping[str, Construct] = field(default_factory=dict)
    type_of: Callable[[str], ResourceType | None] | None = None
    check_config: Callable[[Props], list[Failure]] = lambda _config: []
    replace_config_on: Callable[[Props, Props], list[str]] = lambda _old, _new: []
    configure: Callable[[Props, Say], None] = lambda _config, _say: None

    def find(self, token: str) -> ResourceType:
        """Return a resource type; raises KeyError with a sentence where there is none."""
        found = self.types.get(token) or (self.type_of(token) if self.type_of else None)
        if found is None:
            raise KeyError(f"the rehearsal's {self.name} provider has no resource type {token}")
        return found

    def function(self, token: str) -> Invoke:
        """Return a function; raises KeyError with a sentence where there is none."""
        if token not in self.invokes:
            raise KeyError(f"the rehearsal's {self.name} provider has no function {token}")
        return self.invokes[token]

    def component(self, token: str) -> Construct:
        """Return how a component is constructed; raises KeyError with a sentence where there is none."""
        if token not in self.construct:
            raise KeyError(f"the rehearsal's {self.name} provider has no component {token}")
        return self.construct[token]


@dataclass
class Session:
    """What one connection, which is one provider instance of one run, has told."""

    config: Props = field(default_factory=dict)
    engine: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)


class Messenger:
    """Shows messages to the user by way of the engine (pulumirpc.Engine.Log)."""

    def __init__(self) -> None:
        self._channels: dict[str, Any] = {}
        self._lock = threading.Lock()

    def say(self, engine: str, urn: str, severity: str, text: str) -> None:
        """Send a message; an engine that is gone hears nothing."""
        if not engine:
            return
        with self._lock:
            if engine not in self._channels:
                self._channels[engine] = grpc.insecure_channel(engine)
            channel = self._channels[engine]
        request = engine_pb2.LogRequest(
            severity=engine_pb2.LogSeverity.Value(severity.upper()), message=text, urn=urn
        )
        try:
            engine_pb2_grpc.EngineStub(channel).Log(request, timeout=5)
        except grpc.RpcError:
            return


def type_of_urn(urn: str) -> str:
    """Return the type token of a URN."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def failures(found: list[Failure], inputs: Props) -> list[Any]:
    """Return refusals in the engine's form, without those of properties that are not known yet."""
    return [
        provider_pb2.CheckFailure(property=one.property, reason=one.reason)
        for one in found
        if not wire.unknown_at(inputs, one.property)
    ]


def read_inputs(req: Request, made: Made) -> Props:
    """Return the inputs of a resource that was read: its own statement, or what was asked for as it stands."""
    if made.inputs is not None:
        return made.inputs
    found: Props = live_inputs(req.inputs, made.outputs) if req.inputs else made.outputs
    return found


def initialization_failed(
    context: Any, kind: ResourceType, made: Made, inputs: Props, reasons: list[str]
) -> None:
    """End a call with ErrorResourceInitFailed: the engine keeps the resource and updates it next time."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=made.id,
        properties=wire.struct(made.outputs, kind.secret_outputs),
        inputs=wire.struct(inputs, kind.secret_outputs),
        reasons=reasons,
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    message = "; ".join(reasons)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.set_code(grpc.StatusCode.UNKNOWN)
    context.set_details(message)
