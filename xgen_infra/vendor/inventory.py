"""Every site of a folder as build targets. One customer's broken file stops no other customer's build."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from xgen_infra.findings import Finding, Refused, errors
from xgen_infra.folder import UnknownSiteError, examine_path, stack_files, vendor_in
from xgen_infra.site import NexusRegistry, Vendor
from xgen_infra.vendor.targets import Pair, Target, branch_of, by_site, contradictions, target_of


@dataclass(frozen=True)
class Inventory:
    """The targets of a folder by site; what was refused by the site it would have been, with every reason."""

    vendor: NexusRegistry | None
    targets: dict[str, Target]
    refused: dict[str, tuple[Finding, ...]]
    refused_branches: dict[str, frozenset[str]]
    warnings: tuple[Finding, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """Every reason for which a site is left out."""
        return sorted(finding for findings in self.refused.values() for finding in findings)

    def built_from(self, branch: str) -> list[Target]:
        """Return the targets built from a branch.

        Raises Refused where a file that is wrong names that branch, as far as it can be read.
        """
        wrong = [site for site, branches in self.refused_branches.items() if branch in branches]
        if wrong:
            raise Refused([finding for site in wrong for finding in self.refused[site]])
        return [target for target in self.targets.values() if target.branch == branch]

    def target(self, site: str) -> Target:
        """Return one site's target.

        Raises Refused where its files are wrong, UnknownSiteError where no file has that site.
        """
        if site in self.refused:
            raise Refused(self.refused[site])
        if site not in self.targets:
            known = [*self.targets, *self.refused]
            close = get_close_matches(site, known, 1)
            mend = (
                f"did you mean '{close[0]}'?"
                if close
                else f"the sites are: {', '.join(sorted(known)) or 'none'}"
            )
            raise UnknownSiteError(f"there is no site '{site}': {mend}")
        return self.targets[site]


class _Refused:
    """What was refused so far, by site."""

    def __init__(self) -> None:
        self.findings: dict[str, tuple[Finding, ...]] = {}
        self.branches: dict[str, frozenset[str]] = {}

    def add(self, site: str, branch: str, findings: Iterable[Finding]) -> None:
        self.findings[site] = (*self.findings.get(site, ()), *findings)
        self.branches[site] = self.branches.get(site, frozenset()) | {branch}


def read(folder: Path) -> Inventory:
    """Read every customer's file of a folder; raises Refused where Pulumi.yaml itself is wrong."""
    vendor = vendor_in(folder)
    pairs: list[Pair] = []
    refused = _Refused()
    for stack, path in stack_files(folder).items():
        try:
            file, site, findings = examine_path(path, vendor)
        except Refused as error:
            refused.add(stack, stack, error.findings)
            continue
        if site is None or errors(findings):
            name = _said(file.site, "site", stack)
            refused.add(name, _said(file.site, "branch", name), errors(findings))
        else:
            pairs.append((file, site))
    groups = by_site(pairs)
    for finding in contradictions(groups):
        for site in (one for file, one in pairs if file.name == finding.file):
            refused.add(site.site, branch_of(site), [finding])
    targets = {name: target_of(group) for name, group in groups.items() if name not in refused.findings}
    default = Vendor.model_validate(vendor).registry if vendor is not None else None
    warnings = tuple(_lent_credentials(groups, targets, default))
    return Inventory(default, targets, refused.findings, refused.branches, warnings)


def _said(raw: Any, key: str, otherwise: str) -> str:
    """Return what a refused file says, as far as it can be read."""
    said = raw.get(key, otherwise) if isinstance(raw, dict) else otherwise
    return said if isinstance(said, str) else otherwise


def _lent_credentials(
    groups: dict[str, list[Pair]], targets: dict[str, Target], vendor: NexusRegistry | None
) -> list[Finding]:
    """Return a warning where the vendor's own credential would be sent to a host that is not the vendor's."""
    if vendor is None:
        return []
    found = []
    for name, target in targets.items():
        registry = target.registry
        if registry.credential_id != vendor.credential_id or registry.host == vendor.host:
            continue
        file = groups[name][0][0]
        place = file.where(("registry", "credentialId"))
        found.append(
            Finding(
                file.name,
                place.line,
                place.column,
                "registry.credentialId",
                f"'{registry.credential_id}', the credential of {vendor.host}, for {registry.host}",
                "a credential of its own for a registry of its own",
                f"write the id of the credential for {registry.host}",
                severity="warning",
                rule="lent-credential",
            )
        )
    return found
