"""Names and versions that the models cannot judge alone, because they follow from several fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from xgen_infra import naming, versions
from xgen_infra.rules.violation import Violation
from xgen_infra.site import EcrRegistry, Site
from xgen_infra.site.base import BucketName, Matching

_BUCKET = next(part for part in get_args(BucketName) if isinstance(part, Matching))


def bucket_has_a_valid_name(site: Site) -> Iterator[Violation]:
    """Yield a default bucket name that S3 refuses; a name of the file was judged before."""
    name = naming.bucket(site)
    if not _BUCKET.fits(name):
        found = f"'{name}', which follows from the project and the stack's name"
        yield Violation(
            ("cluster", "bucket", "name"),
            found,
            _BUCKET.expected,
            "write cluster.bucket.name",
            also=(("project",),),
        )


def kubernetes_has_pins(site: Site) -> Iterator[Violation]:
    """Yield a Kubernetes minor on EKS for which this program pins no add-ons."""
    if site.eks and not site.eks.existing_cluster and site.eks.version not in versions.EKS:
        known = ", ".join(f"'{minor}'" for minor in versions.EKS)
        yield Violation(("cluster", "version"), f"'{site.eks.version}'", f"one of {known}")


def ecr_has_a_home(site: Site) -> Iterator[Violation]:
    """Yield the account and region that an ECR registry of a site outside AWS must name."""
    registry = site.registry
    if isinstance(registry, EcrRegistry) and site.k3s:
        for key in ("account", "region"):
            if getattr(registry, key) is None:
                mend = "a K3s site has none of its own"
                yield Violation(("registry", key), "nothing", f"the {key} of the repositories", mend)


def folders_stay_inside(site: Site) -> Iterator[Violation]:
    """Yield a source.path that leaves the repository."""
    path = site.source.path
    if path.startswith("/") or ".." in path.split("/") or not re.fullmatch(r"[\w./-]+", path):
        expected = "a folder of the repository, such as '.' or 'deploy/aww'"
        yield Violation(("source", "path"), f"'{path}'", expected)
