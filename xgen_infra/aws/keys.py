"""Keys: the site's own KMS key, and the application's IAM user with access keys in generations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from xgen_infra.aws import policies


class EncryptionKey(pulumi.ComponentResource):
    """A KMS key, rotated every year, for Kubernetes Secrets (envelope) and for the site's log groups."""

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        alias: str,
        place: policies.Place,
        log_groups: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the key; `alias` goes without its prefix, `log_groups` are the groups that may use it."""
        super().__init__("xgen:aws:EncryptionKey", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        encryption = aws.kms.Key(
            f"{name}-key",
            description=f"{alias}: Kubernetes Secrets and logs",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=policies.text(policies.encryption_key(place, log_groups)),
            tags={"Name": alias},
            opts=child,
        )
        aws.kms.Alias(f"{name}-alias", name=f"alias/{alias}", target_key_id=encryption.key_id, opts=child)
        self.arn = encryption.arn
        self.register_outputs({"arn": self.arn})


@dataclass(frozen=True)
class Generations:
    """Which access keys exist: the one that pods get, older ones still active, older ones switched off."""

    current: int
    previous: Sequence[int] = ()
    retired: Sequence[int] = ()


class AccessKeys(pulumi.ComponentResource):
    """An IAM user bounded to the document bucket. `access_key` and `secret_key` are the current generation's.

    The MinIO SDK of the application takes an access key and a secret; it knows no role.
    """

    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]
    ids: dict[str, pulumi.Output[str]]
    """Access key ids by generation."""

    def __init__(
        self,
        name: str,
        user_name: str,
        place: policies.Place,
        bucket: str,
        generations: Generations,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the user and one key per generation; `bucket` is the bucket's name."""
        super().__init__("xgen:aws:AccessKeys", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        user = aws.iam.User(f"{name}-user", name=user_name, permissions_boundary=place.boundary, opts=child)
        allowed = aws.iam.UserPolicy(
            f"{name}-bucket",
            name="documents",
            user=user.name,
            policy=policies.text(policies.documents_user(place, bucket)),
            opts=child,
        )
        made = {
            generation: aws.iam.AccessKey(
                f"{name}-generation-{generation}",
                user=user.name,
                status="Inactive" if generation in generations.retired else "Active",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
            )
            for generation in sorted({generations.current, *generations.previous, *generations.retired})
        }
        current = made[generations.current]
        self.access_key = current.id
        self.secret_key = pulumi.Output.secret(current.secret)
        self.ids = {str(generation): made_key.id for generation, made_key in made.items()}
        self.register_outputs({"userName": user.name})
