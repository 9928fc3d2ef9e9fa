"""`xgen explain`: the way of a value, forwards and backwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xgen_infra.cli import completion
from xgen_infra.explain import show
from xgen_infra.explain.data import reach_json, way_json
from xgen_infra.explain.reach import reach
from xgen_infra.explain.subject import Subject
from xgen_infra.explain.ways import settings, table, way
from xgen_infra.rehearsal.tools import Tool, ensure


def explain(
    site: completion.Site,
    service: Annotated[
        str | None, typer.Argument(metavar="SERVICE", help="One of the six; without it, all of them.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="VAR", help="A variable, or a value of the chart: image, replicas, ingress.host."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH", help="What does this line reach? As infra.postgres.host."),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Follow a value from the customer's file to the container, or a line of the file to all that it reaches.

    Nothing is looked up in a list: each field is changed in turn, and the program and the chart say what follows.
    Needs no network and no cloud. Secrets are told by where they come from, never by value.
    """
    if source and (service or name):
        raise typer.BadParameter("--from asks about the whole site: leave SERVICE and VAR out")
    subject = Subject.read(Path(), site, helm())
    if source:
        found = reach(subject, source)
        _tell({"site": site, **reach_json(found)} if as_data else show.reached(found))
    elif service is None:
        _tell({"site": site, "services": _all(subject)} if as_data else show.overview(subject))
    else:
        _service(subject, service, name, as_data=as_data)


def _service(subject: Subject, service: str, name: str | None, *, as_data: bool) -> None:
    chosen = subject.service(service)
    if name:
        found = way(subject, chosen, name)
        _tell(
            {"site": subject.site.stack, **way_json(found)}
            if as_data
            else show.whole(found, subject.site.stack)
        )
        return
    environment, others = table(subject, chosen), settings(subject, chosen)
    data = {
        "site": subject.site.stack,
        "service": chosen,
        "environment": [way_json(one) for one in environment],
        "settings": [way_json(one) for one in others],
    }
    _tell(data if as_data else show.tables(environment, others))


def _all(subject: Subject) -> dict[str, Any]:
    return {spec.service.name: subject.values(spec.service.name) for spec in subject.site.specs}


def _tell(what: dict[str, Any] | str) -> None:
    typer.echo(what if isinstance(what, str) else json.dumps(what, indent=2, ensure_ascii=False))


def helm() -> Path:
    """Return Helm: the one of PATH or of the cache, or built now, which is told."""
    return ensure([Tool.HELM], _progress)[Tool.HELM]


def _progress(line: str) -> None:
    if not line.endswith("of PATH is used"):
        typer.echo(line, err=True)
