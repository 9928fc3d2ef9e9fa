"""Which physical names are made of a site: found out by making them, so that a new one is known by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
from audit.sites import WHOLE
from moto import mock_aws

from xgen_infra import naming
from xgen_infra.bootstrap import Bootstrap
from xgen_infra.bootstrap.deploy import Registered
from xgen_infra.site import Site

from .recording import Recording
from .sites import built, site


class Part(NamedTuple):
    """A name of a kind of thing: the part that it ends with, and how long it may be."""

    kind: str
    part: str
    limit: int


@cache
def parts() -> frozenset[Part]:
    """Return what the program and the bootstrap name by `naming.aws`, by the type of what bears the name."""
    made: dict[str, set[tuple[str, int]]] = {}
    real = naming.aws

    def noted(of: Site, part: str = "", limit: int = 64) -> str:
        name = real(of, part, limit)
        made.setdefault(name, set()).add((part, limit))
        return name

    with patch.object(naming, "aws", noted):
        recording = built(WHOLE)
        named = [*_of_the_program(recording), *_of_the_bootstrap(recording)]
    found = {
        Part(kind, *one)
        for kind, text in named
        for name in made
        if text in _forms(name)
        for one in made[name]
    }
    missing = {one for several in made.values() for one in several} - {
        (part, limit) for _, part, limit in found
    }
    assert not missing, f"made, and nothing bears it: {missing}"
    return frozenset(found)


def _forms(name: str) -> tuple[str, ...]:
    """Return how a thing may bear a name: as it is, below a service's prefix, or before the account's number."""
    return name, f"alias/{name}", f"{name}-{site().eks.account}"


def _of_the_program(recording: Recording) -> Iterator[tuple[str, str]]:
    for one in recording.resources:
        for value in one.inputs.values():
            if isinstance(value, str):
                yield one.type, value


def _of_the_bootstrap(recording: Recording) -> Iterator[tuple[str, str]]:
    bare = site(WHOLE)
    assert bare.eks
    resources = [
        Registered(one.type, one.inputs)
        for one in recording.resources
        if one.type.startswith(("aws:", "eks:"))
    ]
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        runner = f"arn:aws:iam::{bare.eks.account}:user/runner"
        Bootstrap(bare, bare.eks, runner, resources).run()
        iam, s3, kms = (boto3.client(name, region_name=bare.eks.region) for name in ("iam", "s3", "kms"))
        listed: dict[str, Any] = {
            "aws:iam/role:Role": [one["RoleName"] for one in iam.list_roles()["Roles"]],
            "aws:iam/policy:Policy": [
                one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]
            ],
            "aws:s3/bucket:Bucket": [one["Name"] for one in s3.list_buckets()["Buckets"]],
            "aws:kms/alias:Alias": [one["AliasName"] for one in kms.list_aliases()["Aliases"]],
        }
    yield from ((kind, name) for kind, names in listed.items() for name in names)
