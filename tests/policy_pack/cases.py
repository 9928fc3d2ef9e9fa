"""For each rule: resources that keep to it and resources that do not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from policy.rules import Resource
from policy.rules.aws import BLOCK, BUCKET, SEALED
from policy.rules.subject import Hidden

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CLOSED = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)
OWN = {"site": "aww", "stack": "aww", "managed-by": "pulumi"}
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
CLUSTER = "aws:eks/cluster:Cluster"
SECRET = "kubernetes:core/v1:Secret"
CONFIG = "kubernetes:core/v1:ConfigMap"
RELEASE = "kubernetes:helm.sh/v3:Release"
STATEFUL = "kubernetes:apps/v1:StatefulSet"
NAMESPACE = "kubernetes:core/v1:Namespace"
APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"


@dataclass(frozen=True)
class Case:
    """Resources under one rule; `wrong` is part of what it says, or empty where it finds nothing."""

    rule: str
    wrong: str
    resources: tuple[Resource, ...]


def one(type_: str, *, protect: bool = False, **inputs: Any) -> tuple[Resource]:
    return (Resource(type_, "part", inputs, protect, f"urn::{type_}::part"),)


def document(action: Any, resource: Any = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket(*guards: str, by: str = "name") -> tuple[Resource, ...]:
    made = Resource(BUCKET, "documents", {"bucket": "xgen-aww"}, True, "urn::documents")
    other = (
        Resource(guards[0], "other", {"bucket": "other", **CLOSED}, True, "urn::other") if guards else None
    )
    named = {"bucket": "xgen-aww"} if by == "name" else {"bucket": UNKNOWN}
    points_at = {} if by == "name" else {"bucket": ["urn::documents"]}
    guarding = [
        Resource(g, f"guard-{i}", {**named, **CLOSED}, True, "", points_at) for i, g in enumerate(guards)
    ]
    return (made, *guarding, *([other] if other else []))


def workload(*, protect: bool) -> tuple[Resource, ...]:
    claims = [{"metadata": {"name": "data"}}]
    return (
        Resource(NAMESPACE, "data-namespace", {"metadata": {"name": "xgen-system"}}, protect),
        Resource(
            STATEFUL,
            "postgres-server",
            {"metadata": {"namespace": "xgen-system"}, "spec": {"volumeClaimTemplates": claims}},
        ),
    )


def container(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "REDIS_PASSWORD", **value}]}]}}
    }


CASES = (
    Case("no-public-bucket", "", bucket(BLOCK)),
    Case("no-public-bucket", "", bucket(BLOCK, by="reference")),
    Case("no-public-bucket", "no BucketPublicAccessBlock", bucket()),
    Case("no-public-bucket", "no BucketPublicAccessBlock", (*bucket(), *one(BLOCK, bucket="other", **CLOSED))),
    Case("no-public-bucket", "ignorePublicAcls", one(BLOCK, **{**CLOSED, "ignorePublicAcls": False})),
    Case("no-public-bucket", "restrictPublicBuckets", one(BLOCK, blockPublicAcls=True)),
    Case("no-public-bucket", "acl public-read", one("aws:s3/bucketAcl:BucketAcl", acl="public-read-write")),
    Case("no-public-bucket", "", one("aws:s3/bucketAcl:BucketAcl", acl="private")),
    Case("no-public-bucket", "anyone", one("aws:s3/bucketPolicy:BucketPolicy",
                                           policy=document("s3:GetObject", Principal={"AWS": ["*"]}))),
    Case("no-public-bucket", "", one("aws:s3/bucketPolicy:BucketPolicy",
                                     policy=document("s3:GetObject", Principal="*", Effect="Deny"))),
    Case("no-open-security-group", "open to 0.0.0.0/0", one(INGRESS, cidrIpv4="0.0.0.0/0", fromPort=5432)),
    Case("no-open-security-group", "open to ::/0", one(INGRESS, cidrIpv6="::/0")),
    Case("no-open-security-group", "", one(INGRESS, cidrIpv4="10.40.0.0/16")),
    Case("no-open-security-group", "", one(INGRESS, cidrIpv4=UNKNOWN)),
    Case("no-open-security-group", "open to", one("aws:ec2/securityGroup:SecurityGroup", ingress=[
        {"cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"], "protocol": "tcp"}])),
    Case("no-open-security-group", "", one("aws:ec2/securityGroup:SecurityGroup", egress=[
        {"cidrBlocks": ["0.0.0.0/0"], "protocol": "-1"}])),
    Case("no-open-security-group", "open to", one("aws:ec2/securityGroupRule:SecurityGroupRule",
                                                  type="ingress", cidrBlocks=["0.0.0.0/0"])),
    Case("no-open-security-group", "", one("aws:ec2/securityGroupRule:SecurityGroupRule",
                                           type="egress", cidrBlocks=["0.0.0.0/0"])),
    Case("no-open-security-group", "API is open", one(CLUSTER, vpcConfig={"endpointPrivateAccess": True})),
    Case("no-open-security-group", "API is open", one(CLUSTER, vpcConfig={"publicAccessCidrs": ["0.0.0.0/0"]})),
    Case("no-open-security-group", "", one(CLUSTER, vpcConfig={"publicAccessCidrs": ["203.0.113.0/24"]})),
    Case("no-open-security-group", "", one(CLUSTER, vpcConfig={"endpointPublicAccess": False})),
    Case("encryption", "", bucket(SEALED)),
    Case("encryption", "no BucketServerSideEncryption", bucket()),
    Case("encryption", "/dev/xvda", one(TEMPLATE, blockDeviceMappings=[
        {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 50}}])),
    Case("encryption", "", one(TEMPLATE, blockDeviceMappings=[
        {"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}])),
    Case("encryption", "kmsKeyId", one("aws:cloudwatch/logGroup:LogGroup", name="a")),
    Case("encryption", "", one("aws:cloudwatch/logGroup:LogGroup", name="a", kmsKeyId=UNKNOWN)),
    Case("encryption", "etcd", one(CLUSTER, name="a")),
    Case("encryption", "", one(CLUSTER, encryptionConfig={"resources": ["secrets"], "provider": {}})),
    Case("encryption", "enableKeyRotation", one("aws:kms/key:Key", enableKeyRotation=False)),
    Case("encryption", "", one("aws:kms/key:Key", enableKeyRotation=True)),
    Case("encryption", "storageEncrypted", one("aws:rds/instance:Instance")),
    Case("encryption", "parameters.encrypted", one("kubernetes:storage.k8s.io/v1:StorageClass",
                                                   provisioner="ebs.csi.aws.com", parameters={"type": "gp3"})),
    Case("encryption", "", one("kubernetes:storage.k8s.io/v1:StorageClass", provisioner="rancher.io/local-path")),
    Case("tags", "", one("aws:ec2/vpc:Vpc", tags={**OWN, "Name": "a"})),
    Case("tags", "site, stack, managed-by", one("aws:ec2/vpc:Vpc", tags={"Name": "a"})),
    Case("tags", "stack", one("aws:iam/role:Role", tags={"site": "a", "managed-by": "pulumi"})),
    Case("tags", "", one("aws:ec2/route:Route")),
    Case("no-star-actions", "Action *", one("aws:iam/rolePolicy:RolePolicy", policy=document("*"))),
    Case("no-star-actions", "Action s3:*", one("aws:iam/userPolicy:UserPolicy",
                                               policy=document(["s3:*"], "arn:aws:s3:::a"))),
    *(Case("no-star-actions", f"Action {action}: ", one("aws:iam/policy:Policy", policy=document(action)))
      for action in ("iam:*Policy", "iam:P*", "iam:Put*", "s3:Get*", "iam:?reateUser", "*:GetObject", "iam:put*")),
    *(Case("no-star-actions", "", one("aws:iam/policy:Policy", policy=document(action)))
      for action in ("kms:ReEncrypt*", "kms:GenerateDataKey*", "ec2:DescribeSubnets", "s3:GetObject?ersion")),
    Case("no-star-actions", "NotAction", one("aws:iam/policy:Policy", policy=json.dumps(
        {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}))),
    Case("no-star-actions", "", one("aws:iam/userPolicy:UserPolicy", policy=document(["s3:GetObject*"]))),
    Case("no-star-actions", "", one("aws:s3/bucketPolicy:BucketPolicy", policy=document("s3:*", Effect="Deny"))),
    Case("no-star-actions", "", one("aws:kms/key:Key", policy=document(
        "kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))),
    Case("no-star-actions", "Action kms:*", one("aws:kms/key:Key", policy=document(
        "kms:*", Principal={"AWS": "arn:aws:iam::123456789012:role/a"}))),
    Case("no-star-actions", "AdministratorAccess", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                                                       policyArn="arn:aws:iam::aws:policy/AdministratorAccess")),
    Case("no-star-actions", "AmazonS3FullAccess", one("aws:iam/role:Role", managedPolicyArns=[
        "arn:aws:iam::aws:policy/AmazonS3FullAccess"])),
    Case("no-star-actions", "", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                                    policyArn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")),
    Case("no-star-actions", "Action *", one("aws:iam/role:Role", inlinePolicies=[
        {"name": "a", "policy": document("*")}])),
    Case("no-plain-secret", "", one(SECRET, stringData={"password": Hidden("x"), "ca": Hidden("y")})),
    Case("no-plain-secret", "", one(SECRET, stringData=Hidden({"password": "x"}))),
    Case("no-plain-secret", "", one(SECRET, data={"password": UNKNOWN})),
    Case("no-plain-secret", "stringData.anything", one(SECRET, stringData={"anything": "x"})),
    Case("no-plain-secret", "data.POSTGRES_PASSWORD is in the clear",
         one(CONFIG, data={"POSTGRES_PASSWORD": "hunter2"})),
    Case("no-plain-secret", "", one(CONFIG, data={"POSTGRES_HOST": "10.0.0.1", "SECRET_NAME": "xgen-secrets"})),
    Case("no-plain-secret", "values.auth.adminPassword", one(RELEASE, values={"auth": {"adminPassword": "x"}})),
    Case("no-plain-secret", "", one(RELEASE, values={"auth": {"adminPassword": Hidden("x"),
                                                              "existingSecretPasswordKey": "password"}})),
    Case("no-plain-secret", "", one(RELEASE, values={"passwordSecretRef": "xgen-secrets", "password": ""})),
    Case("no-plain-secret", "an address with a password", one(CONFIG, data={"url": "postgres://a:b@db/x"})),
    Case("no-plain-secret", "", one(CONFIG, data={"url": "postgres://db:5432/x", "mail": "a@b.example"})),
    Case("no-plain-secret", "", one(APPLICATION, spec={"env": {"API_KEY": {"secret": "s", "key": "API_KEY"}}})),
    Case("no-plain-secret", "a private key", one(TEMPLATE, userData="-----BEGIN EC PRIVATE KEY-----\nAA")),
    Case("no-plain-secret", "a GitLab token", one(CONFIG, data={"x": "glpat-abcdefghij0123456789"})),
    Case("no-plain-secret", "(REDIS_PASSWORD) is in the clear", one(STATEFUL, spec=container({"value": "x"}))),
    Case("no-plain-secret", "", one(STATEFUL, spec=container({"valueFrom": {"secretKeyRef": {"name": "a"}}}))),
    Case("no-plain-secret", "", one(STATEFUL, spec=container({"value": Hidden("x")}))),
    Case("protected-data", "", one(BUCKET, protect=True, bucket="a")),
    Case("protected-data", "not protected", one(BUCKET, bucket="a")),
    Case("protected-data", "forceDestroy", one(BUCKET, protect=True, forceDestroy=True)),
    Case("protected-data", "not protected", one("kubernetes:core/v1:PersistentVolumeClaim")),
    Case("protected-data", "", workload(protect=True)),
    Case("protected-data", "volumes of xgen-system", workload(protect=False)),
    Case("protected-data", "deletes the volumes", one(STATEFUL, spec={
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"}})),
    Case("no-unpinned-chart", "", one(RELEASE, chart="argo-cd", version="9.1.0")),
    Case("no-unpinned-chart", "", one(RELEASE, chart="./charts/xgen-service")),
    Case("no-unpinned-chart", "(none)", one(RELEASE, chart="argo-cd")),
    Case("no-unpinned-chart", "^9.1.0", one(RELEASE, chart="argo-cd", version="^9.1.0")),
    Case("no-unpinned-chart", "9.x", one(RELEASE, chart="argo-cd", version="9.x")),
    Case("no-unpinned-chart", "targetRevision *", one(APPLICATION, spec={
        "source": {"chart": "redis", "targetRevision": "*"}})),
    Case("no-unpinned-chart", "", one(APPLICATION, spec={"source": {"path": "charts", "targetRevision": "main"}})),
)  # fmt: skip
