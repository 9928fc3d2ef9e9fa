"""`xgen bootstrap`: what must exist in a site's AWS account before the first `up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xgen_infra.bootstrap import Bootstrap, BootstrapError, Runner
from xgen_infra.bootstrap.documents import Oidc
from xgen_infra.bootstrap.record import aws_resources
from xgen_infra.cli import completion
from xgen_infra.folder import read_site


def bootstrap(
    site: completion.Site,
    gitlab: Annotated[
        str, typer.Option(help="HOST/GROUP/PROJECT of a GitLab whose issuer AWS can reach.")
    ] = "",
    branch: Annotated[str, typer.Option(help="With --gitlab: the branch that may deploy.")] = "main",
    principal: Annotated[
        str, typer.Option(help="Otherwise: ARN of the principal whose key is a protected variable.")
    ] = "",
) -> None:
    """Make the state's bucket, the key of its secrets, a deploy role and a read-only preview role.

    The deploy role may make what the program registers for this site, and no more: run this again when the file asks
    for another kind of thing. Otherwise, run again, it changes nothing. It works with your own AWS credentials.
    """
    file, chosen = read_site(Path.cwd(), site)
    if chosen.eks is None:
        raise BootstrapError(
            f"{site} is not on EKS: its state needs no AWS; choose a backend by `pulumi login`"
        )
    runner = _runner(gitlab, branch, principal)
    made = Bootstrap(chosen, chosen.eks, runner, aws_resources(chosen), tell=typer.echo).run()
    typer.echo("Next:")
    for command in made.commands:
        typer.echo(f"  {command}")
    if chosen.eks.permissions_boundary != made.boundary:
        typer.echo(f"Under cluster: in {file.path.name} write\n  permissionsBoundary: {made.boundary}")
        typer.echo("The deploy role makes no role and no user without it.")
    typer.echo(f"Pipelines deploy as {made.deploy_role} and preview as {made.preview_role}.")


def _runner(gitlab: str, branch: str, principal: str) -> Runner:
    if bool(gitlab) == bool(principal):
        raise typer.BadParameter("name one of --gitlab and --principal")
    if principal:
        return principal
    host, _, project = gitlab.removeprefix("https://").partition("/")
    if "/" not in project:
        raise typer.BadParameter("expected HOST/GROUP/PROJECT", param_hint="--gitlab")
    return Oidc(host, project, branch)
