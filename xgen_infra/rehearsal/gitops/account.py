"""What of delivery by Argo CD is real in a rehearsal, and what is not."""

from __future__ import annotations

from xgen_infra import versions
from xgen_infra.rehearsal.gitops.start import POLL_SECONDS
from xgen_infra.rehearsal.tools import Tool, pinned
from xgen_infra.site import Site


def real(site: Site) -> list[str]:
    """Return what is real."""
    if site.delivery != "argocd":
        return []
    programs = f"Argo CD's application controller and repo-server ({pinned(Tool.ARGOCD)})"
    return [
        f"{programs}, with the permissions that the stack installs",
        f"Git at {site.source.repo_url}, with the stack's own user name and password",
    ]


def simulated(site: Site) -> list[str]:
    """Return what is not."""
    if site.delivery != "argocd":
        return []
    told = [
        "the way to the customer's Git: its name leads to this machine, its certificate is by an authority made here",
        f"Argo CD looks for commits every {POLL_SECONDS} s; the customer's file says {site.source.poll_seconds} s",
        "Argo CD's server (its user interface) does not run; its cache is Valkey",
    ]
    if pinned(Tool.ARGOCD) != versions.ARGO_CD_IMAGE.tag:
        told.append(
            f"Argo CD {pinned(Tool.ARGOCD)} runs where the chart installs {versions.ARGO_CD_IMAGE.tag}: no chart for "
            "the one, no Go module for the other"
        )
    return told
