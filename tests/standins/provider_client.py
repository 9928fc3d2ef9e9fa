"""The engine's side of the plugin protocol, and a provider with one tiny resource type to talk to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from xgen_infra.rehearsal.standins.contract import (
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.stand import Stand

BOX = "tiny:index:Box"
URN = f"urn:pulumi:stack::project::{BOX}::box"


def bag(value: Mapping[str, Any]) -> Any:
    return json_format.ParseDict(dict(value), struct_pb2.Struct())


def plain(value: Any) -> Any:
    return json_format.MessageToDict(value)


class Client:
    """One provider instance of one run: a connection of its own."""

    def __init__(self, port: int, config: Mapping[str, Any] | None = None) -> None:
        # Without its own pool, gRPC shares one connection among channels to the same address.
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.stub.Handshake(provider_pb2.ProviderHandshakeRequest())
        self.stub.Configure(provider_pb2.ConfigureRequest(args=bag(config or {}), urn="urn:provider"))

    def check(self, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, urn: str = URN) -> Any:
        return self.stub.Check(provider_pb2.CheckRequest(urn=urn, news=bag(news), olds=bag(olds or {})))

    def diff(
        self,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        ignore: tuple[str, ...] = (),
        urn: str = URN,
        outputs: Mapping[str, Any] | None = None,
    ) -> Any:
        olds = bag(old if outputs is None else outputs)
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                id="1", urn=urn, olds=olds, old_inputs=bag(old), news=bag(new), ignoreChanges=ignore
            )
        )

    def create(self, inputs: Mapping[str, Any], *, preview: bool = False, urn: str = URN) -> Any:
        return self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=bag(inputs), preview=preview))

    def read(self, ident: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], urn: str = URN) -> Any:
        return self.stub.Read(
            provider_pb2.ReadRequest(id=ident, urn=urn, inputs=bag(inputs), properties=bag(outputs))
        )

    def update(
        self,
        ident: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        *,
        urn: str = URN,
        outputs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        olds = bag(old if outputs is None else outputs)
        return self.stub.Update(
            provider_pb2.UpdateRequest(
                id=ident, urn=urn, olds=olds, old_inputs=bag(old), news=bag(new), **more
            )
        )

    def delete(self, ident: str, urn: str = URN, outputs: Mapping[str, Any] | None = None) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id=ident, urn=urn, properties=bag(outputs or {})))

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Any:
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=bag(arguments)))
        return plain(getattr(answer, "return"))


def initialization_failure(error: grpc.RpcError) -> Any:
    """Return the ErrorResourceInitFailed that an error carries."""
    packed = next(value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin")
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(detail)
    return detail


@dataclass
class Boxes:
    """A provider whose boxes live in a dictionary."""

    boxes: dict[str, Props] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    idents: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def create(self, req: Request) -> Made:
        self.seen.append(req)
        if req.inputs.get("colour") == "forbidden":
            raise ValueError("boxes are never forbidden")
        ident = str(next(self.idents))
        self.boxes[ident] = {**req.inputs, "key": "s3cret", "owner": req.config.get("owner", "")}
        made = Made(ident, self.boxes[ident])
        if req.inputs.get("colour") == "slow":
            raise PartialCreateError(made, ["it is still being painted"])
        return made

    def read(self, req: Request, ident: str, known: Props) -> Made | None:
        return Made(ident, self.boxes[ident]) if ident in self.boxes else None

    def update(self, req: Request, ident: str, known: Props) -> Props:
        self.seen.append(req)
        self.boxes[ident] |= req.inputs
        return self.boxes[ident]

    def delete(self, req: Request, ident: str, known: Props) -> None:
        self.boxes.pop(ident, None)

    def check(self, req: Request) -> list[Failure]:
        size = req.inputs.get("size")
        return [] if isinstance(size, int) else [Failure("size", f"expected a number, found {size!r}")]

    def stand(self, **more: Any) -> Stand:
        kind = ResourceType(
            token=BOX,
            create=self.create,
            read=self.read,
            update=self.update,
            delete=self.delete,
            check=self.check,
            complete=lambda _req: {"made": "here"},
            replace_on=frozenset({"place.shelf"}),
            secret_outputs=frozenset({"key"}),
        )
        more = {
            "types": {BOX: kind},
            "invokes": {"tiny:index:sum": lambda config, args: {"sum": sum(args["of"])}},
            **more,
        }
        return Stand(name="tiny", version="1.0.0", **more)
