"""What one resource type of a provider stand-in offers, and what it is told.

The gRPC side (the plugin protocol of the Pulumi engine) lives beside this module; a resource type never
sees a protobuf. Property bags are plain JSON values: secrets arrive unwrapped, unknowns as `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's wire form of a value that is not known yet (pulumi sdk, `plugin.UnknownStringValue`)."""

Props = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call about one resource: who it is, the provider instance's configuration, and its inputs."""

    urn: str
    type: str
    name: str
    config: Mapping[str, Any]
    inputs: Props


@dataclass(frozen=True)
class Failure:
    """One refused input; `property` is the path as in the program, camelCase."""

    property: str
    reason: str


@dataclass(frozen=True)
class Made:
    """A resource as it stands: its id and its outputs (inputs included).

    `inputs` is for one that is read by id alone (an import): what a program would have to state.
    """

    id: str
    outputs: Props
    inputs: Props | None = None


class PartialCreateError(Exception):
    """The resource exists but did not become ready: the engine keeps it and updates it on the next run."""

    def __init__(self, made: Made, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.made = made
        self.reasons = reasons


@dataclass(frozen=True)
class ResourceType:
    """One resource type.

    `create(req)` makes it; `read(req, id, outputs)` returns None when it is gone;
    `update(req, id, old_outputs)` returns the new outputs (without `update`, any change replaces);
    `delete(req, id, outputs)` accepts not-found.

    `replace_on` names the inputs (camelCase, top level, or dotted) whose change replaces the resource;
    `delete_before_replace` says that the old one has to go first; `backed_by` is "emulator" where an
    emulator or the real server answers and "store" where a file of the rehearsal does. `secret_outputs`
    are marked secret by the provider; `complete` gives inputs that the provider adds by itself at Check.
    """

    token: str
    create: Callable[[Request], Made]
    read: Callable[[Request, str, Props], Made | None]
    delete: Callable[[Request, str, Props], None]
    update: Callable[[Request, str, Props], Props] | None = None
    check: Callable[[Request], list[Failure]] = field(default=lambda _req: [])
    complete: Callable[[Request], Props] = field(default=lambda _req: {})
    replace_on: frozenset[str] = frozenset()
    delete_before_replace: bool = False
    secret_outputs: frozenset[str] = frozenset()
    backed_by: str = "emulator"


Invoke = Callable[[Mapping[str, Any], Props], Props]
"""A provider function: (provider configuration, arguments) -> result."""
