"""The provider's names and S3's names of the same nested things."""

from __future__ import annotations

from typing import Any

from xgen_infra.rehearsal.standins.contract import Props

_SPELLING = {
    "id": "ID",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "objectSizeGreaterThan": "ObjectSizeGreaterThan",
}
_BACK = {v: k for k, v in _SPELLING.items()}


def to_s3(value: Any) -> Any:
    """Give a nested value in S3's names; absent and empty ones are left out."""
    if isinstance(value, dict):
        return {_SPELLING.get(k, k[:1].upper() + k[1:]): to_s3(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [to_s3(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def from_s3(value: Any) -> Any:
    """Give a nested value in the provider's names."""
    if isinstance(value, dict):
        return {_BACK.get(k, k[:1].lower() + k[1:]): from_s3(v) for k, v in value.items()}
    return [from_s3(v) for v in value] if isinstance(value, list) else value


def lifecycle_to_s3(rule: Props) -> Props:
    """Give a lifecycle rule as S3 takes it: tags are pairs there, and a filter has to be given."""
    made: Props = to_s3({k: v for k, v in rule.items() if k != "filter"})
    filtered = rule.get("filter") or {}
    both = filtered.get("and")
    made["Filter"] = to_s3({k: v for k, v in filtered.items() if k != "and"})
    if both:
        tags = [{"Key": k, "Value": v} for k, v in sorted((both.get("tags") or {}).items())]
        made["Filter"]["And"] = {**to_s3({k: v for k, v in both.items() if k != "tags"}), "Tags": tags}
    if not made["Filter"] and "Prefix" not in made:
        made["Filter"] = {"Prefix": ""}
    return made


def lifecycle_from_s3(rule: Props) -> Props:
    """Give a lifecycle rule in the provider's names."""
    made: Props = from_s3({k: v for k, v in rule.items() if k != "Filter"})
    filtered = dict(rule.get("Filter") or {})
    both = filtered.pop("And", None)
    made["filter"] = from_s3(filtered)
    if both:
        tags = {t["Key"]: t["Value"] for t in both.get("Tags") or []}
        made["filter"]["and"] = {**from_s3({k: v for k, v in both.items() if k != "Tags"}), "tags": tags}
    return made


def same_lifecycle(asked: list[Props], live: list[Props]) -> bool:
    """Whether S3 holds the rules asked for: it may tell more of each, in another order."""
    held = {str(rule.get("ID")): rule for rule in live}
    return len(asked) == len(live) and all(_within(rule, held.get(str(rule.get("ID")))) for rule in asked)


def _within(asked: Any, live: Any) -> bool:
    if isinstance(asked, dict):
        return isinstance(live, dict) and all(_within(v, live.get(k)) for k, v in asked.items())
    if isinstance(asked, list):
        return isinstance(live, list) and len(asked) == len(live) and all(map(_within, asked, live))
    return str(asked) == str("" if live is None else live)
