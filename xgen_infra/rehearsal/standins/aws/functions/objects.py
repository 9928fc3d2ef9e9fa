"""Functions that look up a role, a key's alias, a bucket, a repository."""

from __future__ import annotations

from typing import Any

from xgen_infra.rehearsal.standins.aws.ecr import Repository
from xgen_infra.rehearsal.standins.aws.iam.roles import Role
from xgen_infra.rehearsal.standins.aws.kind import Kind, Ref
from xgen_infra.rehearsal.standins.aws.kms import Alias
from xgen_infra.rehearsal.standins.aws.s3.bucket import Bucket
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError
from xgen_infra.rehearsal.standins.contract import Props


def get_role(aws: Aws, arguments: Props) -> Props:
    """Find a role by name. Raises AwsError."""
    return _read(Role(), aws, arguments["name"])


def get_alias(aws: Aws, arguments: Props) -> Props:
    """Find a KMS alias by name. Raises AwsError."""
    return _read(Alias(), aws, arguments["name"])


def get_bucket(aws: Aws, arguments: Props) -> Props:
    """Find a bucket by name. Raises AwsError."""
    return _read(Bucket(), aws, arguments["bucket"])


def get_repository(aws: Aws, arguments: Props) -> Props:
    """Find an ECR repository by name. Raises AwsError."""
    return _read(Repository(), aws, arguments["name"])


def _read(kind: Kind, aws: Aws, name: Any) -> Props:
    live = kind.read(Ref(aws, str(name), {}))
    if live is None:
        raise AwsError(
            "NotFound", f"no {kind.type_name.rpartition(':')[2]} is called {name} in {aws.account}"
        )
    tags = live.pop("tagsAll", {})
    return {**live, "id": str(name), "tags": tags}
