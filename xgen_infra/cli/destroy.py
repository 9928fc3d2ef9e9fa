"""`xgen destroy`: a customer's stack is removed in stages; data stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.cli import completion
from xgen_infra.engine import Engine
from xgen_infra.load import REMOVAL_VARIABLE
from xgen_infra.recovery import clusters
from xgen_infra.removal import CLUSTER_TYPE, STAGES, Resource, Stage, leftovers, resources_of


class LeftoversError(Exception):
    """Something unprotected is still there after the last stage."""


class SilentClusterError(Exception):
    """The cluster does not answer, so what stands on it could be forgotten but not removed."""


def destroy(
    site: completion.Site,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the site's name.")] = False,
) -> None:
    """Remove a customer's stack in stages. Interrupted or failed, run it again: it goes on where it was.

    Protected data (documents, databases, and what they stand on) is kept and listed at the end.
    """
    engine = Engine(Path.cwd())
    _refuse_silence(engine, site)
    resources = resources_of(engine.export(site))
    if (
        not yes
        and typer.prompt(f"This removes {len(resources)} resources. The site's name, to go on") != site
    ):
        raise typer.Abort
    remove_all(engine, site)


def remove_all(engine: Engine, site: str) -> None:
    """Go through every stage; raises EngineError, and LeftoversError where something unprotected is left."""
    if any(protected_by_aws(resource) for resource in resources_of(engine.export(site))):
        typer.echo("deletion protection: switched off at AWS")
        off = replace(engine, environment={**engine.environment, REMOVAL_VARIABLE: "1"})
        off.up(site, "--target", f"**{CLUSTER_TYPE}**")
    for stage in STAGES:
        _remove(engine, site, stage)
    _tell(resources_of(engine.export(site)), site)


def _refuse_silence(engine: Engine, site: str) -> None:
    """Refuse to begin where the cluster does not answer: the state would forget releases that still run."""
    state = json.loads(engine.run("stack", "export", "--show-secrets", "--stack", site))
    why = clusters.silent(state, site)
    if why:
        raise SilentClusterError(
            f"nothing was removed: {'; '.join(why)}. Run this again when it "
            f"answers. If it is gone for good, let the state forget what stood on it: pulumi state delete --stack "
            f"{site} --target-dependents, with the URN of the stack's Kubernetes provider"
        )


def protected_by_aws(resource: Resource) -> bool:
    """Whether AWS would refuse to delete a cluster (EKS API reference, CreateCluster: deletionProtection)."""
    return resource.type == CLUSTER_TYPE and bool(resource.inputs.get("deletionProtection"))


def _remove(engine: Engine, site: str, stage: Stage) -> None:
    members = stage.members(resources_of(engine.export(site)))
    if stage.components and not members:
        typer.echo(f"{stage.name}: nothing left")
        return
    targets = [option for member in members for option in ("--target", member.urn)]
    options = [*targets, "--target-dependents"] if stage.components else ["--exclude-protected"]
    result = engine.destroy(site, *options)
    typer.echo(f"{stage.name}: {result.changes.get('delete', 0)} removed ({stage.why})")


def _tell(resources: list[Resource], site: str) -> None:
    protected, others = leftovers(resources)
    if protected:
        typer.echo("Kept, because it is protected:")
        for resource in protected:
            typer.echo(f"  {resource.type}  {resource.id}")
        typer.echo("To remove one of them and what it holds, for good:")
        for resource in protected:
            typer.echo(f"  pulumi destroy --stack {site} --ignore-protect --target '{resource.urn}'")
    if others:
        listed = "\n".join(f"  {resource.urn}" for resource in others)
        raise LeftoversError(f"still there after the last stage:\n{listed}")
