"""Makes the state backend, the key of its secrets, and the runners' roles; what is there is brought to the same form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra import naming
from xgen_infra.aws.policies import Document, Place, bucket_tls_only
from xgen_infra.bootstrap import deploy, documents
from xgen_infra.bootstrap.deploy import Ground, Registered
from xgen_infra.bootstrap.documents import Oidc
from xgen_infra.site import EksCluster, Site

_READ_ONLY = "ReadOnlyAccess"
_VERSIONS = 5
"""Versions that IAM keeps of a managed policy (IAM User Guide, "IAM and AWS STS quotas")."""
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
    boundary: str

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

    `resources` are what the program registers for the site: the deploy role may make those. `endpoint` is another address of AWS, for a rehearsal. `tell` receives a line for each part.
    """

    site: Site
    eks: EksCluster
    runner: Runner
    resources: Sequence[Registered]
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
            boundary, policies = self._policies()
            deploy = self._role("deploy", policies, documents.state(self._place, bucket, key))
            looks = documents.state_preview(self._place, bucket, key, naming.bucket(self.site))
            preview = self._role("preview", [self._place.managed(_READ_ONLY)], looks)
        except (ClientError, BotoCoreError) as error:
            raise BootstrapError(f"{self.site.stack}: {error}. What was made stays; run this again") from None
        return Made(bucket, self.eks.region, alias, deploy, preview, self.site.stack, boundary)

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
        s3.put_bucket_tagging(**owner, Tagging={"TagSet": self._tag_list})
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

    def _policies(self) -> tuple[str, list[str]]:
        """Make the boundary and the deploy role's policies; return their ARNs."""
        ground = Ground(self.site, self._place, self.resources)
        boundary = self._policy(naming.aws(self.site, "boundary"), deploy.boundary(ground))
        arns = [
            self._policy(naming.aws(self.site, part), said) for part, said in deploy.documents(ground).items()
        ]
        return boundary, arns

    def _policy(self, name: str, said: Document) -> str:
        """Make a managed policy, or give it a new version where it says something else."""
        iam, arn, text = self._client("iam"), self._place.iam(f"policy/{name}"), json.dumps(said)
        try:
            current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        except iam.exceptions.NoSuchEntityException:
            iam.create_policy(PolicyName=name, PolicyDocument=text, Tags=self._tag_list)
            self.tell(f"policy: {arn}")
            return arn
        if iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"] != said:
            versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
            spare = [one["VersionId"] for one in versions if not one["IsDefaultVersion"]]
            if len(versions) >= _VERSIONS:
                oldest = min(spare, key=lambda version: int(version.removeprefix("v")))
                iam.delete_policy_version(PolicyArn=arn, VersionId=oldest)
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
        self.tell(f"policy: {arn}")
        return arn

    def _role(self, part: str, managed: Sequence[str], keeps: Document) -> str:
        """Make a role with these managed policies and no other, and an inline one for the state."""
        iam, name = self._client("iam"), naming.aws(self.site, part)
        trust = json.dumps(self._trust(part))
        try:
            arn = str(iam.get_role(RoleName=name)["Role"]["Arn"])
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        except iam.exceptions.NoSuchEntityException:
            made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=self._tag_list)
            arn = str(made["Role"]["Arn"])
        iam.put_role_policy(RoleName=name, PolicyName="state", PolicyDocument=json.dumps(keeps))
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        for other in {one["PolicyArn"] for one in attached} - set(managed):
            iam.detach_role_policy(RoleName=name, PolicyArn=other)
        for policy in managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        names = ", ".join(policy.rpartition("/")[2] for policy in managed)
        self.tell(f"role: {arn} ({names}, and the state)")
        return arn

    def _trust(self, part: str) -> Document:
        if isinstance(self.runner, str):
            return documents.trust_account(self.runner)
        return documents.trust_gitlab(self._place, self.runner, any_branch=part == "preview")

    @property
    def _tags(self) -> dict[str, str]:
        return {**naming.tags(self.site), "managed-by": "xgen-bootstrap"}

    @property
    def _tag_list(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self._tags.items()]
