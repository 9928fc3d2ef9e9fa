"""Two customers on EKS in one AWS account, both peered with one management VPC, each by its own deploy role."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from audit.programs import checkov
from audit.terraform import address, of_state, plan
from audit.waivers import failed, unwaived

from xgen_infra.bootstrap import Bootstrap
from xgen_infra.bootstrap.record import aws_resources
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.standins.aws.world import ROOT_KEY_ID
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import Session, World, tools_of, world
from xgen_infra.site import Site

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
RUNNER = "arn:aws:iam::123456789012:role/runner"
CUSTOMERS: Mapping[str, str] = {"aww": "10.40.0.0/16", "bravo": "10.41.0.0/16"}
TABLE, GROUP = "rtb-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"


def write_file(folder: Path, stack: str, cidr: str) -> None:
    """Write a customer's file: the sample's, with a network of its own and the bootstrap's boundary."""
    content = yaml.safe_load((ROOT / "Pulumi.aww.yaml").read_text())
    site = content["config"]["xgen-infra:site"]
    site["delivery"] = "helm"
    boundary = f"arn:aws:iam::123456789012:policy/xgen-{stack}-boundary"
    site["cluster"] |= {"vpcCidr": cidr, "permissionsBoundary": boundary, "flowLogs": True}
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(content))


def client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service,
        region_name="ap-northeast-2",
        endpoint_url=endpoint,
        aws_access_key_id=ROOT_KEY_ID,
        aws_secret_access_key="not-a-secret",
    )


def deploy_session(site: Site, endpoint: str) -> Session:
    """Bootstrap a site, then assume the deploy role that it made, as a runner does."""
    assert site.eks
    made = Bootstrap(site, site.eks, RUNNER, aws_resources(site), endpoint).run()
    assumed = client(endpoint, "sts").assume_role(RoleArn=made.deploy_role, RoleSessionName="runner")
    given = assumed["Credentials"]
    return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]


@dataclass
class Side:
    """One customer: its world, and what its stack holds."""

    world: World

    def state(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.engine.export(self.world.stack)["deployment"]["resources"]
        return found

    def values(self, key: str, *types: str) -> set[str]:
        """What the AWS resources of the stack have under a key; of some types alone, if named."""
        found = (
            str(one.get("outputs", {}).get(key) or "")
            for one in self.state()
            if one["type"].startswith("aws:") and (not types or one["type"] in types)
        )
        return {value for value in found if value}

    def destroy(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "xgen_infra.cli", "destroy", self.world.stack, "--yes"],
            cwd=ROOT,
            env={**os.environ, **self.world.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Side]]:
    folder = tmp_path_factory.mktemp("customers")
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    for stack, cidr in CUSTOMERS.items():
        write_file(folder, stack, cidr)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        patch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY_ID)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        first: World | None = None
        made: dict[str, Side] = {}
        for stack in CUSTOMERS:
            file, site = read_site(folder, stack)
            root = tmp_path_factory.mktemp(stack)
            one = running.enter_context(
                world(
                    site,
                    file.path,
                    root,
                    ensure(tools_of(site), print),
                    project=ROOT,
                    beside=first,
                    session=lambda endpoint, site=site: deploy_session(site, endpoint),
                )
            )
            first = first or one
            made[stack] = Side(one)
            one.engine.up(stack)
        yield made


def aws(sides: Mapping[str, Side], service: str) -> Any:
    endpoint = sides["aww"].world.aws_endpoint
    assert endpoint
    return client(endpoint, service)


def management_routes(sides: Mapping[str, Side]) -> dict[str, str]:
    """The management side's routes to customers: connection by CIDR."""
    table = aws(sides, "ec2").describe_route_tables(RouteTableIds=[TABLE])["RouteTables"][0]
    return {
        route["DestinationCidrBlock"]: route["VpcPeeringConnectionId"]
        for route in table["Routes"]
        if "VpcPeeringConnectionId" in route
    }


