"""What a site on EKS tells people and runbooks: stack outputs by stable names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from xgen_infra import naming
from xgen_infra.aws import wiring
from xgen_infra.aws.keys import AccessKeys
from xgen_infra.aws.network import Landing
from xgen_infra.aws.peering import Peering
from xgen_infra.aws.platform import Platform
from xgen_infra.aws.shape import monthly_shape
from xgen_infra.aws.wiring import Plan
from xgen_infra.site import EcrRegistry


@dataclass(frozen=True)
class Made:
    """The components whose facts are told."""

    landing: Landing
    platform: Platform
    bucket: pulumi.Output[str]
    keys: AccessKeys
    peering: Peering | None
    repositories: Mapping[str, pulumi.Input[str]]


def outputs(plan: Plan, made: Made) -> dict[str, Any]:
    """Return the outputs by name, camelCase; no secret is among them."""
    eks, landing, nodes = plan.eks, made.landing, made.platform.nodes
    return {
        "region": eks.region,
        "account": eks.account,
        "vpcId": landing.vpc_id,
        "vpcCidr": str(eks.vpc_cidr),
        "privateSubnetIds": list(landing.private_subnet_ids),
        "publicSubnetIds": list(landing.public_subnet_ids),
        "natPublicIps": list(landing.nat_public_ips),
        "clusterName": naming.cluster(plan.site),
        "clusterArn": plan.cluster_arn,
        "clusterEndpoint": made.platform.endpoint,
        "kubernetesVersion": eks.version,
        "apiAccess": [str(network) for network in eks.api_access],
        "nodeGroupName": nodes.group_name if nodes else None,
        "kubeconfigCommand": kubeconfig_command(plan),
        "bucketName": made.bucket,
        "bucketNoncurrentDays": eks.bucket.noncurrent_days,
        "documentsUser": plan.name("documents"),
        "accessKeyGeneration": eks.access_key_generation,
        "accessKeyIds": dict(made.keys.ids),
        "management": management(plan),
        "peeringConnectionId": made.peering.connection_id if made.peering else None,
        "peeringRemaining": made.peering.remaining if made.peering else [],
        "ecrRepositoryUrls": dict(made.repositories),
        "registryRemaining": registry_remaining(plan, nodes.role_arn if nodes else "the nodes' role"),
        "dnsHint": dns_hint(plan),
        "monthlyShape": monthly_shape(plan.site, eks),
    }


def management(plan: Plan) -> dict[str, Any]:
    """Return the other side of the peering, and what the site reaches there; empty where there is none."""
    other = plan.site.management
    if other is None:
        return {}
    far = wiring.accepter(plan, other)
    return {
        "vpcId": far.vpc_id,
        "cidr": str(far.cidr),
        "account": far.account,
        "region": far.region,
        "routeTableIds": list(far.route_table_ids),
        "securityGroupIds": list(far.security_group_ids),
        "ports": [{"port": opening.port, "purpose": opening.purpose} for opening in far.openings],
    }


def kubeconfig_command(plan: Plan) -> str:
    """Return the command that gives a person with access a kubeconfig."""
    name = naming.cluster(plan.site)
    return f"aws eks update-kubeconfig --region {plan.eks.region} --name {name} --alias {name}"


def dns_hint(plan: Plan) -> str:
    """Say where to point DNS: the load balancer's own name stands on the Ingress once it is made."""
    exposure = plan.site.exposure
    if exposure.kind == "none":
        return ""
    find = (
        f"kubectl --namespace {plan.site.namespace} get ingress "
        "--output jsonpath='{.items[0].status.loadBalancer.ingress[0].hostname}'"
    )
    if not exposure.domain:
        return f"No domain: the load balancer's own name serves. It is what this prints: {find}"
    return f"{exposure.domain}: CNAME (or Route 53 alias) to the name that this prints: {find}"


def registry_remaining(plan: Plan, role_arn: pulumi.Input[str]) -> list[pulumi.Input[str]]:
    """Say what the owner of an ECR in another account must still do."""
    site = plan.site
    if not isinstance(site.registry, EcrRegistry) or naming.ecr_home(site)[0] == plan.eks.account:
        return []
    account, region = naming.ecr_home(site)
    first = naming.repository(site, site.specs[0].service.name).rpartition("/")[0]
    return [
        pulumi.Output.format(
            "In account {0}, region {1}: let {2} pull from {3}/*: a repository policy with "
            "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:BatchCheckLayerAvailability",
            account,
            region,
            role_arn,
            first,
        )
    ]
