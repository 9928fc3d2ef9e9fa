"""What one resource type of a provider stand-in offers, and what it is told.

The gRPC side (the plugin protocol of the Pulumi engine) lives beside this module; a resource type never
sees a protobuf. Property bags are plain JSON values: secrets arrive unwrapped, unknowns as `UNKNOWN`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xgen_infra.engine.special import UNKNOWN

if TYPE_CHECKING:
    import pulumi
    from pulumi.provider import ConstructResult

Props = dict[str, Any]

__all__ = [
    "UNKNOWN",
    "Construct",
    "ConstructRequest",
    "Delta",
    "Failure",
    "Invoke",
    "Made",
    "PartialCreateError",
    "Props",
    "Request",
    "ResourceType",
    "Say",
]

Say = Callable[[str, str], None]
"""Shows the user a message: (severity "info", "warning" or "error", text)."""


def _silent(_severity: str, _text: str) -> None:
    return None


@dataclass(frozen=True)
class Request:
    """One call about one resource: who it is, the provider instance's configuration, and its inputs.

    `old_inputs` are the inputs of the last run (at Check, Diff and Update; none for a new resource). `timeout` is
    the resource's own (customTimeouts), in seconds, or 0. `ignored` are the property paths of ignoreChanges.
    `cancelled` is set when the user ends the run: whatever waits should give up. What is put into `notes` goes
    to the journal, such as that something is simulated.
    """

    urn: str
    type: str
    name: str
    config: Mapping[str, Any]
    inputs: Props
    old_inputs: Props = field(default_factory=dict)
    timeout: float = 0.0
    ignored: tuple[str, ...] = ()
    notes: Props = field(default_factory=dict, compare=False)
    say: Say = field(default=_silent, compare=False, repr=False)
    cancelled: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


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


@dataclass(frozen=True)
class Delta:
    """What a new program would change: {property path: "add" | "delete" | "update"}, and which of them replace."""

    changes: Mapping[str, str]
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False


class PartialCreateError(Exception):
    """The resource exists but did not become ready: the engine keeps it and updates it on the next run.

    An update may raise it too.
    """

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
    are marked secret by the provider; `complete` gives inputs that the provider adds by itself at Check, or
    whole top-level inputs that it rewrites (None takes one away). `keeps_nulls`: a null deep in the inputs means
    something to it.

    `preview(req, id, old_outputs)` gives the outputs that a preview shows (id "" and no outputs for a new
    resource); without it a preview shows the inputs, and every other output of a new resource is unknown.
    `diff(req, old_outputs)` is for a type with rules of its own; without it old and new inputs are compared.
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
    keeps_nulls: bool = False
    preview: Callable[[Request, str, Props], Props] | None = None
    diff: Callable[[Request, Props], Delta] | None = None


Invoke = Callable[[Mapping[str, Any], Props], Props]
"""A provider function: (provider configuration, arguments) -> result."""


@dataclass(frozen=True)
class ConstructRequest:
    """A component to construct: `inputs` are plain values or `pulumi.Output`s, as the program gave them.

    `options` carry the parent, providers, aliases and protection that its children get; `config` is the
    provider instance's configuration.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    options: pulumi.ResourceOptions
    config: Mapping[str, Any]


Construct = Callable[[ConstructRequest], "ConstructResult"]
"""Registers a component and its children, as a program would, and returns ConstructResult(urn, state).

Runs inside the SDK's runtime of the calling program: resources may be made with pulumi_aws and the like, and
`state` may hold outputs and resources.
"""
