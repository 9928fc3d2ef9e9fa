"""What a site's principal has to be allowed in AWS: the actions of what it registers, by the site's own names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xgen_infra import naming
from xgen_infra.aws.actions import ACTIONS, CHILDREN, LOOKUPS
from xgen_infra.aws.policies import Place
from xgen_infra.site import EksCluster, Site


class UnknownTypeError(KeyError):
    """A resource type of AWS for which no actions are listed."""


@dataclass(frozen=True)
class Need:
    """Actions that are wanted on one resource, an ARN that may hold `*`."""

    resource: str
    actions: tuple[str, ...]


def actions_of(tokens: Iterable[str]) -> frozenset[str]:
    """Return the actions that resources of these types need; types of other providers need none.

    Raises UnknownTypeError for an AWS type, or a component of pulumi-eks, that is not listed.
    """
    found = set(LOOKUPS)
    for token in set(tokens):
        if token.startswith(("aws:", "eks:")):
            found.update(*map(_listed, CHILDREN.get(token, (token,))))
    return frozenset(found)


def _listed(token: str) -> tuple[str, ...]:
    if token not in ACTIONS:
        raise UnknownTypeError(token)
    return ACTIONS[token]


def needs(site: Site, eks: EksCluster, tokens: Iterable[str]) -> tuple[Need, ...]:
    """Return what a site's principal needs for resources of these types: actions by one of the site's own resources.

    Raises UnknownTypeError as `actions_of` does.
    """
    by_resource: dict[str, set[str]] = {}
    for action in actions_of(tokens):
        for resource in _resources(site, eks, action):
            by_resource.setdefault(resource, set()).add(action)
    return tuple(Need(resource, tuple(sorted(actions))) for resource, actions in sorted(by_resource.items()))


_UNBOUND = frozenset(
    {
        "ec2:DescribeAvailabilityZones",
        "eks:DescribeAddonVersions",
        "eks:ListClusters",
        "iam:GetAccessKeyLastUsed",
        "kms:CreateKey",
        "kms:ListAliases",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "sts:GetCallerIdentity",
    }
)
"""Actions that no resource bounds, beside EC2's `Describe...`."""

_EC2_KINDS = (
    ("VpcPeeringConnection", "vpc-peering-connection"),
    ("VpcEndpoint", "vpc-endpoint"),
    ("Vpc", "vpc"),
    ("Subnet", "subnet"),
    ("Route", "route-table"),
    ("SecurityGroup", "security-group"),
    ("InternetGateway", "internet-gateway"),
    ("NatGateway", "natgateway"),
    ("Address", "elastic-ip"),
    ("LaunchTemplate", "launch-template"),
    ("FlowLogs", "vpc-flow-log"),
    ("Tags", "vpc"),
    ("Instances", "instance"),
)
"""Part of an EC2 action's name, and the type of the resource that bounds it; the first that fits."""


def _resources(site: Site, eks: EksCluster, action: str) -> Iterator[str]:
    place = Place(naming.partition(eks.region), eks.region, eks.account)
    service, _, name = action.partition(":")
    if action in _UNBOUND or (service == "ec2" and name.startswith("Describe")):
        yield "*"
        return
    match service:
        case "ec2":
            yield place.arn("ec2", f"{next(kind for word, kind in _EC2_KINDS if word in name)}/*")
        case "eks":
            yield place.arn("eks", f"cluster/{naming.cluster(site)}")
        case "iam":
            yield from _identities(site, place, name)
        case "s3":
            yield place.bucket(naming.bucket(site))
        case "kms" if name in {"CreateAlias", "DeleteAlias", "UpdateAlias"}:
            yield place.arn("kms", f"alias/{naming.aws(site)}")
        case "kms":
            yield place.arn("kms", "key/*")
        case "logs":
            yield place.arn("logs", f"log-group:/aws/eks/{naming.cluster(site)}/cluster:*")
        case "ecr":
            yield place.arn("ecr", f"repository/{naming.repository(site, site.specs[0].service.name)}")
        case _:
            yield "*"


def _identities(site: Site, place: Place, name: str) -> Iterator[str]:
    if name == "CreateServiceLinkedRole":
        yield place.iam("role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS")
    elif "User" in name or "AccessKey" in name:
        yield place.iam(f"user/{naming.aws(site, 'documents')}")
    else:
        yield place.iam(f"role/{naming.aws(site, 'nodes')}")
