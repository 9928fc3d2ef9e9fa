"""The file's own environment variables against those that this program wires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xgen_infra import catalog, environment
from xgen_infra.findings import KeyPath, shown
from xgen_infra.rules.violation import Violation
from xgen_infra.site import Site


def _places(site: Site) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    yield ("vars",), site.vars
    for spec in site.specs:
        yield ("services", spec.service.name, "vars"), spec.vars


def vars_contradict_nothing_wired(site: Site) -> Iterator[Violation]:
    """Yield variables that a resource, a secret or another line of the file decides."""
    wired = {variable.name: variable for variable in environment.wired(site)}
    for place, variables in _places(site):
        for name, value in variables.items():
            variable = wired.get(name)
            if variable is None:
                continue
            path, also = (*place, name), tuple(tuple(path.split(".")) for path in variable.paths)
            if variable.secret:
                mend = "remove it: a secret does not stand in plain text here"
                yield Violation(
                    path, "a value", f"none: it comes from {_secret_source(variable.source)}", mend
                )
            elif value == variable.value:
                mend = f"remove it: it comes from {_source(variable)}"
                yield Violation(path, "the value it has anyway", "", mend, "warning", also=also)
            else:
                expected = f"{shown(variable.value)}, which comes from {_source(variable)}"
                yield Violation(
                    path, shown(value), expected, "change it there, and remove it here", also=also
                )


def _source(variable: environment.Variable) -> str:
    return " or ".join(variable.paths) or variable.source


def _secret_source(source: str) -> str:
    return (
        "the access key that this program makes"
        if source.startswith("accessKey.")
        else f"xgen-infra:{source}"
    )


def dotenv_carries_every_value(site: Site) -> Iterator[Violation]:
    """Yield values that python-dotenv would expand in the .env file of a service that has one."""
    readers = {service.name for service in catalog.SERVICES if service.dotenv}
    for place, variables in _places(site):
        if place != ("vars",) and place[1] not in readers:
            continue
        for name, value in variables.items():
            if "${" in value:
                mend = f"{', '.join(sorted(readers))} reads a .env file, in which python-dotenv expands it"
                yield Violation((*place, name), "a value with '${'", "a value without it", mend)
