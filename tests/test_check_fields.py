"""Wrong values of single fields and keys: the place, and the words that help."""

from __future__ import annotations

from pathlib import Path

import pytest
from checking import Wrong, findings

from xgen_infra.findings import errors

WRONG = [
    # Networks
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.40.0.0", "cluster.vpcCidr", "'10.40.0.0/16'"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.40.0.0/33", "cluster.vpcCidr", "IPv4 CIDR block"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.40.1.0/16", "cluster.vpcCidr", "write '10.40.0.0/16'"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.400.0.0/16", "cluster.vpcCidr", "IPv4 CIDR block"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.40.0.0/24", "cluster.vpcCidr", "/16 to /20"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.0.0.0/8", "cluster.vpcCidr", "/16 to /20"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", 'vpcCidr: @@"fd00::/16"', "cluster.vpcCidr", "IPv4 CIDR block"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: @@10.100.0.0/16", "cluster.vpcCidr", "overlaps serviceCidr"),
    Wrong("cloud", "serviceCidr: 10.100.0.0/16", "serviceCidr: @@10.0.0.0/8", "cluster.serviceCidr", "/12 to /24"),
    Wrong("cloud", "apiAccess: [203.0.113.0/24]", "apiAccess: [@@203.0.113.7/24]", "cluster.apiAccess[0]", "write '203.0.113.0/24'"),
    Wrong("cloud", "apiAccess: [203.0.113.0/24]", "apiAccess: @@203.0.113.0/24", "cluster.apiAccess", "expected a list"),
    Wrong("cloud", "cidr: 10.20.0.0/16", "cidr: @@10.20.0.0 /16", "management.cidr", "IPv4 CIDR block"),
    Wrong("cloud", "serviceCidr: 10.100.0.0/16", "serviceCidr: @@10.100.0.1/16", "cluster.serviceCidr", "write '10.100.0.0/16'"),
    # AWS identifiers
    Wrong("cloud", 'account: "123456789012"', "account: @@123456789012", "cluster.account", "write it in quotes: '123456789012'"),
    Wrong("cloud", 'account: "123456789012"', "account: @@012345678901", "cluster.account", "write it in quotes: '012345678901'"),
    Wrong("cloud", 'account: "123456789012"', 'account: @@"12345678901"', "cluster.account", "twelve digits"),
    Wrong("cloud", 'account: "123456789012"', "account: @@1234-5678-9012", "cluster.account", "twelve digits"),
    Wrong("cloud", 'version: "1.34"', "version: @@1.30", "cluster.version", "write it in quotes: '1.30'"),
    Wrong("cloud", 'version: "1.34"', 'version: @@"1.34.2"', "cluster.version", "minor version"),
    Wrong("cloud", 'version: "1.34"', "version: @@latest", "cluster.version", "minor version"),
    Wrong("cloud", "region: ap-northeast-2", "region: @@seoul", "cluster.region", "'ap-northeast-2'"),
    Wrong("cloud", "region: ap-northeast-2", "region: @@ap-northeast-2a", "cluster.region", "an AWS region"),
    Wrong("cloud", "vpcId: vpc-0a1b2c3d4e5f60718", "vpcId: @@vpc-XYZ", "management.vpcId", "the id of a VPC"),
    Wrong("cloud", "routeTableIds: [rtb-0a1b2c3d4e5f60718]", "routeTableIds: [@@subnet-0a1b2c3d]", "management.routeTableIds[0]", "route table"),
    Wrong("cloud", "securityGroupIds: [sg-0a1b2c3d4e5f60718]", "securityGroupIds: @@sg-0a1b2c3d4e5f60718", "management.securityGroupIds", "expected a list"),
    Wrong("cloud", '["arn:aws:iam::123456789012:role/platform"]', "[@@platform]", "cluster.admins[0]", "ARN of an IAM role"),
    Wrong("cloud", "- arn:aws:iam::123456789012:role/xgen-deploy", "- @@arn:aws:iam::12345:role/x", "cluster.runners[0]", "ARN of an IAM role"),
    Wrong("cloud", "arn:aws:acm:ap-northeast-2:123456789012:certificate/", "@@arn:aws:acm:ap-northeast-2:certificate/", "exposure.certificateArn", "ACM certificate"),
    Wrong("cloud", "[m7i.2xlarge, m6i.2xlarge]", "@@[]", "cluster.nodes.instanceTypes", "at least 1"),
    Wrong("cloud", "[m7i.2xlarge, m6i.2xlarge]", "[m7i.2xlarge, @@large]", "cluster.nodes.instanceTypes[1]", "EC2 instance type"),
    Wrong("cloud", "capacityType: ON_DEMAND", "capacityType: @@spot", "cluster.nodes.capacityType", "'ON_DEMAND', 'SPOT'"),
    Wrong("cloud", "nat: perZone", "nat: @@per-zone", "cluster.nat", "'single', 'perZone'"),
    Wrong("cloud", "logRetentionDays: 90", "logRetentionDays: @@45", "cluster.logRetentionDays", "60, 90, 180"),
    Wrong("cloud", "logRetentionDays: 90", 'logRetentionDays: @@"90"', "cluster.logRetentionDays", "one of 1, 3, 5"),
    Wrong("cloud", "kind: eks", "kind: @@aks", "cluster.kind", "'eks', 'k3s'"),
    Wrong("shared", "privateSubnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]", "privateSubnetIds: @@[subnet-0123456789abcdef0]", "cluster.vpc.privateSubnetIds", "at least 2"),
    Wrong("shared", "existingCluster: platform", "existingCluster: @@_platform", "cluster.existingCluster", "found '_platform'"),
    # Numbers
    Wrong("cloud", "        min: 1\n", "        min: @@5\n", "cluster.nodes.min", "above nodes.max 4"),
    Wrong("cloud", "        max: 4\n", "        max: @@0\n", "cluster.nodes.max", "from 1 to 1000"),
    Wrong("cloud", "        max: 4\n", '        max: @@"4"\n', "cluster.nodes.max", "without quotes: 4"),
    Wrong("cloud", "        max: 4\n", "        max: @@4.5\n", "cluster.nodes.max", "found the number 4.5"),
    Wrong("cloud", "        max: 4\n", "        max: @@four\n", "cluster.nodes.max", "a whole number"),
    Wrong("cloud", "        max: 4\n", "        max: @@true\n", "cluster.nodes.max", "the boolean true"),
    Wrong("cloud", "        max: 4\n", "        max: @@-1\n", "cluster.nodes.max", "from 1 to 1000"),
    Wrong("cloud", "diskGib: 100", "diskGib: @@10", "cluster.nodes.diskGib", "from 20 to 16384"),
    Wrong("cloud", "diskGib: 100", "diskGib: @@100Gi", "cluster.nodes.diskGib", "a whole number"),
    Wrong("cloud", "port: 5432", "port: @@54321000", "infra.postgres.port", "from 1 to 65535"),
    Wrong("cloud", "grpcPort: 6334", "grpcPort: @@0", "infra.qdrant.grpcPort", "from 1 to 65535"),
    Wrong("cloud", "pollSeconds: 60", "pollSeconds: @@5", "source.pollSeconds", "from 30 to 3600"),
    Wrong("cloud", "pollSeconds: 60", "pollSeconds: @@1m", "source.pollSeconds", "a whole number"),
    Wrong("cloud", "noncurrentDays: 90", "noncurrentDays: @@0", "cluster.bucket.noncurrentDays", "from 1 to 3650"),
    Wrong("cloud", "targetCpu: 70", "targetCpu: @@100", "services.xgen-frontend.autoscaling.targetCpu", "from 10 to 95"),
    Wrong("cloud", "runAsUser: 101", "runAsUser: @@www", "services.xgen-frontend.podSecurity.runAsUser", "from 0 to 65535"),
    Wrong("onprem", "keepDays: 30", "keepDays: @@30d", "cluster.backup.keepDays", "from 1 to 3650"),
    Wrong("cloud", "generations: {secrets: 2", "generations: {secrets: @@0", "generations.secrets", "from 1 to 1000"),
    # Booleans
    Wrong("cloud", "flowLogs: true", "flowLogs: @@yes", "cluster.flowLogs", "write true or false, without quotes"),
    Wrong("cloud", "flowLogs: true", 'flowLogs: @@"true"', "cluster.flowLogs", "write true or false, without quotes"),
    Wrong("cloud", "flowLogs: true", "flowLogs: @@1", "cluster.flowLogs", "true or false"),
    Wrong("cloud", "canary: false", "canary: @@no", "canary", "write true or false, without quotes"),
    Wrong("cloud", "dex: false", "dex: @@off", "argocd.dex", "write true or false, without quotes"),
    Wrong("cloud", "deletionProtection: true", "deletionProtection: @@on", "cluster.deletionProtection", "true or false"),
    # Names
    Wrong("cloud", "site: cloud\n", "site: @@Cloud\n", "site", "lower-case letters"),
    Wrong("cloud", "site: cloud\n", "site: @@a-very-long-name-of-a-customer\n", "site", "at most 24 characters"),
    Wrong("cloud", "site: cloud\n", "site: @@7up\n", "site", "a letter first"),
    Wrong("cloud", "namespace: xgen\n", "namespace: @@Xgen\n", "namespace", "DNS label"),
    Wrong("cloud", "namespace: xgen\n", "namespace: @@xgen_prd\n", "namespace", "DNS label"),
    Wrong("cloud", "namespace: xgen\n", "namespace: @@xgen.prd\n", "namespace", "DNS label"),
    Wrong("cloud", "namespace: xgen\n", "namespace: @@-xgen\n", "namespace", "DNS label"),
    Wrong("cloud", "namespace: xgen\n", f"namespace: @@{'x' * 64}\n", "namespace", "at most 63"),
    Wrong("cloud", "project: xgen\n", "project: @@XGEN\n", "project", "DNS label"),
    Wrong("cloud", "name: xgen-cloud-documents", "name: @@Xgen-Documents", "cluster.bucket.name", "S3 bucket name"),
    Wrong("cloud", "name: xgen-cloud-documents", "name: @@xg", "cluster.bucket.name", "3 to 63"),
    Wrong("cloud", "name: xgen-cloud-documents", "name: @@xgen..documents", "cluster.bucket.name", "S3 bucket name"),
    Wrong("cloud", "name: xgen-cloud-documents", 'name: @@"192.168.0.1"', "cluster.bucket.name", "S3 bucket name"),
    Wrong("cloud", "name: xgen-cloud-documents", "name: @@xn--documents", "cluster.bucket.name", "S3 bucket name"),
    Wrong("cloud", "name: xgen-cloud-documents", "name: @@documents-s3alias", "cluster.bucket.name", "S3 bucket name"),
    Wrong("cloud", "owner: platform@cloud.example", "owner: @@platform", "owner", "e-mail address"),
    Wrong("cloud", "branch: release/cloud", "branch: @@-force", "branch", "a branch, tag or commit"),
    Wrong("cloud", "targetRevision: main", 'targetRevision: @@"main branch"', "source.targetRevision", "a branch, tag or commit"),
    Wrong("cloud", "delivery: argocd", "delivery: @@flux", "delivery", "'argocd', 'helm'"),
    Wrong("cloud", "database: xgen", "database: @@Xgen-DB", "infra.postgres.database", "found 'Xgen-DB'"),
    Wrong("onprem", "className: fast", "className: @@Fast", "cluster.storage.className", "name of a Kubernetes object"),
    Wrong("onprem", "schedule: 17 2 * * *", "schedule: @@daily", "cluster.backup.schedule", "found 'daily'"),
    Wrong("onprem", "tlsSecret: xgen-tls", "tlsSecret: @@xgen_tls", "exposure.tlsSecret", "DNS label"),
    Wrong("cloud", 'tag: "2.0.1"', "tag: @@2.0", "services.xgen-frontend.image.tag", "write it in quotes: '2.0'"),
    Wrong("cloud", "tag: latest-amd64", "tag: @@latest amd64", "images.tag", "an image tag"),
    Wrong("cloud", "digest: sha256:" + "a" * 64, "digest: @@sha256:abc", "services.xgen-frontend.image.digest", "an image digest"),
    # Addresses
    Wrong("cloud", "domain: xgen.cloud.example", "domain: @@https://xgen.cloud.example", "exposure.domain", "without scheme"),
    Wrong("cloud", "domain: xgen.cloud.example", "domain: @@Xgen.Cloud.Example", "exposure.domain", "a host name"),
    Wrong("cloud", "host: qdrant.cloud.example", "host: @@qdrant.cloud.example:6333", "infra.qdrant.host", "without scheme, port"),
    Wrong("cloud", "host: qdrant.cloud.example", "host: @@<mgmt-server-ip>", "infra.qdrant.host", "a host name or IPv4 address"),
    Wrong("cloud", "host: nexus.cloud.example:5000", "host: @@http://nexus.cloud.example:5000", "registry.host", "without scheme"),
    Wrong("cloud", "host: nexus.cloud.example:5000", "host: @@nexus.cloud.example:5000/xgen", "registry.host", "host or host:port"),
    Wrong("cloud", "repoURL: https://gitlab.cloud.example/xgen/xgen-infra.git", "repoURL: @@gitlab.cloud.example/xgen", "source.repoURL", "URL of a Git repository"),
    Wrong("cloud", "repoURL: https://gitlab.cloud.example/xgen/xgen-infra.git", "repoURL: @@https://gitlab.cloud.example", "source.repoURL", "URL of a Git repository"),
    Wrong("cloud", "repoURL: https://gitlab.cloud.example", "repoURL: @@https://me:hunter2@gitlab.cloud.example", "source.repoURL", "no credentials"),
    Wrong("onprem", '"http://minio.onprem.example:9000"', '@@"minio.onprem.example:9000"', "infra.minio.endpoint", "http://host[:port]"),
    Wrong("onprem", '"http://minio.onprem.example:9000"', '@@"http://minio.onprem.example:9000/bucket"', "infra.minio.endpoint", "without a path"),
    Wrong("onprem", '"http://minio.onprem.example:9000"', '@@"http://k:s@minio.onprem.example:9000"', "infra.minio.endpoint", "no credentials"),
    Wrong("cloud", "path: deploy", "path: @@../deploy", "source.path", "a folder of the repository"),
    # Quantities
    Wrong("cloud", "cpu: 100m", "cpu: @@100mm", "services.xgen-frontend.resources.requests.cpu", "Kubernetes quantity"),
    Wrong("cloud", "cpu: 100m", "cpu: @@0", "services.xgen-frontend.resources.requests.cpu", "above zero"),
    Wrong("cloud", "cpu: 100m", "cpu: @@-100m", "services.xgen-frontend.resources.requests.cpu", "Kubernetes quantity"),
    Wrong("cloud", "memory: 256Mi", "memory: @@256MB", "services.xgen-frontend.resources.requests.memory", "'512Mi'"),
    Wrong("cloud", "memory: 256Mi", "memory: @@256 Mi", "services.xgen-frontend.resources.requests.memory", "Kubernetes quantity"),
    Wrong("cloud", "memory: 256Mi", "memory: @@true", "services.xgen-frontend.resources.requests.memory", "the boolean true"),
    Wrong("onprem", "objectStore: 1Ti", "objectStore: @@1TiB", "cluster.storage.objectStore", "Kubernetes quantity"),
    # Unknown keys
    Wrong("cloud", "    registry:\n", "    @@regsitry:\n", "regsitry", "did you mean 'registry'?"),
    Wrong("cloud", "vpcCidr: 10.40.0.0/16", "vpcCidr: 10.40.0.0/16\n      @@vpc_cidr: 10.40.0.0/16", "cluster.vpc_cidr", "did you mean 'vpcCidr'?"),
    Wrong("cloud", "      xgen-workflow: {}", "      @@xgen-worflow: {}", "services.xgen-worflow", "did you mean 'xgen-workflow'?"),
    Wrong("cloud", "      xgen-workflow: {}", "      @@xgen-billing: {}", "services.xgen-billing", "one of xgen-frontend"),
    Wrong("cloud", "      xgen-workflow: {}", "      xgen-workflow: {@@minReplicas: 1}", "services.xgen-workflow.minReplicas", "did you mean 'autoscaling.minReplicas'?"),
    Wrong("cloud", "      xgen-workflow: {}", "      xgen-workflow: {@@memory: 1Gi}", "services.xgen-workflow.memory", "did you mean 'resources."),
    Wrong("cloud", "      xgen-workflow: {}", "      xgen-workflow: {@@tag: x}", "services.xgen-workflow.tag", "did you mean 'image.tag'?"),
    Wrong("cloud", "      xgen-workflow: {}", "      xgen-workflow: {@@hasdomain: true}", "services.xgen-workflow.hasdomain", "did you mean 'hasDomain'?"),
    Wrong("cloud", "    site: cloud\n", "    site: cloud\n    @@registryHost: nexus:5000\n", "registryHost", "did you mean 'registry.host'?"),
    Wrong("cloud", "    site: cloud\n", "    site: cloud\n    @@environments: {}\n", "environments", "did you mean 'services'?"),
    Wrong("cloud", "    site: cloud\n", "    site: cloud\n    @@vpcCidr: 10.0.0.0/16\n", "vpcCidr", "did you mean 'cluster.vpcCidr'?"),
    Wrong("cloud", "    site: cloud\n", "    site: cloud\n    @@stack: cloud\n", "stack", "unknown key 'stack'"),
    Wrong("cloud", "redis: {host: 10.20.1.10, port: 6379}", "redis: {host: 10.20.1.10, @@password: x}", "infra.redis.password", "secrets stand outside the site"),
    Wrong("cloud", "    site: cloud\n", "    site: cloud\n    @@redisPassword: x\n", "redisPassword", "pulumi config set --secret xgen-infra:redisPassword"),
    Wrong("vendors", "{kind: k3s, context: vendors}", "{kind: k3s, context: vendors, @@region: x}", "cluster.region", "unknown key 'region'"),
    Wrong("onprem", "kind: local\n", "kind: local\n      @@username: x\n", "registry.username", "unknown key 'username'"),
    # Missing keys
    Wrong("vendors", 'source: {repoURL: "https://gitlab.vendors.example/xgen/xgen-infra.git"}', "source: @@{}", "source.repoURL", "found nothing"),
    Wrong("vendors", "cluster: {kind: k3s, context: vendors}", "cluster: @@{}", "cluster.kind", "'eks', 'k3s'"),
    Wrong("vendors", "cluster: {kind: k3s, context: vendors}", "cluster:@@", "cluster", "found nothing"),
    Wrong("vendors", 'xgen-infra:site:\n    source: {repoURL: "https://gitlab.vendors.example/xgen/xgen-infra.git"}', "@@xgen-infra:site:", "source", "found nothing; expected a mapping with repoURL"),
    Wrong("vendors", "    cluster: {kind: k3s, context: vendors}\n", "    @@clusters: {kind: k3s}\n", "clusters", "did you mean 'cluster'?"),
    Wrong("shared", "vpc:\n        id: vpc-0123456789abcdef0\n", "@@vpc:\n", "cluster.vpc.id", "the id of a VPC"),
    Wrong("cloud", 'cluster:\n      kind: eks\n      account: "123456789012"\n', "@@cluster:\n      kind: eks\n", "cluster.account", "twelve digits"),
    # Environment variables
    Wrong("cloud", "FEATURE_FLAGS: a,b", "FEATURE_FLAGS: @@true", "vars.FEATURE_FLAGS", "write it in quotes: 'true'"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "FEATURE_FLAGS: @@0777", "vars.FEATURE_FLAGS", "write it in quotes: '0777'"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "FEATURE_FLAGS: @@2026-01-31", "vars.FEATURE_FLAGS", "write it in quotes: '2026-01-31'"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "FEATURE_FLAGS: @@[a, b]", "vars.FEATURE_FLAGS", "found a list"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", 'FEATURE_FLAGS: @@"a\\nb"', "vars.FEATURE_FLAGS", "no line break"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "@@FEATURE-FLAGS: a,b", "vars.FEATURE-FLAGS", "the name of an environment variable"),
    Wrong("cloud", "FEATURE_FLAGS: a,b", "@@2FA: a,b", "vars.2FA", "the name of an environment variable"),
    Wrong("cloud", "LOG_LEVEL: debug", "LOG_LEVEL:@@", "services.xgen-frontend.vars.LOG_LEVEL", "found nothing"),
    # Combinations that one model judges
    Wrong("cloud", "kind: public\n      domain: xgen.cloud.example\n      certificateArn: arn:aws:acm:ap-northeast-2:123456789012:certificate/11111111-2222-3333-4444-555555555555\n", "kind: @@public\n", "exposure.kind", "public without a domain"),
    Wrong("cloud", "kind: public", "kind: @@none", "exposure.kind", "beside a domain or certificate"),
    Wrong("cloud", "[m7i.2xlarge, m6i.2xlarge]", "@@[m7i.2xlarge, m7g.2xlarge]", "cluster.nodes.instanceTypes", "m7g.2xlarge is Arm"),
    Wrong("cloud", "accessKeyGeneration: 3\n      previousAccessKeys: [2]", "accessKeyGeneration: @@3\n      previousAccessKeys: [3]", "cluster.accessKeyGeneration", "one generation twice"),
    Wrong("cloud", "previousAccessKeys: [2]\n      retiredAccessKeys: []", "previousAccessKeys: @@[2]\n      retiredAccessKeys: [1]", "cluster.previousAccessKeys", "with 2 generations"),
    Wrong("cloud", "previousAccessKeys: [2]", "previousAccessKeys: @@[4]", "cluster.previousAccessKeys", "above accessKeyGeneration"),
    Wrong("cloud", "zones: [ap-northeast-2a, ap-northeast-2b, ap-northeast-2c]", "zones: @@[ap-northeast-2a, ap-northeast-2b]", "cluster.zones", "three different"),
    Wrong("shared", "      vpc:\n        id: vpc-0123456789abcdef0\n        privateSubnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]\n        publicSubnetIds: [subnet-0123456789abcdef2, subnet-0123456789abcdef3]\n        privateRouteTableIds: [rtb-0123456789abcdef0]\n      existingCluster: platform", "      existingCluster: @@platform", "cluster.existingCluster", "describe it under vpc"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_field_is_the_one_error_of_its_file(tmp_path: Path, wrong: Wrong) -> None:
    found = errors(findings(tmp_path, {wrong.stack: wrong.text}))
    assert [(one.line, one.column, one.path) for one in found] == [(*wrong.place, wrong.path)], [
        one.text for one in found
    ]
    assert wrong.says in found[0].message


def test_no_finding_tells_a_password_of_a_url(tmp_path: Path) -> None:
    wrong = next(one for one in WRONG if "hunter2" in one.new)
    assert all("hunter2" not in one.text for one in findings(tmp_path, {wrong.stack: wrong.text}))


@pytest.mark.parametrize("name", ["SMTP_PASSWORD", "API_TOKEN", "CLIENT_SECRET", "SIGNING_KEY"])
def test_no_finding_tells_the_value_of_a_variable_that_sounds_secret(tmp_path: Path, name: str) -> None:
    wrong = Wrong("cloud", "FEATURE_FLAGS: a,b", f"{name}: @@90210", f"vars.{name}", "not shown")
    (one,) = findings(tmp_path, {"cloud": wrong.text})
    assert "90210" not in one.text
    assert (one.line, one.path) == (wrong.place[0], wrong.path)
