"""`xgen build-plan`: what Jenkins builds, and where it pushes."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xgen_infra import catalog
from xgen_infra.cli.sites import columns
from xgen_infra.findings import Refused
from xgen_infra.vendor import inventory
from xgen_infra.vendor.inventory import Inventory
from xgen_infra.vendor.plan import TargetPlan, login_commands, plan, plan_json
from xgen_infra.vendor.project_yaml import project_yaml
from xgen_infra.vendor.targets import Target


class Form(StrEnum):
    """How the plan is written."""

    table = "table"
    json = "json"
    project_yaml = "project-yaml"


class Arch(StrEnum):
    """What images are built for."""

    amd64 = "amd64"
    arm64 = "arm64"


Service = StrEnum("Service", {name: name for name in catalog.NAMES})  # type: ignore[misc]
"""One of the six."""


def build_plan(
    *,
    site: Annotated[
        list[str] | None, typer.Option(help="Only this site; may be given several times.")
    ] = None,
    service: Annotated[
        list[Service] | None, typer.Option(help="Only this service; may be given several times.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option(help="Only the sites built from this branch of the services.")
    ] = None,
    arch: Annotated[Arch | None, typer.Option(help="Another architecture than the site's tag names.")] = None,
    form: Annotated[
        Form,
        typer.Option("--format", help="table, json, or project-yaml: the older pipeline's project.yaml."),
    ] = Form.table,
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Say which image is pushed where: registry, credential id, reference, branch; for ECR what a login needs.

    Two stacks that share a site give one target. Only what is asked for by --site or --branch must be right;
    without either, every file must. Needs no secret, no network, no cloud.
    """
    found = inventory.read(Path())
    targets = _targets(found, site or [], branch)
    for warning in found.warnings:
        typer.echo(warning.text, err=True)
    chosen = [str(name) for name in service or catalog.NAMES]
    plans = plan(targets, services=chosen, branch=branch, arch=str(arch) if arch else None)
    match Form.json if as_data else form:
        case Form.json:
            typer.echo(json.dumps(plan_json(plans), indent=2))
        case Form.project_yaml:
            typer.echo(project_yaml((one.target for one in plans), found.vendor), nl=False)
        case Form.table:
            typer.echo(_table(plans))


def _targets(found: Inventory, sites: list[str], branch: str | None) -> list[Target]:
    if branch is not None and not sites:
        return found.built_from(branch)
    if sites:
        return [found.target(name) for name in dict.fromkeys(sites)]
    if found.refused:
        raise Refused(found.findings)
    return list(found.targets.values())


def _table(plans: list[TargetPlan]) -> str:
    rows = [("SITE", "BRANCH", "IMAGE", "PLATFORM", "CREDENTIAL")]
    for one in plans:
        target = one.target
        credential = target.registry.credential_id or "none"
        rows += [
            (target.site, target.branch, image.reference, image.platform, credential) for image in one.images
        ]
    logins = dict.fromkeys(command for one in plans for command in login_commands(one.target.registry))
    return "\n".join([columns(rows), *(["", "To push by hand:", *logins] if logins else [])])
