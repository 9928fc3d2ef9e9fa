"""From plain values to a Site, or to findings that say why not. Used by the program and by `xgen check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xgen_infra.findings import Finding, KeyPath, Position, Refused, dotted, errors
from xgen_infra.model_findings import Origin, findings_of
from xgen_infra.rules import RULES, Violation
from xgen_infra.rules.keys import key_problems
from xgen_infra.rules.secrets import secrets_fit
from xgen_infra.salvage import still_true, without_errors
from xgen_infra.site import Site, Vendor, with_defaults
from xgen_infra.stackfile import PROJECT_FILE, SITE_KEY, ProjectFile, StackFile

__all__ = ["Refused", "examine", "program_site", "site_of", "vendor_of"]


def site_of(raw: Any, stack: str, vendor: Any, origin: Origin) -> Site:
    """Return the site of plain values. `origin` knows the file's name and where each value stands.

    Raises Refused, with every finding, where the values are wrong or contradict each other.
    """
    site, findings = examine(raw, stack, vendor, origin)
    if site is None or errors(findings):
        raise Refused(findings)
    return site


def examine(raw: Any, stack: str, vendor: Any, origin: Origin) -> tuple[Site | None, list[Finding]]:
    """Return the site, where the models take the values, and every finding, warnings included."""
    data = with_defaults(raw, stack, vendor)
    if isinstance(raw, dict) and "stack" in raw:
        place = origin.where(("stack",), key=True)
        mend = "remove it: it is the file's name"
        return None, [
            Finding(origin.name, place.line, place.column, "stack", "the unknown key 'stack'", "", mend)
        ]
    try:
        site = Site.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        return None, [*findings_of(error, Site, data, origin), *_others(data, error, origin)]
    return site, [finding(one, origin, rule.__name__) for rule in RULES for one in rule(site)]


def _others(data: Any, error: ValidationError, origin: Origin) -> Iterator[Finding]:
    site = without_errors(data, error)
    if site is not None:
        details = error.errors(include_url=False)
        for rule in RULES:
            for violation in still_true(rule(site), data, details):
                yield finding(violation, origin, rule.__name__)


def finding(violation: Violation, origin: Origin, rule: str) -> Finding:
    """Return a violation at its place in the file."""
    place = origin.where(violation.path)
    return Finding(
        origin.name,
        place.line,
        place.column,
        dotted(violation.path),
        violation.found,
        violation.expected,
        violation.mend,
        violation.severity,
        rule.replace("_", "-"),
    )


def examine_file(file: StackFile, vendor: Any) -> tuple[Site | None, list[Finding]]:
    """Return a file's site and every finding of that one file, sorted by line."""
    findings = key_problems(file)
    hidden = file.nested_secrets
    site: Site | None = None
    if SITE_KEY in file.config and SITE_KEY not in file.secure:
        site, found = examine(file.site, file.stack, vendor, file)
        findings += [one for one in found if not _below(one.path, hidden)]
    if site is not None:
        findings += secrets_fit(file, site)
    return site, sorted(findings)


def _below(path: str, parents: tuple[KeyPath, ...]) -> bool:
    return any(path == dotted(parent) or path.startswith(f"{dotted(parent)}.") for parent in parents)


def program_site(file: StackFile, stack: str, raw: Any, vendor: Any) -> Site:
    """Return the site of the values that the engine hands to the program for a stack, whatever its file is called.

    The file itself is examined first, then the engine's values where they differ from it (`pulumi up --config`).
    Raises Refused, with every finding, where either is wrong.
    """
    file = replace(file, stack=stack)
    vendor_of(vendor, file.path.parent / PROJECT_FILE)
    site, findings = examine_file(file, vendor)
    if site is None or errors(findings):
        raise Refused(findings)
    return site if raw == file.site else site_of(raw, stack, vendor, file)


def vendor_of(vendor: Any, path: Path) -> Vendor | None:
    """Return the vendor's defaults; None where there are none.

    `path` names Pulumi.yaml. Raises Refused, with places in that file where it exists, where they are wrong.
    """
    if vendor is None:
        return None
    try:
        return Vendor.model_validate(vendor, by_alias=True, by_name=False)
    except ValidationError as error:
        origin = ProjectFile.read(path) if path.exists() else _Nowhere(str(path))
        raise Refused(findings_of(error, Vendor, vendor, origin)) from None


@dataclass(frozen=True)
class _Nowhere:
    """The origin of values that stand in no file."""

    name: str

    def where(self, _path: KeyPath, *, key: bool = False) -> Position:  # noqa: ARG002
        return Position(1, 1)

    def written(self, _path: KeyPath) -> str | None:
        return None
