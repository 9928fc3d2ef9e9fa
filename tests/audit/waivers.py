"""Findings, and which of them are meant to be so (waivers.yaml)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

WAIVERS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "waivers.yaml").read_text())
Finding = tuple[str, str, str]
"""The check, the resource or document, and what was said."""


def failed(report: dict[str, Any]) -> list[Finding]:
    """Return the findings of a report of checkov."""
    return [
        (found["check_id"], found["resource"], found["check_name"])
        for found in report["results"]["failed_checks"]
    ]


def waives(waiver: dict[str, str], check: str, resource: str) -> bool:
    """Say whether a waiver is about this check on this resource."""
    return waiver["check"] == check and fnmatchcase(resource, waiver["resource"])


def unwaived(findings: list[Finding]) -> list[Finding]:
    """Return the findings that no waiver is about."""
    return [found for found in findings if not any(waives(one, *found[:2]) for one in WAIVERS)]