def test_nothing_of_one_is_the_others(sides: dict[str, Side]) -> None:
    aww, bravo = sides["aww"], sides["bravo"]
    for key in ("arn", "bucket", "publicIp", "vpcId", "keyId", "allocationId"):
        mine, theirs = aww.values(key), bravo.values(key)
        named_by_aws = {arn for arn in mine if ":iam::aws:" in arn}
        assert mine, key
        assert not (mine - named_by_aws) & theirs, key
    for type_, key in (
        ("aws:iam/role:Role", "name"),
        ("aws:iam/user:User", "name"),
        ("aws:cloudwatch/logGroup:LogGroup", "name"),
        ("aws:kms/alias:Alias", "name"),
        ("aws:ec2/launchTemplate:LaunchTemplate", "name"),
        ("aws:eks/cluster:Cluster", "name"),
        ("aws:ec2/subnet:Subnet", "cidrBlock"),
        ("aws:ec2/vpc:Vpc", "cidrBlock"),
    ):
        assert aww.values(key, type_), type_
        assert not aww.values(key, type_) & bravo.values(key, type_), type_
    assert set(aws(sides, "eks").list_clusters()["clusters"]) == {"xgen-aww", "xgen-bravo"}


def test_the_management_side_has_the_routes_of_both_and_opens_its_ports_to_both(
    sides: dict[str, Side],
) -> None:
    routes = management_routes(sides)
    assert set(routes) == set(CUSTOMERS.values())
    assert len(set(routes.values())) == len(CUSTOMERS)
    ec2 = aws(sides, "ec2")
    for stack, cidr in CUSTOMERS.items():
        (connection,) = sides[stack].values("id", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection")
        assert routes[cidr] == connection
        found = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[connection])
        assert found["VpcPeeringConnections"][0]["Status"]["Code"] == "active"
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [GROUP]}])
    opened = {
        (one["CidrIpv4"], one["FromPort"]) for one in rules["SecurityGroupRules"] if not one["IsEgress"]
    }
    assert opened == {(cidr, port) for cidr in CUSTOMERS.values() for port in (5432, 6379, 6333, 6334)}


def test_each_has_a_cluster_of_its_own_with_the_same_names_in_it(sides: dict[str, Side]) -> None:
    servers = set()
    for stack, side in sides.items():
        view = ClusterView(side.world.kubeconfig)
        assert {"xgen", "kube-system"} <= view.namespaces(), stack
        servers |= side.values("endpoint", "aws:eks/cluster:Cluster")
        pods = {pod.service for pod in view.pods("xgen")}
        assert len(pods) == 6, (stack, pods)
    assert len(servers) == len(sides)


def test_every_role_and_user_that_the_deploy_role_made_is_bounded(sides: dict[str, Side]) -> None:
    iam = aws(sides, "iam")
    for stack, side in sides.items():
        expected = f"arn:aws:iam::123456789012:policy/xgen-{stack}-boundary"
        for name in side.values("name", "aws:iam/role:Role"):
            role = iam.get_role(RoleName=name)["Role"]
            assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == expected, name
        for name in side.values("name", "aws:iam/user:User"):
            user = iam.get_user(UserName=name)["User"]
            assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == expected, name


def test_checkov_finds_nothing_in_what_runs_that_is_not_waived(
    sides: dict[str, Side], tmp_path: Path
) -> None:
    """Every AWS resource of a stack that is up, those of pulumi_eks' components among them."""
    resources = of_state(sides["aww"].state())
    assert {
        "aws:eks/cluster:Cluster",
        "aws:eks/nodeGroup:NodeGroup",
        "aws:ec2/launchTemplate:LaunchTemplate",
    } <= {one.type for one in resources}
    report = checkov(plan(resources), tmp_path)
    assert report["summary"]["resource_count"] == len({address(one) for one in resources})
    assert report["summary"]["parsing_errors"] == 0
    assert unwaived(failed(report)) == []


def test_one_goes_and_the_other_stays_as_it_is_and_goes_as_well(sides: dict[str, Side]) -> None:
    """The last test of this file: it removes both, the first one first."""
    sides["aww"].destroy()
    assert set(management_routes(sides)) == {CUSTOMERS["bravo"]}
    left = sides["bravo"].world.engine.refresh("bravo", "--expect-no-changes")
    assert not left.changed
    assert not sides["bravo"].world.engine.preview("bravo").changed
    sides["bravo"].destroy()
    assert management_routes(sides) == {}
    assert aws(sides, "eks").list_clusters()["clusters"] == []
    vpcs = aws(sides, "ec2").describe_vpcs(Filters=[{"Name": "tag:managed-by", "Values": ["pulumi"]}])["Vpcs"]
    assert vpcs == []
    assert {one["Name"] for one in aws(sides, "s3").list_buckets()["Buckets"]} >= {"xgen-aww", "xgen-bravo"}
