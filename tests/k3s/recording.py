"""A site on K3s built over a recording engine: what was registered, and what the delivery side gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.mocks import MockMonitor

from xgen_infra.cluster import Cluster
from xgen_infra.site import Site, with_defaults

SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks a special value on the engine's wire (pulumi.runtime.rpc)."""
SECRETS = {
    "postgres_password": "canary-postgres",
    "redis_password": 'canary "redis" \\ $é',
    "qdrant_api_key": "canary-qdrant",
    "minio_access_key": "canary-access",
    "minio_secret_key": "canary/secret+key",
}


@dataclass(frozen=True)
class Made:
    """One resource that the program registered; `read` for one that it only looks at."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    read: bool


class Monitor(MockMonitor):
    """The recording engine's monitor; keeps what each registration asked of the engine, by logical name."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.requests: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


@dataclass
class Recorder(pulumi.runtime.Mocks):
    made: list[Made] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made.append(Made(args.typ, args.name, args.inputs, bool(args.resource_id)))
        return (args.resource_id or f"{args.name}-id", dict(args.inputs))

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"no function is called: {args.token}")


Build = Callable[..., "Built"]
"""`build(cluster={...}, infra={...})` builds a site on K3s; `secrets` replaces credentials, None takes one away."""


@dataclass(frozen=True)
class Built:
    """What one run of the program registered, and what it handed to the delivery side."""

    site: Site
    cluster: Cluster
    made: tuple[Made, ...]
    requests: Mapping[str, Any]
    """What each registration asked of the engine: protect, retainOnDelete, dependencies, ..."""

    @property
    def manifests(self) -> list[dict[str, Any]]:
        """The objects that the API server would get."""
        return [
            unsealed_everywhere(made.inputs)
            for made in self.made
            if made.type.startswith("kubernetes:") and not made.read
        ]

    def of(self, kind: str) -> dict[str, Made]:
        """Return the Kubernetes resources of a kind by their object's name."""
        return {
            made.inputs["metadata"]["name"]: made
            for made in self.made
            if made.type.startswith("kubernetes:") and made.type.endswith(f":{kind}") and not made.read
        }


def site_of(cluster: Mapping[str, Any] | None = None, **more: Any) -> Site:
    raw = {
        "source": {"repoURL": "https://gitlab.mart.example/xgen/xgen-infra.git"},
        "registry": {"kind": "local"},
        "cluster": {"kind": "k3s", "context": "mart", **(cluster or {})},
        **more,
    }
    return Site.model_validate(with_defaults(raw, "mart", None))


def unsealed(value: Any) -> Any:
    """Return a secret input's value; fails where it is not marked secret."""
    assert value[SECRET_SIGNATURE] == "1b47061264138c4ac30d75fd1eb44270"
    return value["value"]


def unsealed_everywhere(value: Any) -> Any:
    """Return a value without the marks of secrets in it."""
    if isinstance(value, Mapping):
        if SECRET_SIGNATURE in value:
            return unsealed_everywhere(value["value"])
        return {key: unsealed_everywhere(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unsealed_everywhere(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
