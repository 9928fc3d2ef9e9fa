"""The IAM documents of the bootstrap: who may keep state, who may deploy, who may only look."""

from __future__ import annotations

from dataclasses import dataclass

from xgen_infra.aws.policies import Document, Place, Statement, document


@dataclass(frozen=True)
class Oidc:
    """A GitLab whose issuer AWS can reach: `host` without a scheme, `project` as group/project."""

    host: str
    project: str
    branch: str


def trust_account(principal: str) -> Document:
    """Let one principal assume the role: the runner's own, whose key is a protected variable of the pipeline."""
    return document(Statement("Runner", ["sts:AssumeRole"], principal={"AWS": principal}))


def trust_gitlab(place: Place, oidc: Oidc, *, any_branch: bool) -> Document:
    """Let jobs of one GitLab project assume the role; of one branch alone, unless `any_branch`.

    Source: GitLab documentation, "Configure OpenID Connect in AWS to retrieve temporary credentials".
    """
    subject = f"project_path:{oidc.project}:ref_type:branch:ref:{'*' if any_branch else oidc.branch}"
    return document(
        Statement(
            "GitLab",
            ["sts:AssumeRoleWithWebIdentity"],
            principal={"Federated": place.iam(f"oidc-provider/{oidc.host}")},
            conditions={
                "StringEquals": {f"{oidc.host}:aud": f"https://{oidc.host}"},
                "StringLike": {f"{oidc.host}:sub": subject},
            },
        )
    )


def state(place: Place, bucket: str, key_arn: str) -> Document:
    """Let a runner keep the engine's state and open its secrets.

    A preview writes as well: it takes the stack's lock (Pulumi documentation, "State and backends").
    """
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    return document(
        Statement("FindState", ["s3:ListBucket", "s3:GetBucketLocation"], [place.bucket(bucket)]),
        Statement("KeepState", objects, [f"{place.bucket(bucket)}/*"]),
        Statement("OpenSecrets", ["kms:Decrypt", "kms:Encrypt", "kms:DescribeKey"], [key_arn]),
    )


def state_preview(place: Place, bucket: str, key_arn: str, private: str) -> Document:
    """Let a runner read the engine's state, take and leave locks, and open secrets; nothing else is written.

    `private` is the bucket of the customer's documents: AWS' ReadOnlyAccess would show what is in it.
    """
    return document(
        Statement("FindState", ["s3:ListBucket", "s3:GetBucketLocation"], [place.bucket(bucket)]),
        Statement("ReadState", ["s3:GetObject"], [f"{place.bucket(bucket)}/*"]),
        Statement(
            "TakeLocks",
            ["s3:PutObject", "s3:DeleteObject"],
            [f"{place.bucket(bucket)}/.pulumi/locks/*"],
        ),
        Statement("OpenSecrets", ["kms:Decrypt", "kms:DescribeKey"], [key_arn]),
        Statement("NoDocuments", ["s3:GetObject*"], [f"{place.bucket(private)}/*"], effect="Deny"),
    )
