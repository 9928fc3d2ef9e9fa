"""The order in which AWS lets things go, and what a removal leaves."""

from __future__ import annotations

import pytest

from xgen_infra.rehearsal.standins.aws.session import AwsError

from .aws_bench import ACCOUNT, Bench, Resource


def _refused(resource: Resource) -> str:
    with pytest.raises(AwsError) as refused:
        resource.delete()
    return refused.value.code


def test_a_vpc_goes_after_all_that_is_in_it(bench: Bench) -> None:
    vpc = bench.vpc()
    parts = [
        bench.make(
            "aws:ec2/subnet:Subnet", vpcId=vpc.id, cidrBlock=str(vpc["cidrBlock"]).replace("/16", "/24")
        ),
        bench.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id),
        bench.make("aws:ec2/securityGroup:SecurityGroup", vpcId=vpc.id),
        bench.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id),
    ]
    for part in parts:
        assert _refused(vpc) == "DependencyViolation"
        part.delete()
    vpc.delete()
    assert vpc.read() is None


def test_an_internet_gateway_and_an_address_go_after_the_nat_gateway(bench: Bench) -> None:
    vpc = bench.vpc()
    internet = bench.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    address = bench.make("aws:ec2/eip:Eip", domain="vpc")
    nat = bench.make(
        "aws:ec2/natGateway:NatGateway", subnetId=bench.subnets(vpc, 1)[0], allocationId=address.id
    )
    assert _refused(internet) == "DependencyViolation"
    assert _refused(address) == "InvalidIPAddress.InUse"
    nat.delete()
    internet.delete()
    address.delete()
    assert (internet.read(), address.read()) == (None, None)


def test_a_security_group_goes_after_the_rules_that_name_it(bench: Bench) -> None:
    vpc = bench.vpc()
    named, naming = (bench.make("aws:ec2/securityGroup:SecurityGroup", vpcId=vpc.id, logical=x) for x in "ab")
    rule = bench.make(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        securityGroupId=naming.id,
        ipProtocol="-1",
        referencedSecurityGroupId=named.id,
    )
    assert _refused(named) == "DependencyViolation"
    rule.delete()
    named.delete()
    assert named.read() is None


def test_a_bucket_with_versions_stays_unless_it_may_be_emptied(bench: Bench) -> None:
    bucket = bench.bucket()
    bench.make(
        "aws:s3/bucketVersioning:BucketVersioning",
        bucket=bucket.id,
        versioningConfiguration={"status": "Enabled"},
    )
    s3 = bench.boto("s3")
    s3.put_object(Bucket=bucket.id, Key="document", Body=b"1")
    s3.delete_object(Bucket=bucket.id, Key="document")
    assert _refused(bucket) == "BucketNotEmpty"
    bucket.update(forceDestroy=True)
    bucket.delete()
    assert bucket.read() is None


def test_a_role_goes_after_its_policies_unless_it_may_detach_them(bench: Bench) -> None:
    role = bench.role()
    arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    bench.boto("iam").attach_role_policy(RoleName=role.id, PolicyArn=arn)
    assert _refused(role) == "DeleteConflict"
    role.update(forceDetachPolicies=True)
    role.delete()
    assert role.read() is None


def test_a_user_goes_after_keys_and_policies(bench: Bench) -> None:
    user = bench.make("aws:iam/user:User")
    key = bench.make("aws:iam/accessKey:AccessKey", user=user.id)
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    )
    inline = bench.make("aws:iam/userPolicy:UserPolicy", user=user.id, policy=policy)
    for part in (key, inline):
        assert _refused(user) == "DeleteConflict"
        part.delete()
    user.delete()
    assert user.read() is None


def test_a_cluster_goes_after_its_nodes_and_its_protection_and_takes_the_rest_along(bench: Bench) -> None:
    cluster = bench.cluster(deletionProtection=True)
    nodes = bench.nodes(cluster)
    addon = bench.make("aws:eks/addon:Addon", clusterName=cluster.id, addonName="kube-proxy")
    entry = bench.make(
        "aws:eks/accessEntry:AccessEntry",
        clusterName=cluster.id,
        principalArn=f"arn:aws:iam::{ACCOUNT}:role/platform",
    )
    assert _refused(cluster) == "InvalidRequestException"
    cluster.update(deletionProtection=False)
    assert _refused(cluster) == "ResourceInUseException"
    nodes.delete()
    cluster.delete()
    assert [one.read() for one in (cluster, nodes, addon, entry)] == [None] * 4
    group = cluster["vpcConfig"]["clusterSecurityGroupId"]
    assert bench.imported("aws:ec2/securityGroup:SecurityGroup", group) is None


def test_an_ecr_repository_with_images_stays_unless_it_may_be_emptied(bench: Bench) -> None:
    repository = bench.make("aws:ecr/repository:Repository", name=bench.unused("xgen/core"))
    bench.boto("ecr").put_image(
        repositoryName=repository.id,
        imageTag="latest",
        imageManifest='{"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}',
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
    )
    assert _refused(repository) == "RepositoryNotEmptyException"
    repository.update(forceDelete=True)
    repository.delete()
    assert repository.read() is None


def test_a_deleted_key_waits_for_its_end_and_counts_as_gone(bench: Bench) -> None:
    key = bench.make("aws:kms/key:Key", deletionWindowInDays=7)
    key.delete()
    assert key.read() is None
    assert bench.boto("kms").describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"
