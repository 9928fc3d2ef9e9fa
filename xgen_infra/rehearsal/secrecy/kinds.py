"""The kinds of places in which a rehearsal looks for secrets: of each it says how many it searched."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind of place, by its name in the report. tests/e2e/test_secrecy.py plants a secret in each."""

    STATE = "state files"
    PLANS = "update plans"
    PREVIEWS_AS_JSON = "previews as JSON"
    PREVIEWS_AS_TEXT = "previews as text"
    PREVIEWS_AS_MARKDOWN = "previews as Markdown"
    ENGINE_LOG = "the engine's log"
    ENGINE_FOLDER = "the engine's own folder"
    XGEN_LOGS = "xgen's logs"
    BUGS = "xgen's logs of bugs"
    SERVER_LOGS = "servers' logs"
    CALLS = "the record of provider calls"
    FILE = "the customer's file"
    FOR_GIT = "chart and values for Git"
    GIT = "Git objects"
    EVENTS = "Kubernetes events"
    CONFIG_MAPS = "ConfigMaps"
    APPLICATIONS = "Applications"
    PROJECTS = "AppProjects"
    OBJECTS = "other Kubernetes objects"
    RELEASES = "Helm's records of releases"
    RUNBOOK = "runbook"
    BUNDLE = "support bundle"
    ARGUMENTS = "process arguments"
    REPORT = "rehearsal report"


OF_ARGO_CD = frozenset({Kind.APPLICATIONS, Kind.PROJECTS, Kind.GIT})
GROWING = (
    Kind.STATE,
    Kind.ENGINE_LOG,
    Kind.XGEN_LOGS,
    Kind.BUGS,
    Kind.SERVER_LOGS,
    Kind.CALLS,
    Kind.ARGUMENTS,
    Kind.REPORT,
)
"""What grows until the end of a rehearsal."""


def expected_kinds(delivery: str, *, releases: bool) -> tuple[Kind, ...]:
    """Return the kinds of which there has to be something, where Helm keeps records of `releases` or not."""
    absent = set(OF_ARGO_CD) if delivery == "helm" else set()
    if delivery != "helm" and not releases:
        absent.add(Kind.RELEASES)
    return tuple(kind for kind in Kind if kind not in absent)
