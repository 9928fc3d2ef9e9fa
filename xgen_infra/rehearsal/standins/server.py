"""The plugin protocol of the Pulumi engine (pulumirpc.ResourceProvider) over a table of resource types.

Several provider resources of one program talk to one server, each over a connection of its own: what `Configure`
was told is kept by connection.

The engine closes connections under its own calls, and gRPC's asyncio server forgets a call that was ended so: to ask
for its peer is a null pointer to it. Its threaded server keeps the call as long as the handler runs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi import RunError
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from xgen_infra.rehearsal.standins import comparison, wire
from xgen_infra.rehearsal.standins.construct import construct
from xgen_infra.rehearsal.standins.contract import (
    Delta,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.journal import Journal, PartialFaultError
from xgen_infra.rehearsal.standins.stand import (
    Messenger,
    Session,
    Stand,
    failures,
    initialization_failed,
    read_inputs,
    type_of_urn,
)

__all__ = ["OPTIONS", "Servicer", "Stand", "serve"]

OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.max_send_message_length", -1)]
_WORKERS = 64


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider's side of the protocol."""

    def __init__(self, stand: Stand, journal: Journal) -> None:
        self._stand = stand
        self._journal = journal
        self._sessions: dict[str, Session] = {}
        self._messenger = Messenger()
        self._loop = _loop()
        # A component's children and inputs may be secret or resources: only then must they arrive as such.
        self._whole = bool(stand.construct)

    # Plugin life cycle

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._session(context).engine = request.engine_address
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=self._whole, accept_resources=self._whole, accept_outputs=self._whole
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._session(context).engine = request.address
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self._stand.version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the rehearsal's providers have no schema")

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._session(context).cancelled.set()
        return empty_pb2.Empty()

    # Configuration

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "CheckConfig", request.urn):
            asked = wire.plain(request.news)
            found = failures(self._stand.check_config(asked), asked)
            return provider_pb2.CheckResponse(inputs=request.news, failures=found)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "DiffConfig", request.urn):
            old, new = wire.plain(request.old_inputs or request.olds), wire.plain(request.news)
            changes = wire.differences(old, new)
            replaces = self._stand.replace_config_on(old, new) if changes else []
            return comparison.response(Delta(changes, frozenset(replaces)))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "Configure", request.urn):
            session = self._sessions[context.peer()] = Session(
                wire.plain(request.args), self._session(context).engine
            )
            self._stand.configure(session.config, partial(self._messenger.say, session.engine, request.urn))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=self._whole,
                supportsPreview=True,
                acceptResources=self._whole,
                acceptOutputs=self._whole,
            )

    # Resources

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "Check", request.urn):
            asked, kind = self._request(context, request.urn, request.news, olds=request.olds)
            found = failures(kind.check(asked), asked.inputs)
            for key, value in kind.complete(asked).items():
                if value is None:
                    request.news.fields.pop(key, None)
                else:
                    request.news.update({key: value})
            return provider_pb2.CheckResponse(inputs=request.news, failures=found)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "Diff", request.urn):
            asked, kind = self._request(
                context,
                request.urn,
                request.news,
                olds=request.old_inputs,
                ignored=tuple(request.ignoreChanges),
            )
            return comparison.response(comparison.compare(kind, asked, _plain(kind, request.olds)))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Create", request.urn):
            asked, kind = self._request(context, request.urn, request.properties, timeout=request.timeout)
            if request.preview:
                with self._journal.call("Preview", request.urn, notes=asked.notes):
                    shown = kind.preview(asked, "", {}) if kind.preview else asked.inputs
                return provider_pb2.CreateResponse(id="", properties=_wire(kind, shown))
            made = Made("", {})
            try:
                with self._journal.call("Create", request.urn, context.peer(), asked.notes):
                    made = kind.create(asked)
            except PartialCreateError as error:
                initialization_failed(context, kind, error.made, asked.inputs, error.reasons)
            except PartialFaultError as fault:
                initialization_failed(context, kind, made, asked.inputs, [str(fault)])
            return provider_pb2.CreateResponse(id=made.id, properties=_wire(kind, made.outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Read", request.urn):
            asked, kind = self._request(context, request.urn, request.inputs)
            try:
                with self._journal.call("Read", request.urn, context.peer(), asked.notes):
                    made = kind.read(asked, request.id, _plain(kind, request.properties))
            except PartialCreateError as error:
                inputs = read_inputs(asked, error.made)
                initialization_failed(context, kind, error.made, inputs, error.reasons)
                return provider_pb2.ReadResponse(id=request.id)
            if made is None:
                return provider_pb2.ReadResponse(id="")
            return provider_pb2.ReadResponse(
                id=made.id,
                properties=_wire(kind, made.outputs),
                inputs=_wire(kind, read_inputs(asked, made)),
            )

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Update", request.urn):
            asked, kind = self._request(
                context,
                request.urn,
                request.news,
                olds=request.old_inputs,
                ignored=tuple(request.ignoreChanges),
                timeout=request.timeout,
            )
            outputs = olds = _plain(kind, request.olds)
            if request.preview:
                with self._journal.call("Preview", request.urn, notes=asked.notes):
                    preview = kind.preview or (lambda req, _id, known: {**known, **req.inputs})
                    outputs = preview(asked, request.id, olds)
                return provider_pb2.UpdateResponse(properties=_wire(kind, outputs))
            try:
                with self._journal.call("Update", request.urn, context.peer(), asked.notes):
                    outputs = (
                        kind.update(asked, request.id, olds) if kind.update else {**olds, **asked.inputs}
                    )
            except PartialCreateError as error:
                initialization_failed(context, kind, error.made, asked.inputs, error.reasons)
            except PartialFaultError as fault:
                initialization_failed(context, kind, Made(request.id, outputs), asked.inputs, [str(fault)])
            return provider_pb2.UpdateResponse(properties=_wire(kind, outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._guarded(context, "Delete", request.urn):
            asked, kind = self._request(context, request.urn, request.old_inputs, timeout=request.timeout)
            with self._journal.call("Delete", request.urn, context.peer(), asked.notes):
                kind.delete(asked, request.id, _plain(kind, request.properties))
            return empty_pb2.Empty()

    # Functions and components

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._call(context, "Invoke", request.tok):
            function = self._stand.function(request.tok)
            answer = function(self._session(context).config, wire.plain(request.args))
            return provider_pb2.InvokeResponse(**{"return": wire.struct(answer)})

    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:
        with (
            self._guarded(context, "Construct", request.name),
            self._journal.call("Construct", request.type, context.peer()),
        ):
            made = construct(self._stand, self._session(context), request)
            coming = asyncio.run_coroutine_threadsafe(made, self._loop)
            if not context.add_callback(coming.cancel):
                coming.cancel()
            return coming.result()

    # Inside

    def _session(self, context: Any) -> Session:
        return self._sessions.setdefault(context.peer(), Session())

    def _request(
        self, context: grpc.ServicerContext, urn: str, inputs: Any, *, olds: Any = None, **told: Any
    ) -> tuple[Request, ResourceType]:
        session, token = self._session(context), type_of_urn(urn)
        kind = self._stand.find(token)
        asked = Request(
            urn,
            token,
            urn.rsplit("::", 1)[-1],
            session.config,
            _plain(kind, inputs),
            old_inputs=_plain(kind, olds) if olds is not None else {},
            say=partial(self._messenger.say, session.engine, urn),
            cancelled=session.cancelled,
            **told,
        )
        return asked, kind

    @contextmanager
    def _call(self, context: grpc.ServicerContext, method: str, subject: str) -> Iterator[None]:
        """Record a call, and turn an exception into a gRPC error."""
        with (
            self._guarded(context, method, subject),
            self._journal.call(method, subject, context.peer()) as entry,
        ):
            yield entry

    @contextmanager
    def _guarded(self, context: grpc.ServicerContext, method: str, subject: str) -> Iterator[None]:
        """Turn an exception into a gRPC error that says what failed in one clear text."""
        try:
            yield
        except RunError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the user gets one text
            context.abort(grpc.StatusCode.UNKNOWN, self._text(method, subject, error))

    def _text(self, method: str, subject: str, error: Exception) -> str:
        said = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        return f"{self._stand.name}: {method} {subject.rsplit('::', 1)[-1]}: {said or type(error).__name__}"


def _plain(kind: ResourceType, bag: Any) -> Props:
    return wire.plain(bag, nulls=kind.keeps_nulls)


def _wire(kind: ResourceType, outputs: Props) -> Any:
    return wire.struct(outputs, kind.secret_outputs)


def serve(stand: Stand, journal: Journal) -> tuple[grpc.Server, int]:
    """Start a server for a provider on a free loopback port; returns it and the port."""
    pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix=stand.name)
    server = grpc.server(pool, options=OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(stand, journal), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop on which the components of this process are constructed."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="components", daemon=True).start()
    return loop
