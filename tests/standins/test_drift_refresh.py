"""What a refresh tells of resources that somebody changed behind the engine's back: real engine, emulated AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from xgen_infra.drift.model import Difference
from xgen_infra.drift.refresh import Refresh, at, refresh
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.standins import faults
from xgen_infra.rehearsal.tools import Tool, ensure

from .aws_bench import REGION
from .engine_bench import NETWORK, EngineBench, engine_bench

pytestmark = [pytest.mark.e2e, pytest.mark.long]
POLICY = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::xgen-drift/*",
}
PROGRAM = f"""{NETWORK}
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id, description="x", opts=here)
for number, port in enumerate((443, 5432)):
    aws.vpc.SecurityGroupIngressRule(f"rule-{{number}}", security_group_id=group.id, ip_protocol="tcp",
                                     from_port=port, to_port=port, cidr_ipv4="10.0.0.0/8", opts=here)
aws.ec2.SecurityGroupRule("old-rule", security_group_id=group.id, type="egress", protocol="-1", from_port=0,
                          to_port=0, cidr_blocks=["0.0.0.0/0"], opts=here)
bucket = aws.s3.Bucket("bucket", bucket="xgen-drift", opts=here)
aws.s3.BucketPolicy("policy", bucket=bucket.id, opts=here,
                    policy=json.dumps({{"Version": "2012-10-17", "Statement": [{POLICY!r}]}}))
user = aws.iam.User("user", opts=here)
key = aws.iam.AccessKey("key", user=user.name, opts=here)
"""


@pytest.fixture(scope="module")
def bench(hosts: LanguageHosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineBench]:
    binary = ensure([Tool.PULUMI], print)[Tool.PULUMI]
    with engine_bench(binary, tmp_path_factory.mktemp("drift"), hosts) as made:
        made.program(PROGRAM)
        made.engine.up("dev")
        yield made


def behind_its_back(bench: EngineBench, service: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=bench.bench.world.moto_url,
        aws_access_key_id="AKIAREHEARSALROOT000",
        aws_secret_access_key="not-a-secret",
    )


def ident(bench: EngineBench, name: str) -> str:
    return next(one["id"] for one in bench.state() if one["urn"].endswith(f"::{name}"))


def seen(done: Refresh) -> dict[tuple[str, str], Difference]:
    assert not list(done.unseen)
    return {(one.resource, one.path): one for one in done.differences}


def test_nothing_changed_is_no_drift_and_every_resource_was_read(bench: EngineBench) -> None:
    done = refresh(bench.engine, "dev")
    assert seen(done) == {}
    custom = {one["urn"] for one in bench.state() if one["custom"]}
    assert custom <= done.read.keys()


def test_what_was_changed_behind_the_engines_back_is_told_and_the_state_stays(bench: EngineBench) -> None:
    before = bench.engine.export("dev")
    ec2 = behind_its_back(bench, "ec2")
    opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=ident(bench, "group"), IpPermissions=[opened])
    ec2.delete_subnet(SubnetId=ident(bench, "subnet-2"))
    public = {**POLICY, "Effect": "Allow", "Action": "s3:GetObject"}
    behind_its_back(bench, "s3").put_bucket_policy(
        Bucket="xgen-drift", Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]})
    )
    found = seen(refresh(bench.engine, "dev"))
    assert found.keys() == {("group", "ingress"), ("subnet-2", ""), ("policy", "policy")}
    rule = found["group", "ingress"]
    assert (rule.kind, rule.expected) == ("added", None)
    assert json.loads(rule.found or "") == {"protocol": "tcp", "ports": "22-22", "peer": "0.0.0.0/0"}
    assert found["subnet-2", ""].kind == "deleted"
    assert "s3:GetObject" in str(found["policy", "policy"].found)
    assert "s3:GetObject" not in str(found["policy", "policy"].expected)
    assert bench.engine.export("dev")["deployment"]["resources"] == before["deployment"]["resources"]


def test_a_resource_that_cannot_be_read_is_told_and_is_not_taken_for_unchanged(bench: EngineBench) -> None:
    faults.order(bench.folder, [faults.Fault(faults.Kind.ERROR, name="bucket", methods=("Read",))])
    done = refresh(bench.engine, "dev")
    unseen = {one.what: one.why for one in done.unseen}
    assert "is refused" in unseen["bucket"]
    # The others were read before it failed, or are said not to have been.
    read = {urn.rpartition("::")[2] for urn in done.read}
    providers = {"site", "eks"}
    custom = {one["urn"].rpartition("::")[2] for one in bench.state() if one["custom"]} - providers
    assert custom <= read | unseen.keys()
    assert "bucket" not in read


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", 2),
        ("spec.list[1].name", "b"),
        ('metadata["a.b/c"]', "x"),
        ('metadata["a.b/c"].none', None),
        ("spec.list[7]", None),
    ],
)
def test_a_property_path_leads_to_its_value(path: str, expected: object) -> None:
    value = {"spec": {"replicas": 2, "list": [{}, {"name": "b"}]}, "metadata": {"a.b/c": "x"}}
    assert at(path, value) == expected
