"""What the EC2 types share: tags, lookups, names of flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgen_infra.rehearsal.standins.aws.kind import Job, Ref, found
from xgen_infra.rehearsal.standins.aws.session import Aws, Tags
from xgen_infra.rehearsal.standins.contract import Props


def tagged(job: Job, resource: str) -> dict[str, Any]:
    """Give the TagSpecifications argument of a create call; nothing when there are no tags."""
    if not job.tags:
        return {}
    return {"TagSpecifications": [{"ResourceType": resource, "Tags": pairs(job.tags)}]}


def pairs(tags: Tags) -> list[dict[str, str]]:
    """Give tags as EC2, KMS and IAM take them."""
    return [{"Key": k, "Value": v} for k, v in sorted(tags.items())]


def tags_of(item: Props) -> Tags:
    """Give the tags of a described item."""
    return {t["Key"]: t["Value"] for t in item.get("Tags") or item.get("TagSet") or []}


def retag(job: Job, ref: Ref) -> None:
    """Bring an item's tags to the job's."""
    had: Tags = ref.known.get("tagsAll") or {}
    gone = [{"Key": key} for key in had if key not in job.tags]
    new = {k: v for k, v in job.tags.items() if had.get(k) != v}
    if gone:
        job.aws.client("ec2").delete_tags(Resources=[ref.id], Tags=gone)
    if new:
        job.aws.client("ec2").create_tags(Resources=[ref.id], Tags=pairs(new))


def described(aws: Aws, operation: str, answer: str, **arguments: Any) -> Props | None:
    """Give the one item that a describe call answers with, or None."""
    got = found(getattr(aws.client("ec2"), operation), **arguments)
    items = (got or {}).get(answer) or []
    return dict(items[0]) if items else None


def filtered(
    aws: Aws, operation: str, answer: str, filters: Mapping[str, str | list[str]] | None = None
) -> list[Props]:
    """Give the items that a describe call finds by EC2's filters, such as {"vpc-id": "vpc-1"}."""
    named = [
        {"Name": name, "Values": value if isinstance(value, list) else [value]}
        for name, value in (filters or {}).items()
    ]
    return [dict(item) for item in getattr(aws.client("ec2"), operation)(Filters=named)[answer]]
