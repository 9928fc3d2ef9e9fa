"""What the AWS Load Balancer Controller may do: look around, and change what carries its cluster's tag."""

from __future__ import annotations

from collections.abc import Iterator

from xgen_infra.aws.policies import Document, Place, Statement, document

TAG = "elbv2.k8s.aws/cluster"
"""The controller puts this tag with the cluster's name on everything it makes."""

_EC2_READS = (
    "AccountAttributes",
    "Addresses",
    "AvailabilityZones",
    "Instances",
    "InternetGateways",
    "NetworkInterfaces",
    "RouteTables",
    "SecurityGroups",
    "Subnets",
    "Tags",
    "VpcPeeringConnections",
    "Vpcs",
)
_ELB_READS = (
    "CapacityReservation",
    "ListenerAttributes",
    "ListenerCertificates",
    "Listeners",
    "LoadBalancerAttributes",
    "LoadBalancers",
    "Rules",
    "SSLPolicies",
    "Tags",
    "TargetGroupAttributes",
    "TargetGroups",
    "TargetHealth",
    "TrustStores",
)
_LOAD_BALANCER_WRITES = (
    "DeleteLoadBalancer",
    "ModifyLoadBalancerAttributes",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
)
_TARGET_GROUP_WRITES = (
    "DeleteTargetGroup",
    "DeregisterTargets",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "RegisterTargets",
)
_LISTENER_WRITES = (
    "AddListenerCertificates",
    "CreateRule",
    "DeleteListener",
    "DeleteRule",
    "ModifyListener",
    "ModifyListenerAttributes",
    "ModifyRule",
    "RemoveListenerCertificates",
)


def load_balancer_controller(place: Place, cluster: str) -> Document:
    """Return the controller's policy.

    Each right follows from the controller's work on Ingresses, with its integrations of WAF, Shield, Cognito,
    reserved capacity and address pools left out. Whatever it makes carries TAG with the cluster's name, and only that can it change or delete, so the
    controllers of two clusters in one account cannot touch each other's load balancers.
    """
    return document(*_reads(place), *_security_groups(place, cluster), *_load_balancers(place, cluster))


def _elb(*words: str) -> list[str]:
    return [f"elasticloadbalancing:{word}" for word in words]


def _own(cluster: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:ResourceTag/{TAG}": cluster}}


def _asked(cluster: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{TAG}": cluster}}


def _reads(place: Place) -> Iterator[Statement]:
    describe = [f"ec2:Describe{noun}" for noun in _EC2_READS]
    yield Statement(
        "Look",
        [*describe, *_elb(*(f"Describe{noun}" for noun in _ELB_READS)), "acm:ListCertificates"],
        ["*"],
    )
    yield Statement("LookAtCertificates", ["acm:DescribeCertificate"], [place.arn("acm", "certificate/*")])
    yield Statement("LookAtGroups", ["ec2:GetSecurityGroupsForVpc"], [place.arn("ec2", "vpc/*")])
    service = "elasticloadbalancing.amazonaws.com"
    yield Statement(
        "ServiceLinkedRole",
        ["iam:CreateServiceLinkedRole"],
        [place.iam(f"role/aws-service-role/{service}/AWSServiceRoleForElasticLoadBalancing")],
        conditions={"StringEquals": {"iam:AWSServiceName": service}},
    )


def _security_groups(place: Place, cluster: str) -> Iterator[Statement]:
    groups = place.arn("ec2", "security-group/*")
    rules = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
    yield Statement("MakeGroupInVpc", ["ec2:CreateSecurityGroup"], [place.arn("ec2", "vpc/*")])
    yield Statement("MakeGroup", ["ec2:CreateSecurityGroup"], [groups], conditions=_asked(cluster))
    born = {"ec2:CreateAction": "CreateSecurityGroup", **_asked(cluster)["StringEquals"]}
    yield Statement("TagNewGroup", ["ec2:CreateTags"], [groups], conditions={"StringEquals": born})
    yield Statement(
        "ChangeOwnGroups",
        [*rules, "ec2:DeleteSecurityGroup", "ec2:CreateTags", "ec2:DeleteTags"],
        [groups],
        conditions=_own(cluster),
    )
    nodes = {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"}}
    yield Statement("OpenNodesToLoadBalancers", rules, [groups], conditions=nodes)


def _load_balancers(place: Place, cluster: str) -> Iterator[Statement]:
    def arns(*kinds: str) -> list[str]:
        return [place.arn("elasticloadbalancing", kind) for kind in kinds]

    balancers = arns("loadbalancer/app/*/*", "loadbalancer/net/*/*")
    targets = arns("targetgroup/*/*")
    listeners = arns("listener/app/*/*/*", "listener/net/*/*/*")
    rules = arns("listener-rule/app/*/*/*", "listener-rule/net/*/*/*")
    make = _elb("CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule", "AddTags")
    yield Statement("Make", make, [*balancers, *targets, *listeners, *rules], conditions=_asked(cluster))
    yield Statement("ListenOnOwn", _elb("CreateListener"), balancers, conditions=_own(cluster))
    yield Statement("ChangeOwnBalancers", _elb(*_LOAD_BALANCER_WRITES), balancers, conditions=_own(cluster))
    yield Statement("ChangeOwnTargets", _elb(*_TARGET_GROUP_WRITES), targets, conditions=_own(cluster))
    yield Statement(
        "ChangeOwnListeners", _elb(*_LISTENER_WRITES), [*listeners, *rules], conditions=_own(cluster)
    )
    # SetRulePriorities names several rules of a listener in one request.
    yield Statement("OrderRules", _elb("SetRulePriorities"), rules, conditions=_own(cluster))
    yield Statement(
        "RetagOwn",
        _elb("AddTags", "RemoveTags"),
        [*balancers, *targets, *listeners, *rules],
        conditions=_own(cluster),
    )
