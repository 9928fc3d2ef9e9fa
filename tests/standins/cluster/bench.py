"""The kubernetes stand-in, spoken to as the engine speaks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from standins.provider_client import Client, plain
from xgen_infra.rehearsal.standins.journal import Journal
from xgen_infra.rehearsal.standins.kubernetes import provider as kubernetes
from xgen_infra.rehearsal.standins.server import serve

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}

TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {colour: {{ .Values.colour | quote }}, size: {{ .Values.size | quote }}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.password | quote }}}
"""
"""What the chart of the tests makes."""


@dataclass
class Resource:
    """A resource in the state: what the engine keeps of it."""

    client: Client
    urn: str
    id: str
    inputs: Mapping[str, Any]
    outputs: dict[str, Any]

    def diff(self, new: Mapping[str, Any], **more: Any) -> Any:
        checked = self.check(new)
        return self.client.diff(self.inputs, checked, urn=self.urn, outputs=self.outputs, **more)

    def check(self, new: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.client.check(new, self.inputs, urn=self.urn)
        assert not answer.failures, answer.failures
        return plain(answer.inputs)

    def update(self, new: Mapping[str, Any], **more: Any) -> Any:
        checked = self.check(new)
        answer = self.client.update(self.id, self.inputs, checked, urn=self.urn, outputs=self.outputs, **more)
        if not more.get("preview"):
            self.inputs, self.outputs = checked, opened(plain(answer.properties))
        return opened(plain(answer.properties))

    def refresh(self) -> None:
        answer = self.client.read(self.id, self.inputs, self.outputs, urn=self.urn)
        self.id, self.inputs = answer.id, plain(answer.inputs)
        self.outputs = opened(plain(answer.properties))

    def delete(self) -> None:
        self.client.delete(self.id, self.urn, self.outputs)


@dataclass
class Bench:
    """A provider instance on the control plane, in a namespace of its own."""

    port: int
    config: Mapping[str, Any]
    namespace: str
    folder: Path

    def client(self, **config: Any) -> Client:
        return Client(self.port, {**self.config, **config})

    def make(self, token: str, inputs: Mapping[str, Any], *, name: str = "it", **config: Any) -> Resource:
        client, urn = self.client(**config), f"urn:pulumi:stack::project::{token}::{name}"
        answer = client.check(inputs, urn=urn)
        assert not answer.failures, answer.failures
        checked = plain(answer.inputs)
        made = client.create(checked, urn=urn)
        return Resource(client, urn, made.id, checked, opened(plain(made.properties)))


def opened(value: Any) -> Any:
    """Return outputs with their secrets in the open."""
    if isinstance(value, dict):
        if SECRET.items() <= value.items():
            return opened(value["value"])
        return {key: opened(item) for key, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


def state(chart: Path, version: str) -> None:
    """Let a chart say its version."""
    (chart / "Chart.yaml").write_text(
        yaml.safe_dump({"apiVersion": "v2", "name": "tiny", "version": version})
    )


@contextmanager
def bench_of(kubeconfig: Path, helm: Path, folder: Path, namespace: str) -> Iterator[Bench]:
    private = folder / "private"
    private.mkdir(mode=0o700)
    server, port = serve(kubernetes.stand(private, helm, folder), Journal(folder, "kubernetes"))
    yield Bench(port, {"kubeconfig": kubeconfig.read_text(), "namespace": namespace}, namespace, folder)
    server.stop(0)
