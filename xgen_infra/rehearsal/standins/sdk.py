"""The SDK's modules that load when something in them is used: a world in memory loads them while it has nothing to do."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

MODULES = (
    *(f"pulumi_aws.{name}" for name in ("cloudwatch", "ec2", "eks", "iam", "kms", "s3", "vpc")),
    "pulumi_kubernetes.core.v1",
)
"""What a site on EKS uses: its program, and the components of the eks stand-in."""


def load(names: Iterable[str]) -> None:
    """Load modules; raises ImportError."""
    for name in names:
        # Asked for any name, a module that waits to be used loads.
        hasattr(import_module(name), "loaded")
