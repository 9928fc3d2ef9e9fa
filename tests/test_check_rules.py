"""Rules across the fields of one file: what each refuses, what it warns of, and what it lets pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from checking import Wrong, findings, sample

from xgen_infra.findings import errors
from xgen_infra.rules import RULES
from xgen_infra.rules.nodes import node

VPC = "vpcCidr: 10.40.0.0/16"
QDRANT = "host: qdrant.cloud.example"
POSTGRES = "postgres: {host: 10.20.1.10,"
CERTIFICATE = (
    "certificateArn: arn:aws:acm:ap-northeast-2:123456789012:certificate/11111111-2222-3333-4444-555555555555"
)
ROLE = "arn:aws:iam::210987654321:role/xgen-peering"
FLAGS = "FEATURE_FLAGS: a,b"
PEER = "    management: {vpcId: vpc-0a1b2c3d4e5f60718, cidr: 10.20.0.0/16}\n"
GATEWAY = "limits: {cpu: 1.5}"
SHARED_VPC = "        privateRouteTableIds: [rtb-0123456789abcdef0]\n"
VENDORS = "    cluster: {kind: k3s, context: vendors}\n"
LONG = "x" * 60

REFUSED = {
    "services-contradict-themselves": [
        Wrong("cloud", "minReplicas: 1, maxReplicas: 2", "minReplicas: @@3, maxReplicas: 2", "services.xgen-frontend.autoscaling.minReplicas", "above maxReplicas 2"),
        Wrong("cloud", "replicas: 1\n", "replicas: @@3\n", "services.xgen-frontend.replicas", "outside the autoscaler's 1 to 2"),
        Wrong("cloud", "cpu: 100m", "cpu: @@600m", "services.xgen-frontend.resources.requests.cpu", "above the limit 500m"),
        Wrong("cloud", "memory: 256Mi", "memory: @@2Gi", "services.xgen-frontend.resources.requests.memory", "above the limit 1Gi"),
        Wrong("cloud", GATEWAY, "requests: {cpu: @@1500m}", "services.xgen-backend-gateway.resources.requests.cpu", "above the limit 1000m"),
        Wrong("vendors", VENDORS, VENDORS + "    services: {xgen-core: {autoscaling: {minReplicas: @@6, maxReplicas: 5}}}\n", "services.xgen-core.autoscaling.minReplicas", "above maxReplicas 5"),
    ],
    "services-fit-a-node": [
        Wrong("cloud", "limits: {memory: 1Gi", "limits: {memory: @@40Gi", "services.xgen-frontend.resources.limits.memory", "of a m7i.2xlarge"),
        Wrong("cloud", GATEWAY, "limits: {cpu: @@9}", "services.xgen-backend-gateway.resources.limits.cpu", "at most 8000m"),
        Wrong("cloud", GATEWAY, "requests: {cpu: @@7950m}\n          limits: {cpu: 8}", "services.xgen-backend-gateway.resources.requests.cpu", "at most 7910m"),
        Wrong("cloud", "[m7i.2xlarge, m6i.2xlarge]\n        min: 1", "[m7i.xlarge]\n        min: 1", "services.xgen-documents.resources.limits.memory", "the limit 16Gi"),
    ],
    "networks-overlap": [
        Wrong("cloud", VPC, "vpcCidr: @@10.20.0.0/16", "cluster.vpcCidr", "overlaps management.cidr 10.20.0.0/16"),
        Wrong("cloud", VPC, "vpcCidr: @@10.20.16.0/20", "cluster.vpcCidr", "overlaps management.cidr 10.20.0.0/16"),
        Wrong("cloud", "serviceCidr: 10.100.0.0/16", "serviceCidr: @@10.16.0.0/12", "cluster.serviceCidr", "overlaps management.cidr"),
    ],
    "docker-shadows-the-vpc": [
        Wrong("cloud", VPC, "vpcCidr: @@172.17.0.0/16", "cluster.vpcCidr", "Docker's own network 172.17.0.0/16"),
        Wrong("cloud", VPC, "vpcCidr: @@172.31.240.0/20", "cluster.vpcCidr", "Docker's own network 172.31.0.0/16"),
    ],
    "api-access-is-narrow": [
        Wrong("cloud", "[203.0.113.0/24]", "[@@0.0.0.0/0]", "cluster.apiAccess[0]", "the whole internet"),
        Wrong("cloud", "[203.0.113.0/24]", "[203.0.113.0/24, @@10.0.0.0/8]", "cluster.apiAccess[1]", "the private network 10.0.0.0/8"),
        Wrong("cloud", "[203.0.113.0/24]", f"@@[{', '.join(f'203.0.{n}.0/24' for n in range(41))}]", "cluster.apiAccess", "41 networks"),
    ],
    "management-side-is-complete": [
        Wrong("cloud", f"roleArn: {ROLE}", f"roleArn: @@{ROLE.replace('210987654321', '999999999999')}", "management.roleArn", "account 210987654321"),
        Wrong("cloud", 'account: "210987654321"\n      region: ap-northeast-1\n      roleArn: ', "roleArn: @@", "management.roleArn", "management.account"),
        Wrong("vendors", VENDORS, VENDORS + PEER.replace("{", "@@{"), "management", "none on K3s"),
    ],
    "zones-are-of-the-region": [
        Wrong("cloud", "ap-northeast-2b, ap-northeast-2c", "@@ap-northeast-1b, ap-northeast-2c", "cluster.zones[1]", "a zone of ap-northeast-2"),
    ],
    "eks-has-data-services": [
        Wrong("shared", "postgres: {host: postgres.shared.example}", "postgres: @@{}", "infra.postgres.host", "databases run outside"),
        Wrong("shared", "      redis: {host: redis.shared.example}\n", "", "infra.redis.host", "databases run outside"),
        Wrong("shared", "qdrant: {host: qdrant.shared.example}", "qdrant: {host: @@}", "infra.qdrant.host", "databases run outside"),
    ],
    "hosts-are-reachable": [
        Wrong("cloud", QDRANT, "host: @@localhost", "infra.qdrant.host", "the pod itself"),
        Wrong("cloud", QDRANT, "host: @@127.0.0.1", "infra.qdrant.host", "the pod itself"),
        Wrong("vendors", VENDORS, VENDORS + "    infra: {redis: {host: @@0.0.0.0}}\n", "infra.redis.host", "the pod itself"),
        Wrong("cloud", QDRANT, "host: @@10.20.1.300", "infra.qdrant.host", "four numbers up to 255"),
        Wrong("cloud", QDRANT, "host: @@10.21.1.10", "infra.qdrant.host", "within management.cidr 10.20.0.0/16 or vpcCidr 10.40.0.0/16"),
        Wrong("cloud", "host: nexus.cloud.example:5000", "host: @@192.168.1.5:5000", "registry.host", "within management.cidr"),
        Wrong("cloud", "https://gitlab.cloud.example/", "@@http://172.16.0.9:8080/", "source.repoURL", "within management.cidr"),
        Wrong("shared", "git@gitlab.shared.example:", "@@git@10.1.2.3:", "source.repoURL", "management: with the network to be peered"),
        Wrong("shared", "host: redis.shared.example", "host: @@10.9.9.9", "infra.redis.host", "management: with the network to be peered"),
    ],
    "object-store-is-the-bucket": [
        Wrong("shared", "    infra:\n", "    infra:\n      minio: {endpoint: @@https://s3.eu-central-1.amazonaws.com}\n", "infra.minio.endpoint", "S3 in eu-central-1"),
    ],
    "registry-fits-the-cluster": [
        Wrong("cloud", "kind: nexus\n      host: nexus.cloud.example:5000\n      credentialId: cloud-nexus-credentials\n      username: xgen-pull\n", "kind: @@local\n", "registry.kind", "none on EKS"),
        Wrong("cloud", "plainHttp: true\n    exposure", "plainHttp: true\n      caCertificate: @@x\n    exposure", "registry.caCertificate", "beside plainHttp: true"),
        Wrong("cloud", "host: nexus.cloud.example:5000", "host: @@nexus.cloud.example:70000", "registry.host", "a port from 1 to 65535"),
    ],
    "exposure-fits-the-cluster": [
        Wrong("cloud", CERTIFICATE, f"{CERTIFICATE}\n      tlsSecret: @@tls", "exposure.tlsSecret", "none on EKS"),
        Wrong("cloud", CERTIFICATE, CERTIFICATE.replace("arn:aws:acm:ap-northeast-2", "@@arn:aws:acm:us-east-1"), "exposure.certificateArn", "a certificate of ap-northeast-2"),
        Wrong("onprem", "tlsSecret: xgen-tls", CERTIFICATE.replace("arn:aws:acm", "@@arn:aws:acm"), "exposure.certificateArn", "none on K3s"),
        Wrong("onprem", "tlsSecret: xgen-tls", "allowFrom: @@[10.0.0.0/8]", "exposure.allowFrom", "none on K3s"),
        Wrong("onprem", "exposure:\n      kind: internal\n      domain: xgen.onprem.example\n", "@@exposure:\n      kind: internal\n", "exposure.domain", "under which people open"),
    ],
    "existing-vpc-has-what-it-needs": [
        Wrong("shared", "publicSubnetIds: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]\n        privateRouteTableIds: [rtb-0123456789abcdef0]\n      existingCluster: platform\n", "publicSubnetIds: @@[subnet-0123456789abcdef2]\n        privateRouteTableIds: [rtb-0123456789abcdef0]\n      existingCluster: platform\n    exposure: {kind: public, domain: x.example}\n", "cluster.vpc.publicSubnetIds", "two or more"),
        Wrong("shared", "vpc:\n        id: vpc-0123456789abcdef0\n        privateSubnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]\n        publicSubnetIds: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]\n" + SHARED_VPC + "      existingCluster: platform\n", "@@vpc:\n        id: vpc-0123456789abcdef0\n        privateSubnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]\n      existingCluster: platform\n" + PEER, "cluster.vpc.privateRouteTableIds", "no pod reaches"),
    ],
    "hosts-are-names": [
        Wrong("cloud", "domain: xgen.cloud.example", "domain: @@198.51.100.7", "exposure.domain", "takes no addresses"),
        Wrong("cloud", "host: front.cloud.example", "host: @@198.51.100.7", "services.xgen-frontend.host", "takes no addresses"),
    ],
    "hosts-belong-to-one-service": [
        Wrong("shared", "    infra:\n", "    services: {xgen-frontend: {host: @@x.example}}\n    infra:\n", "services.xgen-frontend.host", "exposure.kind internal or public"),
        Wrong("cloud", "        hasDomain: false\n", "        host: @@mcp.cloud.example\n", "services.xgen-mcp-station.host", "hasDomain: true"),
        Wrong("cloud", "        hasDomain: false\n", "        hasDomain: @@true\n        host: front.cloud.example\n", "services.xgen-mcp-station.hasDomain", "which xgen-frontend answers already"),
    ],
    "arns-are-of-the-partition": [
        Wrong("cloud", '["arn:aws:iam::123456789012:role/platform"]', '[@@"arn:aws-cn:iam::123456789012:role/platform"]', "cluster.admins[0]", "an ARN of partition aws-cn"),
    ],
    "ecr-has-a-home": [
        Wrong("vendors", VENDORS, f"{VENDORS}    registry: @@{{kind: ecr, region: eu-central-1}}\n", "registry.account", "the account of the repositories"),
    ],
    "bucket-has-a-valid-name": [
        Wrong("vendors", VENDORS, f"{VENDORS}    project: {LONG}\n", "cluster.bucket.name", "which follows from the project"),
    ],
    "kubernetes-has-pins": [
        Wrong("cloud", 'version: "1.34"', 'version: @@"1.19"', "cluster.version", "one of '1."),
    ],
    "folders-stay-inside": [
        Wrong("cloud", "path: deploy", "path: @@/deploy", "source.path", "a folder of the repository"),
        Wrong("cloud", "path: deploy", "path: @@a b", "source.path", "a folder of the repository"),
    ],
    "vars-contradict-nothing-wired": [
        Wrong("cloud", FLAGS, "S3_BUCKET: @@other", "vars.S3_BUCKET", "which comes from cluster.bucket.name"),
        Wrong("cloud", FLAGS, 'MINIO_SECURE: @@"false"', "vars.MINIO_SECURE", "expected 'true'"),
        Wrong("cloud", FLAGS, "AWS_REGION: @@us-east-1", "vars.AWS_REGION", "which comes from cluster.region"),
        Wrong("cloud", FLAGS, "APP_SITE: @@aww", "vars.APP_SITE", "which comes from appSite"),
        Wrong("cloud", FLAGS, "POSTGRES_HOST: @@10.0.0.1", "vars.POSTGRES_HOST", "which comes from infra.postgres.host"),
        Wrong("cloud", "LOG_LEVEL: debug", 'REDIS_PORT: @@"1"', "services.xgen-frontend.vars.REDIS_PORT", "infra.redis.port"),
        Wrong("cloud", FLAGS, "POSTGRES_PASSWORD: @@hunter2", "vars.POSTGRES_PASSWORD", "xgen-infra:postgresPassword"),
        Wrong("cloud", FLAGS, "MINIO_DATA_SECRET_KEY: @@hunter2", "vars.MINIO_DATA_SECRET_KEY", "the access key that this program makes"),
        Wrong("vendors", VENDORS, VENDORS + "    vars: {MINIO_DATA_SECRET_KEY: @@hunter2}\n", "vars.MINIO_DATA_SECRET_KEY", "xgen-infra:minioSecretKey"),
    ],
    "dotenv-carries-every-value": [
        Wrong("cloud", FLAGS, 'FEATURE_FLAGS: @@"${HOME}"', "vars.FEATURE_FLAGS", "python-dotenv expands"),
        Wrong("cloud", 'EMBEDDING_BATCH: "32"', 'EMBEDDING_BATCH: @@"a${B}"', "services.xgen-documents.vars.EMBEDDING_BATCH", "python-dotenv expands"),
    ],
}  # fmt: skip

WARNED = {
    "capacity-suffices": [
        Wrong("cloud", f"resources:\n          {GATEWAY}", "resources: {requests: {cpu: 4}, limits: {cpu: 4}}\n        autoscaling: {maxReplicas: 20}", "cluster.nodes.max", "at their most replicas"),
        Wrong("cloud", f"resources:\n          {GATEWAY}", "resources: {requests: {cpu: 4}, limits: {cpu: 4}}\n        autoscaling: {minReplicas: 10, maxReplicas: 20}", "cluster.nodes.max", "at their fewest replicas"),
        Wrong("cloud", f"resources:\n          {GATEWAY}", "resources: {requests: {memory: 20Gi}, limits: {memory: 20Gi}}\n        autoscaling: {maxReplicas: 9}", "cluster.nodes.max", "of memory for pods"),
    ],
    "docker-shadows-the-vpc": [
        Wrong("cloud", VPC, "vpcCidr: @@192.168.0.0/16", "cluster.vpcCidr", "default-address-pools"),
    ],
    "management-side-is-complete": [
        Wrong("cloud", f'account: "210987654321"\n      region: ap-northeast-1\n      roleArn: {ROLE}\n', 'account: @@"210987654321"\n', "management.account", "by hand"),
        Wrong("cloud", "      routeTableIds: [rtb-0a1b2c3d4e5f60718]\n", "", "management.routeTableIds", "no reply arrives"),
        Wrong("cloud", "      securityGroupIds: [sg-0a1b2c3d4e5f60718]\n", "", "management.securityGroupIds", "must already admit"),
    ],
    "the-internet-gets-https": [
        Wrong("cloud", f"      {CERTIFICATE}\n", "", "exposure.certificateArn", "plain HTTP"),
        Wrong("onprem", "kind: internal\n      domain: xgen.onprem.example\n      tlsSecret: xgen-tls\n", "kind: public\n      domain: xgen.onprem.example\n", "exposure.tlsSecret", "plain HTTP"),
    ],
    "vars-contradict-nothing-wired": [
        Wrong("cloud", FLAGS, "S3_BUCKET: @@xgen-cloud-documents", "vars.S3_BUCKET", "it has anyway"),
    ],
}  # fmt: skip


def each(table: dict[str, list[Wrong]]) -> list[Any]:
    return [
        pytest.param(rule, wrong, id=f"{rule}-{wrong}") for rule, wrongs in table.items() for wrong in wrongs
    ]


def seen(folder: Path, wrong: Wrong, severity: str) -> list[str]:
    found = [one for one in findings(folder, {wrong.stack: wrong.text}) if one.severity == severity]
    said = [one for one in found if one.path == wrong.path and wrong.says in one.message]
    assert said, [one.text for one in found]
    if "@@" in wrong.new:
        assert (said[0].line, said[0].column) == wrong.place, said[0].text
    assert all("hunter2" not in one.text for one in found)
    return sorted({one.rule for one in found})


@pytest.mark.parametrize(("rule", "wrong"), each(REFUSED))
def test_a_contradiction_is_refused_by_its_rule_alone(tmp_path: Path, rule: str, wrong: Wrong) -> None:
    assert seen(tmp_path, wrong, "error") == [rule]


@pytest.mark.parametrize(("rule", "wrong"), each(WARNED))
def test_a_doubtful_value_is_a_warning_of_its_rule_alone(tmp_path: Path, rule: str, wrong: Wrong) -> None:
    assert seen(tmp_path, wrong, "warning") == [rule]
    assert errors(findings(tmp_path, {wrong.stack: wrong.text})) == []


def test_every_rule_is_shown_by_an_example() -> None:
    assert {rule.__name__.replace("_", "-") for rule in RULES} == {*REFUSED, *WARNED}


PASSES = {
    "a VPC below Docker's networks": ("cloud", VPC, "vpcCidr: 172.16.0.0/16"),
    "a smaller VPC": ("cloud", VPC, "vpcCidr: 10.40.16.0/20"),
    "a host within the VPC": ("cloud", QDRANT, "host: 10.40.7.7"),
    "a host on the internet": ("cloud", QDRANT, "host: 198.51.100.9"),
    "Docker's network where no Docker host is peered": ("shared", "vpcCidr: 10.60.0.0/16", "vpcCidr: 172.17.0.0/16"),
    "no replicas beside an autoscaler": ("cloud", "        replicas: 1\n", ""),
    "replicas alone": ("vendors", VENDORS, VENDORS + "    services: {xgen-core: {replicas: 3}}\n"),
    "few replicas alone": ("vendors", VENDORS, VENDORS + "    services: {xgen-core: {replicas: 1}}\n"),
    "an instance family whose size is not known": ("cloud", "[m7i.2xlarge, m6i.2xlarge]", "[x2idn.16xlarge]"),
    "a quantity as a number": ("cloud", "cpu: 100m", "cpu: 0.1"),
    "a quantity as an exponent": ("cloud", "memory: 256Mi", "memory: 2e8"),
    "a dollar in a service without .env": ("cloud", "LOG_LEVEL: debug", "LOG_LEVEL: ${X}"),
    "a dollar alone in a service with .env": ("cloud", 'EMBEDDING_BATCH: "32"', "EMBEDDING_BATCH: a$b"),
    "a service with a host of its own": ("cloud", "        hasDomain: false\n", "        hasDomain: true\n        host: mcp.cloud.example\n"),
    "every network as client of a public site": ("cloud", "[198.51.100.0/24]", "[0.0.0.0/0]"),
    "a private address on K3s": ("vendors", VENDORS, VENDORS + "    infra: {redis: {host: 192.168.1.5}}\n"),
    "an alias": ("cloud", POSTGRES + " port: 5432, database: xgen, user: xgen}\n      redis: {host: 10.20.1.10, port: 6379}", "postgres: &server {host: 10.20.1.10}\n      redis: *server"),
}  # fmt: skip


@pytest.mark.parametrize(("stack", "old", "new"), PASSES.values(), ids=PASSES)
def test_what_no_rule_forbids_passes_without_a_word(tmp_path: Path, stack: str, old: str, new: str) -> None:
    assert [one.text for one in findings(tmp_path, {stack: Wrong(stack, old, new, "", "").text})] == []


SIZES = {
    "m7i.2xlarge": (8, 32), "m7i.large": (2, 8), "c7g.medium": (1, 2), "r6i.4xlarge": (16, 128),
    "m7i-flex.xlarge": (4, 16), "t3.medium": (2, 4), "t4g.xlarge": (4, 16), "m5.24xlarge": (96, 384),
}  # fmt: skip


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_an_instance_type_tells_its_size(name: str, size: tuple[int, int]) -> None:
    found = node(name)
    assert found is not None
    assert found.cpu == size[0]
    assert found.memory == size[1] * 1024**3
    assert 0.8 < found.free_cpu / found.cpu < 1
    assert 0.3 < found.free_memory / found.memory < 0.99


@pytest.mark.parametrize(
    "name", ["x2idn.16xlarge", "c5n.large", "m4.large", "p5.48xlarge", "m7i.metal-24xl", "u-6tb1.metal"]
)
def test_an_instance_type_of_another_family_tells_nothing(name: str) -> None:
    assert node(name) is None


def test_one_error_does_not_hide_another_of_the_same_file(tmp_path: Path) -> None:
    text = sample("cloud").replace(VPC, "vpcCidr: 10.20.0.0/16").replace("nat: perZone", "nat: double")
    text = text.replace("min: 1\n", "mini: 1\n").replace("port: 6379", "port: x").replace("min: 1\n", "")
    paths = [one.path for one in errors(findings(tmp_path, {"cloud": text}))]
    assert paths == ["cluster.vpcCidr", "cluster.nat", "cluster.nodes.mini", "infra.redis.port"]


def test_a_misspelt_key_is_not_told_a_second_time_as_missing(tmp_path: Path) -> None:
    text = sample("cloud").replace("    management:\n", "    managment:\n")
    (one,) = errors(findings(tmp_path, {"cloud": text}))
    assert (one.path, one.mend) == ("managment", "did you mean 'management'?")
