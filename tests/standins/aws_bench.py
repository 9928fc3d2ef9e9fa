"""What the tests of the AWS stand-in share: one emulator, and resources made as the engine would make them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.rehearsal.standins.aws import provider as aws
from xgen_infra.rehearsal.standins.aws.emulator.networks import ExistingNetwork
from xgen_infra.rehearsal.standins.aws.session import Aws
from xgen_infra.rehearsal.standins.aws.world import World
from xgen_infra.rehearsal.standins.comparison import live_inputs
from xgen_infra.rehearsal.standins.contract import Failure, Made, Props, Request, ResourceType

REGION, OTHER_REGION = "ap-northeast-2", "ap-northeast-1"
ACCOUNT, OTHER_ACCOUNT = "123456789012", "222222222222"
CONFIG: Props = {"region": REGION}
OTHER_ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/peering"
OTHER_CONFIG: Props = {"region": OTHER_REGION, "assumeRoles": f'[{{"roleArn": "{OTHER_ROLE}"}}]'}


def trust(service: str) -> str:
    """A trust policy that lets one AWS service assume a role."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST_NODES, TRUST_PODS, TRUST_EKS = trust("ec2"), trust("pods.eks"), trust("eks")
MANAGEMENT = ExistingNetwork(
    account=OTHER_ACCOUNT,
    region=OTHER_REGION,
    vpc_id="vpc-0abc",
    cidr="10.20.0.0/16",
    route_table_ids=("rtb-0abc",),
    security_group_ids=("sg-0abc",),
)
_NUMBERS = itertools.count(1)


@dataclass
class Resource:
    """One resource of a test, with the request that made it."""

    kind: ResourceType
    request: Request
    id: str
    outputs: Props

    def __getitem__(self, name: str) -> Any:
        return self.outputs[name]

    def read(self) -> Made | None:
        return self.kind.read(self.request, self.id, self.outputs)

    def refreshed_inputs(self) -> Props:
        """The inputs as a refresh would store them."""
        made = self.read()
        assert made is not None
        refreshed = live_inputs(self.request.inputs, made.outputs)
        assert isinstance(refreshed, dict)
        return refreshed

    def update(self, **changed: Any) -> Props:
        assert self.kind.update is not None
        inputs = {k: v for k, v in {**self.request.inputs, **changed}.items() if v is not None}
        asked = Request(self.request.urn, self.request.type, self.request.name, self.request.config, inputs)
        self.outputs = self.kind.update(asked, self.id, self.outputs)
        self.request = asked
        return self.outputs

    def delete(self) -> None:
        self.kind.delete(self.request, self.id, self.outputs)


@dataclass
class Bench:
    """Makes resources in one world."""

    world: World
    types: Mapping[str, ResourceType] = field(init=False)

    def __post_init__(self) -> None:
        self.types = aws.types(self.world)

    def make(
        self, token: str, *, config: Props | None = None, logical: str = "part", **inputs: Any
    ) -> Resource:
        request = self.request(token, inputs, config, logical)
        kind = self.types[token]
        assert kind.check(request) == []
        full = Request(request.urn, token, logical, request.config, {**inputs, **kind.complete(request)})
        made = kind.create(full)
        return Resource(kind, full, made.id, made.outputs)

    def failures(self, token: str, **inputs: Any) -> list[Failure]:
        return self.types[token].check(self.request(token, inputs))

    def imported(self, token: str, ident: str) -> Made | None:
        return self.types[token].read(self.request(token, {}), ident, {})

    def invoke(self, token: str, **arguments: Any) -> Props:
        return aws.invokes(self.world)[token](CONFIG, arguments)

    def boto(self, service: str) -> Any:
        """A client of the rehearsal's own, past all rights."""
        return Aws(self.world, REGION, ACCOUNT).client(service)

    def request(self, token: str, inputs: Props, config: Props | None = None, name: str = "part") -> Request:
        urn = f"urn:pulumi:test::bench::{token}::{name}"
        return Request(urn, token, name, config or CONFIG, dict(inputs))

    # what many tests need first

    def vpc(self, config: Props | None = None, cidr: str = "") -> Resource:
        return self.make(
            "aws:ec2/vpc:Vpc", config=config, cidrBlock=cidr or f"10.{100 + next(_NUMBERS) % 100}.0.0/16"
        )

    def subnets(self, vpc: Resource, count: int = 2) -> list[str]:
        stem = str(vpc["cidrBlock"]).rsplit(".", 2)[0]
        return [
            self.make(
                "aws:ec2/subnet:Subnet",
                vpcId=vpc.id,
                cidrBlock=f"{stem}.{index}.0/24",
                availabilityZone=f"{REGION}{'abcd'[index]}",
            ).id
            for index in range(count)
        ]

    def role(self, trusting: str = TRUST_EKS) -> Resource:
        return self.make("aws:iam/role:Role", assumeRolePolicy=trusting)

    def cluster(self, **inputs: Any) -> Resource:
        asked: Props = {
            "roleArn": self.role()["arn"],
            "vpcConfig": {"subnetIds": self.subnets(self.vpc())},
            "accessConfig": {"authenticationMode": "API"},
            "version": "1.35",
        }
        return self.make("aws:eks/cluster:Cluster", **{**asked, **inputs})

    def nodes(self, cluster: Resource, **inputs: Any) -> Resource:
        asked: Props = {
            "clusterName": cluster.id,
            "nodeRoleArn": self.role(TRUST_NODES)["arn"],
            "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 3},
            "subnetIds": cluster["vpcConfig"]["subnetIds"],
        }
        return self.make("aws:eks/nodeGroup:NodeGroup", **{**asked, **inputs})

    def bucket(self, **inputs: Any) -> Resource:
        return self.make("aws:s3/bucket:Bucket", **{"bucket": self.unused("documents"), **inputs})

    def unused(self, stem: str) -> str:
        return f"{stem}-{next(_NUMBERS)}"


def world(root: Path, url: str, kubeconfig: Path | None = None) -> World:
    return World(root=root, moto_url=url, kubeconfig=kubeconfig, account=ACCOUNT)
