"""What the program makes of a site: the resources it registers, and where each output of one goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from xgen_infra import stack
from xgen_infra.delivery import install, services
from xgen_infra.explain.differences import MISSING, changed
from xgen_infra.explain.recording import ResourceId, canaries, record
from xgen_infra.findings import KeyPath
from xgen_infra.load import Credentials
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site


@dataclass(frozen=True)
class Output:
    """What the stack hands to a variable: from which resources, and whether it is known before the first `up`.

    `credential` is the field of the file's credentials that it is, where it is one. No value is kept.
    """

    known: bool
    resources: tuple[ResourceId, ...]
    credential: str = ""


def outputs(site: Site) -> dict[str, Output]:
    """Return, by variable, what reaches the containers through the stack: outputs of resources, and secrets."""
    found: dict[str, Output] = {}

    async def program() -> None:
        credentials = canaries()
        cluster = stack.cluster_of(site, credentials)
        given: Mapping[str, Any] = {
            **services.output_env(site, install.resource_outputs(cluster)),
            **install.secret_values(credentials, cluster),
        }
        for name, value in given.items():
            found[name] = await _output(pulumi.Output.from_input(value))

    record(site.stack, program, made=False)
    return found


async def _output(output: pulumi.Output[Any]) -> Output:
    value = await output.future()
    known = await output.is_known()
    urns = [await resource.urn.future() for resource in await output.resources()]
    ids = sorted((_id(urn) for urn in urns if urn), key=str)
    names = {secret.field for secret in SECRETS}
    return Output(known, tuple(ids), value if known and value in names else "")


def _id(urn: str) -> ResourceId:
    *_, types, name = urn.split("::")
    return ResourceId(types.rpartition("$")[2], name)


@dataclass(frozen=True)
class Resources:
    """All inputs of all resources of one site."""

    inputs: Mapping[ResourceId, Any]

    @classmethod
    def of(cls, site: Site, credentials: Mapping[str, str] | None = None) -> Resources:
        """Record a site; `credentials` replaces canaries by field. Raises ValueError where the program refuses it."""

        async def program() -> None:
            given = {name: pulumi.Output.secret(text) for name, text in (credentials or {}).items()}
            stack.build(site, replace(canaries(), **given))

        return cls(record(site.stack, program).resources)

    def changed(self, other: Resources) -> dict[ResourceId, frozenset[KeyPath]]:
        """Return the resources that differ, with the paths of the inputs that do."""
        ids = {*self.inputs, *other.inputs}
        found = {one: changed(self.inputs.get(one, MISSING), other.inputs.get(one, MISSING)) for one in ids}
        return {one: paths for one, paths in found.items() if paths}


__all__ = ["Credentials", "Output", "Resources", "outputs"]
