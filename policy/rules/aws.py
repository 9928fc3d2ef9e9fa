"""Rules about what is made at AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy.rules.subject import Finding, Resource, Rule, bare, known, many, truthy

EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
TAGS = ("site", "stack", "managed-by")
"""What each taggable resource carries."""
TAGGED = frozenset(
    {
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/eip:Eip",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        "aws:ecr/repository:Repository",
        "aws:eks/accessEntry:AccessEntry",
        "aws:eks/addon:Addon",
        "aws:eks/cluster:Cluster",
        "aws:eks/nodeGroup:NodeGroup",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "aws:iam/instanceProfile:InstanceProfile",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/user:User",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
)
"""Types that AWS tags; a test compares them with the provider's SDK."""
BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
SEALED = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_CLOSED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_SWITCHES = {
    "aws:ebs/volume:Volume": "encrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:kms/key:Key": "enableKeyRotation",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
}
_INGRESS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
_ADMINISTRATORS = ("/AdministratorAccess", "/PowerUserAccess", "FullAccess")
_WILD = re.compile(r"[*?]")
_FAMILY = re.compile(r"[a-z0-9-]+:[A-Z][a-z]+[A-Z][A-Za-z]+[*?]")
"""A wildcard after a verb and what it acts on, as in s3:GetObject* and kms:ReEncrypt*."""
_DOCUMENTS = ("policy", "assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "policyArn")


def public_bucket(resource: Resource) -> Iterator[str]:
    """Find a bucket opened by an ACL, a policy, or a public access block with a gap."""
    inputs = resource.inputs
    if resource.type == BLOCK:
        for name in _CLOSED:
            if not truthy(inputs.get(name)):
                yield f"{name} is not true: a bucket of this program is never public"
    if resource.type.startswith("aws:s3/bucket") and str(inputs.get("acl") or "").startswith("public-"):
        yield f"acl {inputs['acl']}: a bucket of this program is never public"
    if resource.type == "aws:s3/bucketPolicy:BucketPolicy":
        for statement in statements(inputs.get("policy")):
            if allows(statement) and anyone(statement) and not statement.get("Condition"):
                yield "the policy lets anyone in: name the principal"


def without_block(resources: Sequence[Resource]) -> Iterator[Finding]:
    """Find a bucket that no public access block guards."""
    for bucket in unguarded(resources, BLOCK):
        yield bucket, "no BucketPublicAccessBlock is registered for it: add one with all four settings true"


def open_group(resource: Resource) -> Iterator[str]:
    """Find a security group, or the Kubernetes API, that the whole internet reaches."""
    inputs = resource.inputs
    if resource.type in _INGRESS:
        for rule in many(inputs.get("ingress")):
            yield from _wide([*many(rule.get("cidrBlocks")), *many(rule.get("ipv6CidrBlocks"))])
    if resource.type == "aws:ec2/securityGroupRule:SecurityGroupRule" and inputs.get("type") == "ingress":
        yield from _wide([*many(inputs.get("cidrBlocks")), *many(inputs.get("ipv6CidrBlocks"))])
    if resource.type == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
        yield from _wide([inputs.get("cidrIpv4"), inputs.get("cidrIpv6")])
    if resource.type == "aws:eks/cluster:Cluster":
        yield from _api(inputs.get("vpcConfig") or {})


def _wide(cidrs: Iterable[Any]) -> Iterator[str]:
    for cidr in cidrs:
        if cidr in EVERYWHERE:
            yield f"open to {cidr}: name the networks that need it"


def _api(network: Mapping[str, Any]) -> Iterator[str]:
    if network.get("endpointPublicAccess") is False:
        return
    public = many(network.get("publicAccessCidrs"))
    if not public or EVERYWHERE & set(map(str, public)):
        yield "the Kubernetes API is open to the internet: name networks under apiAccess, or leave it private"


def encryption(resource: Resource) -> Iterator[str]:
    """Find what holds data without encryption."""
    inputs = resource.inputs
    if (switch := _SWITCHES.get(resource.type)) and not truthy(inputs.get(switch)):
        yield f"{switch} is not true"
    if resource.type == "aws:ec2/launchTemplate:LaunchTemplate":
        for mapping in many(inputs.get("blockDeviceMappings")):
            if not truthy((mapping.get("ebs") or {}).get("encrypted")):
                yield f"{mapping.get('deviceName')}: ebs.encrypted is not true"
    if resource.type == "aws:cloudwatch/logGroup:LogGroup" and inputs.get("kmsKeyId") is None:
        yield "kmsKeyId is not set: logs are encrypted by the site's key"
    if resource.type == "aws:eks/cluster:Cluster":
        sealed = inputs.get("encryptionConfig") or {}
        if known(sealed) and "secrets" not in many(sealed.get("resources")):
            yield "encryptionConfig does not cover secrets: Kubernetes Secrets lie in etcd in the clear"
    volumes = inputs.get("provisioner") == "ebs.csi.aws.com"
    if volumes and not truthy((inputs.get("parameters") or {}).get("encrypted")):
        yield 'parameters.encrypted is not "true"'


def without_encryption(resources: Sequence[Resource]) -> Iterator[Finding]:
    """Find a bucket whose encryption nobody says."""
    for bucket in unguarded(resources, SEALED):
        yield bucket, "no BucketServerSideEncryptionConfiguration is registered for it"


def tags(resource: Resource) -> Iterator[str]:
    """Find a taggable resource that does not say whose it is."""
    if resource.type in TAGGED:
        given = resource.inputs.get("tags") or {}
        if known(given) and (missing := [name for name in TAGS if name not in given]):
            yield f"lacks the tags {', '.join(missing)}: register it by a provider with the site's default tags"


def star_actions(resource: Resource) -> Iterator[str]:
    """Find an IAM document, or a managed policy, that allows what it does not name."""
    if not resource.type.startswith("aws:"):
        return
    for name in _DOCUMENTS:
        for item in many(bare(resource.inputs.get(name))):
            if str(item).endswith(_ADMINISTRATORS):
                yield f"{name} {item}: name the actions that are needed"
                continue
            for statement in statements(item):
                yield from _stars(resource, statement)


def _stars(resource: Resource, statement: Mapping[str, Any]) -> Iterator[str]:
    """Give the wild actions of a statement; a key's own account keeps the key (KMS Developer Guide, key policies)."""
    if not allows(statement):
        return
    principal = str(bare(statement.get("Principal") or ""))
    if resource.type == "aws:kms/key:Key" and ":root" in principal:
        return
    if "NotAction" in statement:
        yield "NotAction allows all that it does not name: name what is allowed"
    for action in many(statement.get("Action")):
        if _WILD.search(str(action)) and not _FAMILY.match(str(action)):
            yield f"Action {action}: name the actions that are needed"


def unguarded(resources: Sequence[Resource], guard: str) -> Iterator[Resource]:
    """Give the buckets for which no resource of the type `guard` is registered."""
    guards = [one for one in resources if one.type == guard]
    urns = {urn for one in guards for urn in one.points_at.get("bucket", ())}
    names = {one.inputs.get("bucket") for one in guards if known(one.inputs.get("bucket"))}
    for bucket in resources:
        if bucket.type == BUCKET and bucket.urn not in urns and bucket.inputs.get("bucket") not in names:
            yield bucket


def statements(document: Any) -> list[Mapping[str, Any]]:
    """Return the statements of an IAM document given as text, as data, or inside a role's inline policy."""
    if isinstance(document, Mapping) and "policy" in document:
        document = document["policy"]
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return []
    found = document.get("Statement") if isinstance(document, Mapping) else None
    return [one for one in many(found) if isinstance(one, Mapping)]


def allows(statement: Mapping[str, Any]) -> bool:
    """Whether a statement gives a right."""
    return statement.get("Effect") == "Allow"


def anyone(statement: Mapping[str, Any]) -> bool:
    """Whether a statement's principal is everybody."""
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, Mapping) and "*" in many(principal.get("AWS")))


AWS = (
    Rule("no-public-bucket", "No bucket is reachable without credentials.", public_bucket, without_block),
    Rule("no-open-security-group", "No group and no API is open to the whole internet.", open_group),
    Rule("encryption", "Data is encrypted at rest.", encryption, without_encryption),
    Rule("tags", "Every taggable resource says whose it is.", tags),
    Rule(
        "no-star-actions",
        "IAM documents name their actions: a wildcard follows a verb and what it acts on.",
        star_actions,
    ),
)
