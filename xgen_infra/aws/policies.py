"""IAM documents as data: plain functions from names to documents. Imports no Pulumi."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

VERSION = "2012-10-17"
"""The policy language's version (IAM User Guide, "IAM JSON policy elements: Version")."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where ARNs of a site are, and the policy that bounds its roles and users (None: nothing does)."""

    partition: str
    region: str
    account: str
    boundary: str | None = None

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a regional resource."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        """Return the ARN of an IAM resource of the account."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def managed(self, policy: str) -> str:
        """Return the ARN of a policy that AWS manages."""
        return f"arn:{self.partition}:iam::aws:policy/{policy}"

    def bucket(self, name: str) -> str:
        """Return the ARN of a bucket."""
        return f"arn:{self.partition}:s3:::{name}"


@dataclass(frozen=True)
class Statement:
    """One statement. `resources` is empty in a trust policy, `principal` in an identity's policy."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    principal: Mapping[str, str] | str | None = None
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"

    def data(self) -> Document:
        """Return the statement as IAM reads it."""
        optional: Document = {}
        if self.principal is not None:
            optional["Principal"] = self.principal if isinstance(self.principal, str) else {**self.principal}
        if self.resources:
            optional["Resource"] = sorted(self.resources)
        if self.conditions:
            optional["Condition"] = {operator: {**keys} for operator, keys in self.conditions.items()}
        return {"Sid": self.sid, "Effect": self.effect, "Action": sorted(self.actions), **optional}


def document(*statements: Statement) -> Document:
    """Return a policy document."""
    return {"Version": VERSION, "Statement": [statement.data() for statement in statements]}


def text(policy: Document) -> str:
    """Return a document as AWS takes it."""
    return json.dumps(policy)


def trust_service(service: str, *, tag_session: bool = False, account: str | None = None) -> Document:
    """Let an AWS service assume a role, for one account's resources where the service says whose they are.

    EKS also tags the session (Amazon EKS User Guide, "Amazon EKS cluster IAM role"); flow logs name the
    account (Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs").
    """
    actions = ["sts:AssumeRole", "sts:TagSession"] if tag_session else ["sts:AssumeRole"]
    conditions = {"StringEquals": {"aws:SourceAccount": account}} if account else {}
    return document(Statement("Service", actions, principal={"Service": service}, conditions=conditions))


def trust_pods(cluster_arn: str, namespace: str, service_account: str) -> Document:
    """Let EKS Pod Identity assume a role for one service account of one cluster.

    EKS itself puts these tags on the request (Amazon EKS User Guide, "Create IAM role with trust policy
    required by EKS Pod Identity"), so no other workload gets this role, even if someone associates it.
    """
    return document(
        Statement(
            "PodIdentity",
            ["sts:AssumeRole", "sts:TagSession"],
            principal={"Service": "pods.eks.amazonaws.com"},
            conditions={
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster_arn,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        )
    )


def encryption_key(place: Place, log_groups: Sequence[str]) -> Document:
    """Let the account administer the key by IAM, and CloudWatch Logs use it for these log groups alone.

    Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
    """
    arns = [place.arn("logs", f"log-group:{name}") for name in log_groups]
    return document(
        Statement("Account", ["kms:*"], ["*"], principal={"AWS": place.iam("root")}),
        Statement(
            "Logs",
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            ["*"],
            principal={"Service": f"logs.{place.region}.amazonaws.com"},
            conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": sorted(arns)}},
        ),
    )


def flow_logs(place: Place, log_group: str) -> Document:
    """Let VPC flow logs write into one log group."""
    group = place.arn("logs", f"log-group:{log_group}")
    return document(
        Statement(
            "Write",
            ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            [group, f"{group}:*"],
        ),
        Statement("Find", ["logs:DescribeLogGroups"], ["*"]),
    )


def bucket_tls_only(place: Place, bucket: str) -> Document:
    """Refuse every request to a bucket that is not over TLS."""
    arn = place.bucket(bucket)
    return document(
        Statement(
            "TlsOnly",
            ["s3:*"],
            [arn, f"{arn}/*"],
            principal="*",
            conditions={"Bool": {"aws:SecureTransport": "false"}},
            effect="Deny",
        )
    )


def documents_user(place: Place, bucket: str) -> Document:
    """Let the application's user do in one bucket what the MinIO SDK does: find, read, write, delete objects.

    Multipart uploads of the SDK start, list and abort their parts. Nothing here reaches the bucket itself.
    """
    arn = place.bucket(bucket)
    return document(
        Statement(
            "Bucket",
            ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
            [arn],
        ),
        Statement(
            "Objects",
            [
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            [f"{arn}/*"],
        ),
    )


PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")


def repository(push_principal: str) -> Document:
    """Let one principal push, and refuse everybody else's push, this account's administrators included."""
    return document(
        Statement("Push", [*PULL, *PUSH], principal={"AWS": push_principal}),
        Statement(
            "OnlyWriter",
            PUSH,
            principal="*",
            conditions={"ArnNotEquals": {"aws:PrincipalArn": push_principal}},
            effect="Deny",
        ),
    )


def cluster_autoscaler(place: Place, cluster: str) -> Document:
    """Let the Cluster Autoscaler look around and resize this cluster's own groups.

    EKS tags the Auto Scaling groups of its node groups (Amazon EKS User Guide, "Managed node groups
    concepts").
    """
    owned = {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}}
    return document(
        Statement(
            "Look",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            ["*"],
        ),
        Statement("LookAtNodes", ["eks:DescribeNodegroup"], [place.arn("eks", f"nodegroup/{cluster}/*")]),
        Statement(
            "Resize",
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [place.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")],
            conditions=owned,
        ),
    )
