"""The folder of all customers' files: reading one site or every site of it, offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from xgen_infra.findings import Finding, Refused, errors
from xgen_infra.rules.across import across
from xgen_infra.site import Site
from xgen_infra.stackfile import PROJECT_FILE, ProjectFile, StackFile, stack_of
from xgen_infra.validate import examine_file, vendor_of

Known = TypeVar("Known", bound=Path | StackFile)


class UnknownSiteError(Exception):
    """A stack that has no file in the folder. `status` is the command's exit status: wrong usage."""

    status = 2


@dataclass(frozen=True)
class Report:
    """What a check saw: `files` were read, `sites` are those without an error, by stack; findings by file and line."""

    files: int
    sites: dict[str, tuple[StackFile, Site]] = field(repr=False)
    findings: tuple[Finding, ...] = ()

    @property
    def summary(self) -> str:
        """Return one line: how many files, errors and warnings."""
        wrong = len(errors(self.findings))
        counts = [_count(self.files, "file"), _count(wrong, "error")]
        return ", ".join([*counts, _count(len(self.findings) - wrong, "warning")])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def stack_files(folder: Path) -> dict[str, Path]:
    """Return the folder's `Pulumi.<stack>.yaml` by stack, in the order of their names.

    Raises Refused where one stack has two files (.yaml and .yml).
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("Pulumi.*.y*ml")):
        if path.suffix not in {".yaml", ".yml"}:
            continue
        stack = stack_of(path)
        if stack in found:
            raise Refused(
                [_about(path, f"the stack {stack} a second time", f"{found[stack]} is its file: remove one")]
            )
        found[stack] = path
    return found


def _about(path: Path, found: str, mend: str) -> Finding:
    return Finding(str(path), 1, 1, "", found, mend=mend, rule="files")


def vendor_in(folder: Path) -> Any:
    """Return the vendor's defaults of the folder's Pulumi.yaml, plain.

    Raises Refused where that file cannot be read, or its defaults are wrong.
    """
    project = ProjectFile.read(folder / PROJECT_FILE)
    vendor_of(project.vendor, folder / PROJECT_FILE)
    return project.vendor


def read_site(folder: Path, stack: str) -> tuple[StackFile, Site]:
    """Return one customer's file and site.

    Raises UnknownSiteError where it has no file, Refused, with every finding of the file, where it has an error.
    """
    path = chosen_files(stack_files(folder), (stack,), folder)[stack]
    file = StackFile.read(path)
    site, findings = examine_file(file, vendor_in(folder))
    if site is None or errors(findings):
        raise Refused(findings)
    return file, site


def read_sites(folder: Path) -> dict[str, tuple[StackFile, Site]]:
    """Return every customer's file and site, by stack.

    Raises Refused, with every finding of every file, where any of them has an error.
    """
    report = check_folder(folder)
    if errors(report.findings):
        raise Refused(report.findings)
    return report.sites


def check_folder(folder: Path, stacks: tuple[str, ...] = (), *, proposed: Iterable[StackFile] = ()) -> Report:
    """Examine every file of a folder, each in itself and all together; report on `stacks` (empty: on all).

    `proposed` are files that are not written yet. Raises Refused where Pulumi.yaml is wrong, UnknownSiteError where
    a stack, or every customer, has no file.
    """
    vendor = vendor_in(folder)
    files: dict[str, Path | StackFile] = {**stack_files(folder), **{one.stack: one for one in proposed}}
    if not files:
        raise UnknownSiteError(f"there is no Pulumi.<stack>.yaml in {folder.resolve()}: xgen new makes one")
    chosen = chosen_files(files, stacks, folder) if stacks else files
    sites: dict[str, tuple[StackFile, Site]] = {}
    findings: list[Finding] = []
    for stack, known in files.items():
        try:
            file, site, found = _examined(known, vendor)
        except Refused as refused:
            findings += refused.findings
            continue
        findings += found
        if site is not None:
            sites[stack] = (file, site)
    findings += across(tuple(sites.values()))
    names = {one.name if isinstance(one, StackFile) else str(one) for one in chosen.values()}
    shown = sorted(finding for finding in findings if finding.file in names)
    wrong = {finding.file for finding in errors(findings)}
    right = {stack: pair for stack, pair in sites.items() if pair[0].name not in wrong}
    return Report(len(chosen), right, tuple(shown))


def _examined(known: Path | StackFile, vendor: Any) -> tuple[StackFile, Site | None, list[Finding]]:
    if isinstance(known, StackFile):
        return (known, *examine_file(known, vendor))
    return examine_path(known, vendor)


def examine_path(path: Path, vendor: Any) -> tuple[StackFile, Site | None, list[Finding]]:
    """Return a customer's file, its site where the models take it, and every finding; reads right files fast.

    Raises Refused where the file is not one YAML mapping.
    """
    file = StackFile.read(path, quick=True)
    site, found = examine_file(file, vendor)
    if found and file.exact is not file:
        file = file.exact
        site, found = examine_file(file, vendor)
    return file, site, found


def chosen_files(files: dict[str, Known], stacks: tuple[str, ...], folder: Path) -> dict[str, Known]:
    """Return the files of some stacks; raises UnknownSiteError, with the nearest name, where one has none."""
    for stack in stacks:
        if stack not in files:
            close = get_close_matches(stack, files, 1)
            mend = (
                f"did you mean '{close[0]}'?"
                if close
                else f"the stacks here are: {', '.join(files) or 'none'}"
            )
            raise UnknownSiteError(f"there is no {folder / f'Pulumi.{stack}.yaml'}: {mend}")
    return {stack: files[stack] for stack in stacks}
