"""The outputs of a customer's stack as `pulumi stack output --json` prints them, from a run of the program itself.

Run as `PYTHONPATH=tests python -m runbook.recording FOLDER` it writes them for the samples, for the browser's tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pulumi
import yaml
from aws.recording import record
from aws.sites import ANSWERS, merged
from pydantic.alias_generators import to_camel

from xgen_infra import stack
from xgen_infra.explain.recording import canaries
from xgen_infra.folder import vendor_in
from xgen_infra.outputs import Outputs
from xgen_infra.site import Site, with_defaults

ROOT = Path(__file__).parents[2]
HIDDEN = "[secret]"
_MORE: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "kubernetes:helm.sh/v3:Release": lambda _inputs: {"status": {"status": "deployed"}},
}


def recorded(
    name: str, changes: Mapping[str, Any] | None = None, *, show_secrets: bool = False
) -> dict[str, Any]:
    """Return the outputs of a sample's stack, of which some fields of the file are changed."""
    raw = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]["xgen-infra:site"]
    site = Site.model_validate(with_defaults(merged(raw, changes or {}), name, vendor_in(ROOT)))
    return outputs_of(site, show_secrets=show_secrets)


def outputs_of(site: Site, *, show_secrets: bool = False) -> dict[str, Any]:
    """Return the outputs of a site's stack."""

    def program() -> dict[str, Any]:
        made: Outputs = stack.build(site, canaries())
        return {to_camel(part.name): _plain(getattr(made, part.name)) for part in fields(made)}

    found = record(program, ANSWERS | _MORE).result
    return {key: _shown(value, show_secrets=show_secrets) for key, value in found.items()}


def _plain(value: Any) -> pulumi.Output[Any]:
    """Return an output of (value, whether it is secret)."""
    output = pulumi.Output.from_input(value)
    secret = pulumi.Output.from_input(output.is_secret())
    return pulumi.Output.all(pulumi.Output.unsecret(output), secret)


def _shown(pair: list[Any], *, show_secrets: bool) -> Any:
    value, secret = pair
    if secret and not show_secrets:
        return HIDDEN
    return value


LABEL = "a-name-as-long-as-a-label-of-a-host-may-be-by-the-rules-of-dns0"
LONG: dict[str, Any] = {
    "project": LABEL,
    "namespace": LABEL,
    "exposure": {"domain": f"{LABEL}.{LABEL}.customer.example"},
    "source": {"repoURL": f"https://gitlab.{LABEL}.example/{LABEL}/{LABEL}.git", "targetRevision": LABEL},
    "registry": {"host": f"{LABEL}.example:5000"},
    "infra": {"postgres": {"host": f"{LABEL}.example"}, "redis": {"host": f"{LABEL}.example"}},
}


def main(folder: Path) -> None:
    """Write the outputs of the samples, and of one whose names are as long as they may be."""
    for file, name, changes in (("aww", "aww", {}), ("lotteimall", "lotteimall", {}), ("long", "aww", LONG)):
        (folder / f"{file}.json").write_text(json.dumps(recorded(name, changes)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
