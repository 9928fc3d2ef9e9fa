"""The plugin protocol of the Pulumi engine (pulumirpc.ResourceProvider) over a table of resource types.

Several provider resources of one program talk to one server, each over a connection of its own: what `Configure`
was told is kept by connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from xgen_infra.rehearsal.standins import wire
from xgen_infra.rehearsal.standins.contract import (
    Failure,
    Invoke,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.journal import Journal, PartialFaultError

OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.max_send_message_length", -1)]
_WORKERS = 24


@dataclass(frozen=True)
class Stand:
    """A provider: its resource types and functions.

    `configured(config)` may refuse or complete a configuration; `config_differs(old, new)` names the keys whose
    change replaces every resource of the provider; `unreachable(config)` says that nothing can be known yet.
    """

    name: str
    version: str
    types: Mapping[str, ResourceType]
    invokes: Mapping[str, Invoke] = field(default_factory=dict)
    type_of: Callable[[str], ResourceType | None] | None = None
    check_config: Callable[[Props], list[Failure]] = lambda _config: []
    replace_config_on: Callable[[Props, Props], list[str]] = lambda _old, _new: []

    def find(self, token: str) -> ResourceType:
        """Return a resource type; raises KeyError with a sentence where there is none."""
        found = self.types.get(token) or (self.type_of(token) if self.type_of else None)
        if found is None:
            raise KeyError(f"the rehearsal's {self.name} provider has no resource type {token}")
        return found


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider's side of the protocol."""

    def __init__(self, stand: Stand, journal: Journal) -> None:
        self._stand = stand
        self._journal = journal
        self._configs: dict[str, Props] = {}

    # Plugin life cycle

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self._stand.version)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    # Configuration

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        failures = self._stand.check_config(wire.plain(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = wire.plain(request.old_inputs or request.olds), wire.plain(request.news)
        changed = wire.differences(old, new)
        replaces = self._stand.replace_config_on(old, new) if changed else []
        return _diff_response(changed, replaces, delete_first=False)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._configs[context.peer()] = wire.plain(request.args)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    # Resources

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Check", request.urn):
            asked = self._request(context, request.urn, request.news)
            kind = self._stand.find(asked.type)
            failures = kind.check(asked)
            request.news.update(kind.complete(asked))
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Diff", request.urn):
            kind = self._stand.find(_type(request.urn))
            changed = wire.differences(wire.plain(request.old_inputs), wire.plain(request.news))
            replaces = [path for path in changed if replaced_by(kind, path)]
            return _diff_response(changed, replaces, delete_first=kind.delete_before_replace)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        asked = self._request(context, request.urn, request.properties)
        with self._guarded(context, "Preview" if request.preview else "Create", request.urn):
            kind = self._stand.find(asked.type)
            if request.preview:
                return provider_pb2.CreateResponse(id="", properties=request.properties)
            made = None
            try:
                with self._journal.call("Create", request.urn):
                    made = kind.create(asked)
            except PartialCreateError as partial:
                return _init_failed(context, kind, partial.made, asked.inputs, partial.reasons)
            except PartialFaultError as fault:
                assert made is not None  # noqa: S101
                return _init_failed(context, kind, made, asked.inputs, [str(fault)])
            return provider_pb2.CreateResponse(id=made.id, properties=_outputs(kind, made.outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Read", request.urn), self._journal.call("Read", request.urn):
            asked = self._request(context, request.urn, request.inputs)
            kind = self._stand.find(asked.type)
            made = kind.read(asked, request.id, wire.plain(request.properties))
            if made is None:
                return provider_pb2.ReadResponse(id="")
            alone = made.outputs if made.inputs is None else made.inputs
            inputs = live_inputs(asked.inputs, made.outputs) if asked.inputs else alone
            return provider_pb2.ReadResponse(
                id=made.id, properties=_outputs(kind, made.outputs), inputs=_outputs(kind, inputs)
            )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        asked = self._request(context, request.urn, request.news)
        with self._guarded(context, "Preview" if request.preview else "Update", request.urn):
            kind = self._stand.find(asked.type)
            olds = wire.plain(request.olds)
            if request.preview or kind.update is None:
                return provider_pb2.UpdateResponse(properties=_outputs(kind, {**olds, **asked.inputs}))
            try:
                with self._journal.call("Update", request.urn):
                    outputs = kind.update(asked, request.id, olds)
            except PartialCreateError as partial:
                return _init_failed(context, kind, partial.made, asked.inputs, partial.reasons)
            return provider_pb2.UpdateResponse(properties=_outputs(kind, outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Delete", request.urn), self._journal.call("Delete", request.urn):
            asked = self._request(context, request.urn, request.old_inputs)
            self._stand.find(asked.type).delete(asked, request.id, wire.plain(request.properties))
            return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Invoke", request.tok), self._journal.call("Invoke", request.tok):
            function = self._stand.invokes.get(request.tok)
            if function is None:
                raise KeyError(f"the rehearsal's {self._stand.name} provider has no function {request.tok}")
            answer = function(self._configs.get(context.peer(), {}), wire.plain(request.args))
            return getattr(provider_pb2, "InvokeResponse")(**{"return": wire.struct(answer)})  # noqa: B009

    # Inside

    def _request(self, context: grpc.ServicerContext, urn: str, inputs: Any) -> Request:
        config = self._configs.get(context.peer(), {})
        return Request(urn, _type(urn), urn.rsplit("::", 1)[-1], config, wire.plain(inputs))

    def _guarded(self, context: grpc.ServicerContext, method: str, subject: str) -> _Guard:
        return _Guard(context, self._stand.name, method, subject)


class _Guard:
    """Turns an exception into a gRPC error that says what failed in one clear text."""

    def __init__(self, context: grpc.ServicerContext, provider: str, method: str, subject: str) -> None:
        self._context, self._where = context, f"{provider}: {method} {subject.rsplit('::', 1)[-1]}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception) or self._context.code() is not None:
            return
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        self._context.abort(grpc.StatusCode.UNKNOWN, f"{self._where}: {text or type(error).__name__}")


def replaced_by(kind: ResourceType, path: str) -> bool:
    """Whether a change at a property path replaces a resource of this type."""
    if kind.update is None:
        return True
    bare = wire.without_indexes(path)
    return any(bare == key or bare.startswith((f"{key}.", f"{key}[")) for key in kind.replace_on)


def live_inputs(inputs: Any, live: Any) -> Any:
    """Return the inputs with their live values: what was asked for, as it stands."""
    if isinstance(inputs, dict) and isinstance(live, dict):
        return {key: live_inputs(value, live[key]) for key, value in inputs.items() if key in live}
    return live


def serve(stand: Stand, journal: Journal) -> tuple[grpc.Server, int]:
    """Start a server for a provider on a free loopback port; returns it and the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(stand, journal), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _outputs(kind: ResourceType, outputs: Props) -> Any:
    return wire.struct(outputs, kind.secret_outputs)


def _failures(failures: list[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in failures]


def _diff_response(changed: dict[str, str], replaces: list[str], *, delete_first: bool) -> Any:
    kinds = provider_pb2.PropertyDiff
    detailed = {}
    for path, how in changed.items():
        name = f"{how}_replace" if path in replaces else how
        detailed[path] = kinds(kind=kinds.Kind.Value(name.upper()), inputDiff=True)
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if changed else response.DIFF_NONE,
        replaces=replaces,
        diffs=sorted({wire.without_indexes(path).split(".")[0] for path in changed}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replaces) and delete_first,
    )


def _init_failed(
    context: grpc.ServicerContext, kind: ResourceType, made: Made, inputs: Props, reasons: list[str]
) -> Any:
    """End the call with ErrorResourceInitFailed: the engine keeps the resource and updates it next time."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=made.id,
        properties=_outputs(kind, made.outputs),
        inputs=_outputs(kind, inputs),
        reasons=reasons,
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    message = "; ".join(reasons)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.set_code(grpc.StatusCode.UNKNOWN)
    context.set_details(message)
    return provider_pb2.CreateResponse()
