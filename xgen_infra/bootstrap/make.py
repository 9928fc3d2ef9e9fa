"""Makes the state backend, the key of its secrets, and the runners' roles; what is there is brought to the same form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra import naming
from xgen_infra.aws.policies import Document, Place, bucket_tls_only
from xgen_infra.bootstrap import documents
from xgen_infra.bootstrap.documents import Oidc
from xgen_infra.site import EksCluster, Site

_READ_ONLY = "ReadOnlyAccess"
_DEPLOY = "AdministratorAccess"
Runner = Oidc | str
"""Who runs pipelines: jobs of a GitLab project, or the ARN of a principal."""


class BootstrapError(Exception):
    """AWS refused, or another account answers; the message says what to do."""


@dataclass(frozen=True)
class Made:
    """What the bootstrap made or found, and the commands that use it."""

    bucket: str
    region: str
    key_alias: str
    deploy_role: str
    preview_role: str
    stack: str

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands for the first `up`, in order."""
        secrets = f"awskms://{self.key_alias}?region={self.region}"
        return (
            f"pulumi login 's3://{self.bucket}?region={self.region}'",
            f"pulumi stack init {self.stack} --secrets-provider '{secrets}'",
            f"pulumi stack change-secrets-provider '{secrets}' --stack {self.stack}",
        )


@dataclass(frozen=True)
class Bootstrap:
    """The bootstrap of one site on EKS; AWS is reached with the caller's own credentials.

    `endpoint` is another address of AWS, for a rehearsal. `tell` receives a line for each part.
    """

    site: Site
    eks: EksCluster
    runner: Runner
    endpoint: str | None = None
    tell: Callable[[str], None] = lambda _line: None

    def run(self) -> Made:
        """Make what is missing; run again, it changes nothing. Raises BootstrapError."""
        try:
            self._right_account()
            alias = f"alias/{naming.aws(self.site, 'state')}"
            key = self._key(alias)
            bucket = self._bucket(key)
            self._provider()
            deploy = self._role("deploy", _DEPLOY, documents.state(self._place, bucket, key))
            looks = documents.state_preview(self._place, bucket, key, naming.bucket(self.site))
            preview = self._role("preview", _READ_ONLY, looks)
        except (ClientError, BotoCoreError) as error:
            raise BootstrapError(f"{self.site.stack}: {error}. What was made stays; run this again") from None
        return Made(bucket, self.eks.region, alias, deploy, preview, self.site.stack)

    @property
    def _place(self) -> Place:
        return Place(naming.partition(self.eks.region), self.eks.region, self.eks.account)

    def _client(self, service: str) -> Any:
        return boto3.client(service, region_name=self.eks.region, endpoint_url=self.endpoint)

    def _right_account(self) -> None:
        found = self._client("sts").get_caller_identity()["Account"]
        if found != self.eks.account:
            raise BootstrapError(
                f"{self.site.stack}: AWS answers for account {found}, the file says {self.eks.account}: "
                "use credentials of that account"
            )

    def _key(self, alias: str) -> str:
        kms = self._client("kms")
        try:
            arn = str(kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"])
        except kms.exceptions.NotFoundException:
            made = kms.create_key(
                Description=f"{alias}: secrets in the state of {self.site.stack}",
                Tags=[{"TagKey": key, "TagValue": value} for key, value in self._tags.items()],
            )
            arn = str(made["KeyMetadata"]["Arn"])
            kms.create_alias(AliasName=alias, TargetKeyId=arn)
        kms.enable_key_rotation(KeyId=arn)
        self.tell(f"key: {alias}, rotated every year")
        return arn

    def _bucket(self, key: str) -> str:
        s3, name = self._client("s3"), naming.state_bucket(self.site, self.eks.account)
        place = {"LocationConstraint": self.eks.region}
        where = {} if self.eks.region == "us-east-1" else {"CreateBucketConfiguration": place}
        if name not in {found["Name"] for found in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **where)
        owner = {"Bucket": name, "ExpectedBucketOwner": self.eks.account}
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(**owner, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
        s3.put_bucket_versioning(**owner, VersioningConfiguration={"Status": "Enabled"})
        sealed = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rule = {"ApplyServerSideEncryptionByDefault": sealed, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(**owner, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_policy(**owner, Policy=json.dumps(bucket_tls_only(self._place, name)))
        tags = [{"Key": key, "Value": value} for key, value in self._tags.items()]
        s3.put_bucket_tagging(**owner, Tagging={"TagSet": tags})
        self.tell(f"bucket: {name}, versioned, encrypted, closed to the public, TLS only")
        return name

    def _provider(self) -> None:
        if isinstance(self.runner, str):
            return
        iam, arn = self._client("iam"), self._place.iam(f"oidc-provider/{self.runner.host}")
        there = {found["Arn"] for found in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]}
        if arn not in there:
            url = f"https://{self.runner.host}"
            iam.create_open_id_connect_provider(Url=url, ClientIDList=[url], ThumbprintList=["0" * 40])
        self.tell(f"issuer: {self.runner.host}")

    def _role(self, part: str, managed: str, keeps: Document) -> str:
        iam, name = self._client("iam"), naming.aws(self.site, part)
        trust = json.dumps(self._trust(part))
        try:
            arn = str(iam.get_role(RoleName=name)["Role"]["Arn"])
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        except iam.exceptions.NoSuchEntityException:
            tags = [{"Key": key, "Value": value} for key, value in self._tags.items()]
            arn = str(
                iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)["Role"]["Arn"]
            )
        iam.put_role_policy(RoleName=name, PolicyName="state", PolicyDocument=json.dumps(keeps))
        iam.attach_role_policy(RoleName=name, PolicyArn=self._place.managed(managed))
        self.tell(f"role: {arn} ({managed}, and the state)")
        return arn

    def _trust(self, part: str) -> Document:
        if isinstance(self.runner, str):
            return documents.trust_account(self.runner)
        return documents.trust_gitlab(self._place, self.runner, any_branch=part == "preview")

    @property
    def _tags(self) -> dict[str, str]:
        return {**naming.tags(self.site), "managed-by": "xgen-bootstrap"}
