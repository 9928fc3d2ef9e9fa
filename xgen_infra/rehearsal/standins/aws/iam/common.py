"""What the IAM types share: names, tags, documents. Rules: AWS IAM User Guide, "IAM and AWS STS quotas"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import Job, Ref
from xgen_infra.rehearsal.standins.aws.session import Tags
from xgen_infra.rehearsal.standins.contract import Failure, Props

NAME_LIMIT = 64
POLICY_NAME_LIMIT = 128


def name_failures(inputs: Props, limit: int = NAME_LIMIT) -> Iterator[Failure]:
    """Give what IAM refuses of a name and a path."""
    rule = f"1 to {limit} letters, digits and + = , . @ - _"
    yield from checks.matches(inputs, "name", rf"[\w+=,.@-]{{1,{limit}}}", rule)
    yield from checks.matches(inputs, "path", r"/([!-~]*/)?", "a path begins and ends with a slash")


def text_of(document: Any) -> str:
    """Give a policy document as JSON text; botocore hands most of them over parsed."""
    return document if isinstance(document, str) else json.dumps(document)


def pairs(tags: Tags) -> list[dict[str, str]]:
    """Give tags as IAM takes them."""
    return [{"Key": k, "Value": v} for k, v in sorted(tags.items())]


def tags_of(items: list[dict[str, str]] | None) -> Tags:
    """Give tags as IAM lists them."""
    return {t["Key"]: t["Value"] for t in items or []}


def retag(job: Job, ref: Ref, noun: str, **which: str) -> None:
    """Bring the tags of a role, user, policy, instance profile or OIDC provider to the job's."""
    iam, had = job.aws.client("iam"), ref.known.get("tagsAll") or {}
    gone = [key for key in had if key not in job.tags]
    new = {k: v for k, v in job.tags.items() if had.get(k) != v}
    if gone:
        getattr(iam, f"untag_{noun}")(TagKeys=gone, **which)
    if new:
        getattr(iam, f"tag_{noun}")(Tags=pairs(new), **which)
