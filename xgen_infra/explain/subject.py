"""One site to be explained: its file, what it is made from, and the chart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from xgen_infra import catalog
from xgen_infra.explain import stack
from xgen_infra.explain.changes import variations
from xgen_infra.explain.chart import Chart
from xgen_infra.explain.differences import changed
from xgen_infra.explain.fields import leaf_paths, purpose
from xgen_infra.explain.inputs import STACK, Inputs, at
from xgen_infra.findings import KeyPath, keeps_secret
from xgen_infra.folder import read_site, vendor_in
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site
from xgen_infra.stackfile import PROJECT_FILE, ProjectFile, StackFile

HIDDEN = "(not shown)"
Owner = Literal["file", "vendor", "name", "default", "secret"]


class ExplainError(Exception):
    """A question about something that is not there. `status` is the command's exit status: wrong usage."""

    status = 2


@dataclass(frozen=True)
class Origin:
    """A field that decides a value. `owner` is who wrote it: file, vendor, the stack's name, a secret, or nobody.

    `file`, `line` and `column` say where it stands; a `default` has no place. `value` is None where it has none,
    and HIDDEN where it is nobody's to read.
    """

    path: KeyPath
    owner: Owner
    file: str
    line: int
    column: int
    value: Any
    purpose: str


@dataclass(frozen=True)
class Subject:
    """One customer's file with all that is needed to follow a value of it."""

    file: StackFile
    project: ProjectFile
    inputs: Inputs
    chart: Chart

    @classmethod
    def read(cls, folder: Path, site: str, helm: Path) -> Subject:
        """Read one customer's file; raises Refused or UnknownSiteError as `read_site` does."""
        file, known = read_site(folder, site)
        inputs = Inputs(file.site, file.stack, vendor_in(folder))
        return cls(
            file, ProjectFile.read(folder / PROJECT_FILE), inputs, Chart(helm.resolve(), known.namespace)
        )

    @property
    def site(self) -> Site:
        """The site."""
        assert self.inputs.site  # noqa: S101
        return self.inputs.site

    @cached_property
    def outputs(self) -> dict[str, stack.Output]:
        """What reaches the containers through the stack, by variable."""
        return stack.outputs(self.site)

    @cached_property
    def fields(self) -> list[KeyPath]:
        """Every field, written or not."""
        return leaf_paths(self.inputs)

    def service(self, name: str) -> catalog.ServiceName:
        """Return a service by its name; raises ExplainError."""
        found = catalog.BY_NAME.get(name) or catalog.BY_NAME.get(f"xgen-{name}")
        if found is None:
            raise ExplainError(
                f"there is no service '{name}'{near(name, catalog.NAMES) or ': there are ' + ', '.join(catalog.NAMES)}"
            )
        return found.name

    def values(self, service: catalog.ServiceName) -> dict[str, Any]:
        """Return the chart's values of a service."""
        values = self.inputs.values(service)
        assert values is not None  # noqa: S101
        return values

    def influences(self, service: catalog.ServiceName) -> dict[KeyPath, list[KeyPath]]:
        """Return, by value of the chart, the fields whose change changes it.

        Another service's own fields are left out: no value of this one is made from them.
        """
        base = self.values(service)
        found: dict[KeyPath, list[KeyPath]] = {}
        for field in self.fields:
            if field[:1] == ("services",) and field[1] != service:
                continue
            reached: set[KeyPath] = set()
            for varied in variations(self.inputs, field):
                values = varied.values(service)
                reached |= changed(base, values) if values else frozenset()
            for leaf in reached:
                found.setdefault(leaf, []).append(field)
        return found

    def origin(self, field: KeyPath) -> Origin:
        """Return where a field stands, its value in effect, and what it is for."""
        owner = self.inputs.owner(field)
        value = self.inputs.stack if field == STACK else at(self.inputs.effective, field)
        if hides(field):
            value = HIDDEN
        text = purpose(self.inputs, field)
        if owner == "vendor":
            place = self.project.where(field)
            return Origin(field, "vendor", self.project.name, place.line, place.column, value, text)
        if owner == "file":
            place = self.file.where(field)
            return Origin(field, "file", self.file.name, place.line, place.column, value, text)
        if owner == "name":
            return Origin(field, "name", self.file.name, 0, 0, value, text)
        return Origin(field, "default", "", 0, 0, value, text)

    def secret_origin(self, name: str) -> Origin:
        """Return where one of the file's secrets stands; `name` is a field of the credentials."""
        secret = next(one for one in SECRETS if one.field == name)
        place = self.file.document.where(("config", secret.config_key), key=True)
        path = (secret.config_key,)
        return Origin(path, "secret", self.file.name, place.line, place.column, HIDDEN, secret.purpose)


def hides(field: KeyPath) -> bool:
    """Whether a field is a variable whose name says that its value is nobody's to read."""
    return len(field) > 1 and field[-2] == "vars" and keeps_secret(field[-1])


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a message: what was probably meant, where something is near."""
    close = get_close_matches(name, known, 1)
    return f": did you mean '{close[0]}'?" if close else ""
