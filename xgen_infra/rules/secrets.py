"""The file's `secure:` keys against what the site uses."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra.findings import Finding
from xgen_infra.secrets_catalog import BY_KEY, SECRETS
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile


def secrets_fit(file: StackFile, site: Site) -> Iterator[Finding]:
    """Yield a finding for each secret that the site needs and the file lacks, and for each that it never uses."""
    for secret in SECRETS:
        if secret.needed_when(site) and secret.config_key not in file.config:
            yield file.finding(
                ("config",),
                f"no {secret.config_key}",
                expected=f"the {secret.purpose}",
                mend=f"run: {secret.command}",
                rule="secrets",
            )
    for key in file.config:
        unused = BY_KEY.get(key)
        if unused and not unused.needed_when(site):
            yield file.finding(
                ("config", key),
                "a secret that this site does not use",
                mend=f"remove it (needed by {unused.where})",
                severity="warning",
                rule="secrets",
            )
