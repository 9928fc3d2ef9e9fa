"""What the EKS types share: the cluster in question, roles, the store's keys, times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from xgen_infra.rehearsal.standins.aws import checks
from xgen_infra.rehearsal.standins.aws.kind import found
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Failure, Props

CLUSTERS, NODE_GROUPS, ADDONS = "clusters", "nodeGroups", "addons"
ENTRIES, ASSOCIATIONS, IDENTITIES = "accessEntries", "accessPolicyAssociations", "podIdentityAssociations"
OF_CLUSTER = (NODE_GROUPS, ADDONS, ENTRIES, ASSOCIATIONS, IDENTITIES)
NAME = r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}"
_API_MODES = {"API", "API_AND_CONFIG_MAP"}


def name_failures(inputs: Props, key: str) -> Iterator[Failure]:
    """Give what EKS refuses of a cluster's name."""
    rule = "1 to 100 letters, digits, hyphens and underscores, beginning with a letter or digit"
    yield from checks.matches(inputs, key, NAME, rule)


def cluster_of(aws: Aws, name: str) -> Props:
    """Give the cluster as the emulator describes it. Raises AwsError when there is none."""
    got = found(aws.client("eks").describe_cluster, name=name)
    if got is None:
        raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.")
    return dict(got["cluster"])


def is_there(aws: Aws, name: str) -> bool:
    """Whether the cluster exists."""
    return found(aws.client("eks").describe_cluster, name=name) is not None


def mode_of(aws: Aws, name: str) -> str:
    """Give a cluster's authentication mode."""
    kept = aws.store.get(CLUSTERS, name) or {}
    return str((kept.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP"))


def require_access_entries(aws: Aws, name: str) -> None:
    """Refuse as EKS does where the cluster's authentication mode knows no access entries."""
    cluster_of(aws, name)
    if mode_of(aws, name) not in _API_MODES:
        raise AwsError(
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] "
            f"to perform this operation: cluster {name}",
        )


def has_access_entries(aws: Aws, name: str) -> bool:
    """Whether the cluster's authentication mode knows access entries."""
    return mode_of(aws, name) in _API_MODES


def role_of(aws: Aws, arn: str) -> Props | None:
    """Give a role of this account by its ARN; None for another account's, which cannot be looked up.

    Raises AwsError when it is this account's and does not exist.
    """
    fields = arn.split(":")
    if len(fields) < 6 or fields[4] != aws.account:  # noqa: PLR2004 - an ARN has six fields
        return None
    got = found(aws.client("iam").get_role, RoleName=arn.rpartition("/")[2])
    if got is None:
        raise AwsError(
            "InvalidParameterException", f"Role with arn: {arn}, could not be found or does not exist"
        )
    return dict(got["Role"])


def trusts(role: Props, service: str) -> bool:
    """Whether a role's trust policy names a service."""
    statements: Any = role["AssumeRolePolicyDocument"].get("Statement") or []
    for one in statements if isinstance(statements, list) else [statements]:
        principals = (one.get("Principal") or {}).get("Service") or []
        if one.get("Effect") == "Allow" and service in (
            principals if isinstance(principals, list) else [principals]
        ):
            return True
    return False


def ident(text: str) -> str:
    """Give an id that looks like EKS' own and stays the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def now() -> str:
    """Give the time in EKS' form."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
