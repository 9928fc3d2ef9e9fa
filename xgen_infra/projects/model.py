"""The shape of a `projects/*.yaml`: what has to be there, and of which kind. Further keys are let in, and told later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from xgen_infra.findings import Finding, KeyPath, Refused
from xgen_infra.model_findings import findings_of
from xgen_infra.stackfile import read_text
from xgen_infra.yamlfile import Document


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel, validate_by_name=False)


class Project(_Open):
    """Name and namespace of the platform."""

    name: str | None = None
    description: str | None = None
    namespace: str | None = None


class Source(_Open):
    """The Git repository that Argo CD reads."""

    repo_url: Annotated[str, Field(alias="repoURL")]
    target_revision: str | None = None


class Destination(_Open):
    """A cluster, as Argo CD calls it, and the host name of the platform there."""

    server: str | None = None
    domain: str | None = None


class Service(_Open):
    """One service of an environment."""

    name: str


class Environment(_Open):
    """The services of an environment."""

    services: tuple[Service, ...]


class Infra(_Open):
    """The services below: where each one is."""

    postgres: dict[str, Any] | None = None
    redis: dict[str, Any] | None = None
    qdrant: dict[str, Any] | None = None
    minio: dict[str, Any] | None = None


class Projects(_Open):
    """The whole file."""

    project: Project = Project()
    source: Source
    destinations: dict[str, Destination] | None = None
    site: str | None = None
    registry_host: str | None = None
    vars: dict[str, str | int | float | bool | None] | None = None
    infra: Infra | None = None
    environments: Annotated[dict[str, Environment], Field(min_length=1)]


@dataclass(frozen=True)
class Pair:
    """An environment and the destination it goes to (None where the file names none): one stack."""

    stack: str
    environment: str
    destination: str | None


def read(path: Path) -> tuple[Document, Projects]:
    """Read a file; raises Refused, with file:line:column, where it is none of this kind."""
    document = Document.read(read_text(path), str(path))
    try:
        projects = Projects.model_validate(document.data)
    except ValidationError as error:
        raise Refused(findings_of(error, Projects, document.data, document)) from None
    twice = list(_twice(document, projects))
    if twice:
        raise Refused(twice)
    return document, projects


def _twice(document: Document, projects: Projects) -> Iterator[Finding]:
    for name, environment in projects.environments.items():
        first: dict[str, int] = {}
        for index, service in enumerate(environment.services):
            path: KeyPath = ("environments", name, "services", index, "name")
            line = document.where(path).line
            if service.name in first:
                mend = f"the first one is at line {first[service.name]}: keep one of them"
                yield document.finding(
                    path, f"the service {service.name} a second time", mend=mend, rule="import"
                )
            first.setdefault(service.name, line)


def pairs(projects: Projects, site: str, only: str | None) -> list[Pair]:
    """Return the stacks of a file: an environment goes to the destination of its name, else to each without one.

    A stack is called like the site; where there are several environments or destinations, with theirs behind it.
    """
    environments = [name for name in projects.environments if only in {None, name}]
    destinations = list(projects.destinations or {})
    free = [name for name in destinations if name not in projects.environments]
    found = []
    for environment in environments:
        targets: list[str | None] = [environment] if environment in destinations else [*free] or [None]
        for target in targets:
            parts = [environment] if len(projects.environments) > 1 and environment != site else []
            parts += [target] if target and len(targets) > 1 else []
            found.append(Pair("-".join([site, *parts]), environment, target))
    return found
