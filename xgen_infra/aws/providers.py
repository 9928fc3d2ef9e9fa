"""Explicit providers of AWS: each is bound to one account and one region, and tags what it makes."""

from __future__ import annotations

import pulumi_aws as aws

from xgen_infra import naming
from xgen_infra.site import Site


def provider(name: str, site: Site, account: str, region: str, role_arn: str | None = None) -> aws.Provider:
    """Make a provider that refuses every account but `account`; with `role_arn` it assumes that role."""
    roles = [aws.ProviderAssumeRoleArgs(role_arn=role_arn, session_name=naming.aws(site))]
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[account],
        assume_roles=roles if role_arn else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=naming.tags(site)),
    )
