"""Who owns the releases may change once, from Pulumi to Argo CD; the way back is refused before anything is done.

docs/adr/0012-handover.md says why, and why the stack's own state is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor
from tenacity import Retrying, stop_after_delay, wait_random

from xgen_infra.site import Site

_READ = "pulumi:pulumi:readStackResourceOutputs"
"""The engine's own function: the resources of a stack's state by URN."""
_APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
_SECONDS = 10.0


def refuse_return(site: Site, seconds: float = _SECONDS) -> None:
    """Refuse `delivery: helm` where Argo CD owns the services of the stack. Registers nothing.

    Raises pulumi.RunError, also where the state could not be read for `seconds`.
    """
    if site.delivery != "helm":
        return
    try:
        names = applications(_running(seconds))
    except ValueError as error:
        raise pulumi.RunError(
            f"whether Argo CD owns the services of {site.stack} is not known, for the state cannot be read: {error}"
        ) from None
    if names:
        raise pulumi.RunError(
            f"Pulumi.{site.stack}.yaml says delivery: helm, but Argo CD owns services of this stack "
            f"({', '.join(names)}): removing an Application removes what it deployed, so there is no way back that "
            f"keeps the pods running. Write delivery: argocd; where a handover was interrupted, xgen handover "
            f"{site.stack} finishes it"
        )


def applications(urns: Iterable[str]) -> list[str]:
    """Return the names of the Applications among resources."""
    return sorted(
        urn.rsplit("::", 1)[-1].removeprefix("applications-")
        for urn in urns
        if urn.split("::")[2].rsplit("$", 1)[-1] == _APPLICATION
    )


def _running(seconds: float) -> Iterable[str]:
    """Return the URNs of the stack's state.

    The engine writes that state meanwhile. In a `file://` backend the checkpoint is replaced in one step, but the
    file of its attributes beside it is emptied first, and a reader that comes between fails with "EOF": it reads
    again. Every state written so early still holds all that ran before, for removals come last.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    tries = Retrying(stop=stop_after_delay(seconds), wait=wait_random(0.05, 0.3), reraise=True)
    return tries(_read, stack)


def _read(stack: str) -> Iterable[str]:
    """Ask the engine, and for plain values: `pulumi.runtime.invoke` would ask it for each resource that an output refers to.

    The engine knows none of them before this run has registered it, and refuses (Pulumi SDK: getResource).
    """
    request = resource_pb2.ResourceInvokeRequest(tok=_READ, acceptResources=False)
    request.args.update({"stackName": stack})
    monitor = get_monitor()
    if monitor is None:
        raise ValueError("no engine runs this program")
    try:
        answer = monitor.Invoke(request)
    except grpc.RpcError as error:
        raise ValueError(error.details()) from None
    if answer.failures:
        raise ValueError(answer.failures[0].reason)
    return tuple(getattr(answer, "return").fields["outputs"].struct_value.fields)
