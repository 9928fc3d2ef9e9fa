"""Sites on EKS for the tests: a short customer's file, and departures from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgen_infra.aws.assemble import build
from xgen_infra.site import Site, with_defaults

from .recording import Child, Recording, record

VENDOR = {"registry": {"kind": "nexus", "host": "docker.x2bee.com"}}

AWW: dict[str, Any] = {
    "owner": "platform@aww.example",
    "source": {"repoURL": "http://gitlab.aww.example/xgen/xgen-infra.git"},
    "cluster": {
        "kind": "eks",
        "account": "123456789012",
        "region": "ap-northeast-2",
        "vpcCidr": "10.40.0.0/16",
        "apiAccess": ["203.0.113.0/24"],
        "admins": ["arn:aws:iam::123456789012:role/platform"],
        "runners": ["arn:aws:iam::123456789012:role/xgen-deploy"],
    },
    "management": {
        "vpcId": "vpc-0a1b2c3d4e5f60718",
        "cidr": "10.20.0.0/16",
        "routeTableIds": ["rtb-0a1b2c3d4e5f60718"],
        "securityGroupIds": ["sg-0a1b2c3d4e5f60718"],
    },
    "infra": {
        "postgres": {"host": "10.20.1.10"},
        "redis": {"host": "10.20.1.10"},
        "qdrant": {"host": "10.20.1.10"},
    },
    "registry": {"kind": "nexus", "host": "nexus.aww.example:5000", "plainHttp": True},
}


def merged(base: Any, changes: Any) -> Any:
    """Return `base` with `changes` laid over it; None takes a key away."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    both = {**base, **{key: merged(base.get(key), value) for key, value in changes.items()}}
    return {key: value for key, value in both.items() if value is not None}


def site(changes: Mapping[str, Any] | None = None, stack: str = "aww") -> Site:
    """Return the site of a short file with some changes."""
    return Site.model_validate(with_defaults(merged(AWW, changes or {}), stack, VENDOR))


ZONE_LETTERS = "abcd"
ANSWERS = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": lambda _args: {
        "names": [f"ap-northeast-2{letter}" for letter in ZONE_LETTERS],
        "zoneIds": [f"apne2-az{number}" for number in range(1, 5)],
    },
    "aws:eks/getClusters:getClusters": lambda _args: {"names": ["other-cluster"]},
    "aws:eks/getCluster:getCluster": lambda args: {
        "name": args["name"],
        "endpoint": "https://shared.example",
        "certificateAuthorities": [{"data": "Y2E="}],
    },
    "aws:iam/accessKey:AccessKey": lambda _inputs: {"secret": "abc/+=", "status": "Active"},
    "aws:iam/role:Role": lambda inputs: {"arn": f"arn:aws:iam::123456789012:role/{inputs['name']}"},
    "aws:kms/key:Key": lambda _inputs: {"arn": "arn:aws:kms:ap-northeast-2:123456789012:key/1", "keyId": "1"},
    "aws:ec2/natGateway:NatGateway": lambda _inputs: {"publicIp": "198.51.100.7"},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _inputs: {"latestVersion": 3},
    "aws:ecr/repository:Repository": lambda inputs: {"repositoryUrl": f"registry.example/{inputs['name']}"},
    "eks:index:Cluster": lambda inputs: {
        "kubeconfigJson": "{}",
        "eksCluster": Child(
            "aws:eks/cluster:Cluster",
            {
                "name": inputs["name"],
                "endpoint": "https://cluster.example",
                "vpcConfig": {"clusterSecurityGroupId": "sg-0c1d2e3f40516273a"},
            },
        ),
    },
    "eks:index:ManagedNodeGroup": lambda _inputs: {
        "nodeGroup": Child("aws:eks/nodeGroup:NodeGroup", {"nodeGroupName": "nodes-group-1a2b3c4"}),
    },
}


def built(changes: Mapping[str, Any] | None = None, stack: str = "aww") -> Recording:
    """Run `build` for a site; the recording's result is the outputs by name."""
    subject = site(changes, stack)
    return record(lambda: dict(build(subject).outputs), ANSWERS)
