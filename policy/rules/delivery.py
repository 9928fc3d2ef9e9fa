"""Rules about data that must stay, and about what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policy.rules.subject import Finding, Resource, Rule, known, many

DATA = frozenset(
    {
        "aws:s3/bucket:Bucket",
        "aws:rds/instance:Instance",
        "aws:rds/cluster:Cluster",
        "aws:efs/fileSystem:FileSystem",
        "aws:ebs/volume:Volume",
        "aws:dynamodb/table:Table",
        "kubernetes:core/v1:PersistentVolume",
        "kubernetes:core/v1:PersistentVolumeClaim",
    }
)
"""Types that hold a customer's data."""
_EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
_CHARTS = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart")


def protected(resource: Resource) -> Iterator[str]:
    """Find what holds data and could be deleted by a change of the program."""
    if resource.type in DATA and not resource.protect:
        yield "it holds data and is not protected: register it with protect=True and retain_on_delete=True"
    if resource.type == "aws:s3/bucket:Bucket" and resource.inputs.get("forceDestroy"):
        yield "forceDestroy would delete the documents with the bucket"
    if resource.type == "kubernetes:apps/v1:StatefulSet":
        policy = (resource.inputs.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}
        if "Delete" in policy.values():
            yield "persistentVolumeClaimRetentionPolicy deletes the volumes with the StatefulSet"


def protected_namespace(resources: Sequence[Resource]) -> Iterator[Finding]:
    """Find a namespace with volumes that goes when the stack goes."""
    holding = {
        (one.inputs.get("metadata") or {}).get("namespace")
        for one in resources
        if one.type == "kubernetes:apps/v1:StatefulSet"
        and many((one.inputs.get("spec") or {}).get("volumeClaimTemplates"))
    }
    for one in resources:
        name = (one.inputs.get("metadata") or {}).get("name")
        if one.type == "kubernetes:core/v1:Namespace" and name in holding and not one.protect:
            yield one, f"the volumes of {name} go with it: register it with protect=True"


def unpinned_chart(resource: Resource) -> Iterator[str]:
    """Find a chart whose version the repository would choose."""
    if resource.type in _CHARTS:
        chart, version = str(resource.inputs.get("chart") or ""), resource.inputs.get("version")
        local = chart.startswith((".", "/"))
        if not local and known(resource.inputs.get("chart")) and not _EXACT.fullmatch(str(version or "")):
            yield f"version {version or '(none)'} of {chart}: pin an exact one in versions.py"
    if resource.type == "kubernetes:argoproj.io/v1alpha1:Application":
        spec = resource.inputs.get("spec") or {}
        for source in [*many(spec.get("source")), *many(spec.get("sources"))]:
            revision = str(source.get("targetRevision") or "")
            if source.get("chart") and not _EXACT.fullmatch(revision):
                yield f"targetRevision {revision or '(none)'} of {source['chart']}: pin an exact version"


DELIVERY = (
    Rule("protected-data", "What holds data cannot be deleted by a change.", protected, protected_namespace),
    Rule("no-unpinned-chart", "Charts are pinned to an exact version.", unpinned_chart),
)
