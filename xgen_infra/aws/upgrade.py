"""Kubernetes upgrades of a control plane: one minor at a time, never back. Imports no Pulumi."""

from __future__ import annotations


def minor(version: str) -> int:
    """Return the minor of a Kubernetes version such as "1.34"."""
    return int(version.partition(".")[2])


def step(running: str | None, wanted: str) -> str:
    """Return the version to ask EKS for; `running` is what the cluster has, None before there is one.

    Raises ValueError for a step that EKS refuses (Amazon EKS User Guide, "Update existing cluster to new
    Kubernetes version"): over a minor, or back.
    """
    if running is None:
        return wanted
    if minor(wanted) > minor(running) + 1:
        raise ValueError(
            f"cluster.version {wanted}: the cluster runs {running}, and EKS goes up one minor at a time. "
            f"Write 1.{minor(running) + 1} first, and {wanted} when every node runs that"
        )
    if minor(wanted) < minor(running):
        raise ValueError(
            f"cluster.version {wanted}: the cluster runs {running}, and EKS never goes back. Write {running}"
        )
    return wanted
