"""The document bucket: private, encrypted, versioned, over TLS only, and never deleted by this program."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from xgen_infra.aws import policies

ABORT_UPLOADS_DAYS = 7


@dataclass(frozen=True)
class BucketArgs:
    """`name` is global. `adopt` takes over a bucket that exists; `noncurrent_days` keeps deleted documents."""

    name: str
    place: policies.Place
    adopt: bool
    noncurrent_days: int


class Bucket(pulumi.ComponentResource):
    """An S3 bucket with its guards; all of it is protected, and stays in AWS even where it leaves the state."""

    bucket_name: pulumi.Output[str]

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("xgen:aws:Bucket", name, None, opts)
        self._name, self._args = name, args
        self._kept = pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        # An import refuses inputs that differ from what is there; tags follow once `adopt` leaves the file.
        adopted = (
            pulumi.ResourceOptions(import_=args.name, ignore_changes=["tags", "tagsAll", "forceDestroy"])
            if args.adopt
            else pulumi.ResourceOptions()
        )
        self.bucket = aws.s3.Bucket(
            f"{name}-bucket", bucket=args.name, opts=pulumi.ResourceOptions.merge(self._kept, adopted)
        )
        self._guards()
        if not args.adopt:
            self._lifecycle()
        self.bucket_name = self.bucket.bucket
        self.register_outputs({"bucketName": self.bucket_name})

    def _guards(self) -> None:
        name, bucket = self._name, self.bucket.bucket
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._kept,
        )
        private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._kept,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._kept,
        )
        aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._kept,
        )
        # S3 answers a policy and a public access block that are put at the same time with a conflict.
        after = pulumi.ResourceOptions(depends_on=[private])
        aws.s3.BucketPolicy(
            f"{name}-tls",
            bucket=bucket,
            policy=policies.text(policies.bucket_tls_only(self._args.place, self._args.name)),
            opts=pulumi.ResourceOptions.merge(self._kept, after),
        )

    def _lifecycle(self) -> None:
        """Expire old versions and unfinished uploads; an adopted bucket keeps the rules it came with."""
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self.bucket.bucket,
            rules=[
                {
                    "id": "noncurrent",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": self._args.noncurrent_days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_UPLOADS_DAYS},
                }
            ],
            opts=self._kept,
        )
