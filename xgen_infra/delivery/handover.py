"""Who owns the releases may change once, from Pulumi to Argo CD; the way back is refused before anything is done.

docs/adr/0012-handover.md says why.
"""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from xgen_infra.site import Site

_READ = "pulumi:pulumi:readStackResourceOutputs"
"""The engine's own function: the resources of a stack's state, as the last operation left them."""
_APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"


def refuse_return(site: Site) -> None:
    """Refuse `delivery: helm` where Argo CD owns the services. Registers nothing.

    Raises pulumi.RunError.
    """
    if site.delivery != "helm":
        return
    names = applications(_running())
    if names:
        raise pulumi.RunError(
            f"Pulumi.{site.stack}.yaml says delivery: helm, but Argo CD owns the services of this stack "
            f"({', '.join(names)}): removing an Application removes what it deployed, so there is no way back that "
            "keeps the pods running. Write delivery: argocd"
        )


def applications(urns: Iterable[str]) -> list[str]:
    """Return the names of the Applications among resources."""
    return sorted(
        urn.rsplit("::", 1)[-1].removeprefix("applications-")
        for urn in urns
        if urn.split("::")[2].rsplit("$", 1)[-1] == _APPLICATION
    )


def _running() -> Iterable[str]:
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke(_READ, {"stackName": stack}).value or {}
    found: dict[str, object] = answer.get("outputs") or {}
    return found
