"""The whole program of a K3s site over a recording engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime.mocks import set_mocks

from xgen_infra.load import Credentials
from xgen_infra.site import Site
from xgen_infra.stack import build

SECRET = "4dabf18193072939515e22adb298388d"
"""Marks a special value on the engine's wire (pulumi.runtime.rpc)."""


@dataclass(frozen=True)
class Resource:
    """One registration: its inputs with secrets unwrapped, and the values that were marked secret."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    secrets: tuple[Any, ...]


@dataclass(frozen=True)
class Recorded:
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        return [one for one in self.resources if one.type.endswith(f":{kind}")]

    def named(self, name: str) -> Resource:
        (found,) = [one for one in self.resources if one.name == name]
        return found


class _Mocks(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.made: list[Resource] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        secrets: list[Any] = []
        inputs = _plain(args.inputs, secrets)
        self.made.append(Resource(args.typ, args.name, inputs, tuple(secrets)))
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[Any, Any]:
        raise AssertionError(f"no function is called: {args.token}")


def _plain(value: Any, secrets: list[Any]) -> Any:
    if isinstance(value, dict):
        if SECRET in value:
            secrets.append(value.get("value"))
            return _plain(value.get("value"), secrets)
        return {key: _plain(item, secrets) for key, item in value.items()}
    return [_plain(item, secrets) for item in value] if isinstance(value, list) else value


def canary(field: str) -> str:
    return f"canary-{field}"


def record(site: Site, *, without: tuple[str, ...] = ("git_ssh_key", "argocd_webhook_url")) -> Recorded:
    """Run the program; `without` are the credentials that the site's file does not have."""
    mocks = _Mocks()
    set_mocks(mocks, project="xgen-infra", stack=site.stack, preview=False)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        given = {
            part.name: pulumi.Output.secret(canary(part.name))
            for part in fields(Credentials)
            if part.name not in without
        }
        build(site, Credentials(**given))

    program()
    return Recorded(tuple(mocks.made))
