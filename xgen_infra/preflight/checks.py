"""All checks, in the order in which they are told. To add one, write how it looks and one entry here."""

from __future__ import annotations

from xgen_infra.platform_images import charts
from xgen_infra.preflight import (
    account,
    cluster,
    data,
    images,
    network,
    quotas,
    repository,
    storage,
    tools,
)
from xgen_infra.preflight.check import Check, on_eks, on_k3s
from xgen_infra.preflight.reach import FROM_INSIDE
from xgen_infra.site import Site


def _peered(site: Site) -> bool:
    return site.eks is not None and site.management is not None


def _existing_vpc(site: Site) -> bool:
    return site.eks is not None and site.eks.vpc is not None


def _makes_nodes(site: Site) -> bool:
    return site.eks is not None and not site.eks.existing_cluster


def _mirrored(site: Site) -> bool:
    return site.delivery == "argocd"


CHECKS: tuple[Check, ...] = (
    Check(
        "pulumi",
        "the engine makes everything, and runs the program by its Python host",
        tools.pulumi,
        tools.PULUMI.install,
    ),
    Check(
        "python",
        "the program runs in the virtualenv that Pulumi.yaml names",
        tools.python,
        "run: make setup",
    ),
    Check("git", "the mirror and Argo CD's repository are reached by it", tools.git, tools.GIT.install),
    Check(
        "aws-cli",
        "engine and people get the cluster's tokens from `aws eks get-token`",
        tools.aws,
        tools.AWS.install,
        on_eks,
        "sites on EKS",
    ),
    Check(
        "secrets",
        "the engine opens the stack's secrets at every up",
        tools.secrets,
        "log in to the state (pulumi login), make the stack (pulumi stack init), let its key or "
        "PULUMI_CONFIG_PASSPHRASE open it, and set what is missing: pulumi config set --secret KEY",
    ),
    Check(
        "secrets-key",
        "who has the key reads every secret of the customer; without it nobody does",
        storage.key,
        "run `xgen bootstrap`, then `pulumi stack change-secrets-provider` as it says",
    ),
    Check(
        "aws-identity",
        "a stack never touches another account: every AWS provider refuses one",
        account.identity,
        "use credentials of the account that the file names, or correct cluster.account",
        on_eks,
        "sites on EKS",
    ),
    Check(
        "aws-permissions",
        "a right that is missing stops `up` half-way, or `destroy` years later",
        account.permissions,
        "let an administrator grant it, or run as the deploy role that `xgen bootstrap` makes",
        on_eks,
        "sites on EKS",
        seconds=120,
    ),
    Check(
        "aws-quotas",
        "a quota that is used up stops `up` half-way",
        quotas.quotas,
        "raise it in the Service Quotas console",
        _makes_nodes,
        "sites that make an EKS cluster",
    ),
    Check(
        "instance-types",
        "a type that a zone does not sell leaves the node group without nodes there",
        quotas.instance_types,
        "name other cluster.nodes.instanceTypes, or other cluster.zones",
        _makes_nodes,
        "sites that make an EKS cluster",
    ),
    Check(
        "cluster-name",
        "two clusters of one account and region cannot have one name",
        quotas.cluster_name,
        "rename the stack, or take that cluster over as cluster.existingCluster",
        on_eks,
        "sites on EKS",
    ),
    Check(
        "existing-vpc",
        "the site is put into it, and changes nothing of it but routes",
        network.existing_vpc,
        "correct cluster.vpc",
        _existing_vpc,
        "sites in a VPC that exists",
    ),
    Check(
        "management-network",
        "the peering needs a network, route tables and security groups that exist, and no second way there",
        network.management,
        "correct management in the file",
        _peered,
        "sites on EKS with a management network",
    ),
    Check(
        "bucket",
        "bucket names are global, and documents are nobody else's",
        storage.bucket,
        "write another cluster.bucket.name",
        on_eks,
        "sites on EKS",
    ),
    Check(
        "images",
        "nodes pull by this credential, over this scheme, for this architecture",
        images.images,
        "see what the registry says",
    ),
    Check(
        "chart-repositories",
        "the engine fetches Argo CD and the controllers from there, from this machine",
        images.chart_repositories,
        "let this machine reach it, or write a mirror of it as argocd.chartRepository",
        lambda site: bool(charts(site)),
        "sites that install a third-party chart",
    ),
    Check(
        "git-repository",
        "Argo CD polls it, and knows nothing that is not there",
        repository.git,
        "check source.repoURL, and try: git ls-remote",
        _mirrored,
        "sites delivered by Argo CD",
    ),
    Check(
        "postgres",
        "the services start only where their database lets them in",
        data.postgres,
        FROM_INSIDE,
        lambda site: site.infra.postgres.host is not None,
        "sites whose file names its host",
    ),
    Check(
        "redis",
        "the services start only where their cache lets them in",
        data.redis,
        FROM_INSIDE,
        lambda site: site.infra.redis.host is not None,
        "sites whose file names its host",
    ),
    Check(
        "qdrant",
        "the services start only where their vector store lets them in",
        data.qdrant,
        FROM_INSIDE,
        lambda site: site.infra.qdrant.host is not None,
        "sites whose file names its host",
    ),
    Check(
        "object-store",
        "documents are kept there",
        storage.object_store,
        FROM_INSIDE,
        lambda site: site.k3s is not None and site.infra.minio.endpoint is not None,
        "sites on K3s whose file names an object store",
    ),
    Check(
        "cluster",
        "everything is installed into it, by this kubeconfig",
        cluster.version,
        "set KUBECONFIG, or name the file by --kubeconfig; correct cluster.context",
        on_k3s,
        "sites on K3s",
    ),
    Check(
        "storage-class",
        "the data services' volumes are made by it, and have to outlive a mistake",
        cluster.storage,
        "correct cluster.storage.className or cluster.provisioner",
        cluster.holds_data,
        "sites on K3s with data services in the cluster",
    ),
    Check(
        "ingress-class",
        "without it nobody reaches the platform",
        cluster.ingress,
        "switch K3s' Traefik on again (K3s documentation, Networking Services), or write exposure.kind: none",
        cluster.exposed,
        "exposed sites on K3s",
    ),
    Check(
        "metrics",
        "without it no service scales",
        cluster.metrics,
        "switch K3s' metrics-server on again (it is on unless --disable=metrics-server was given)",
        on_k3s,
        "sites on K3s",
    ),
    Check(
        "nodes",
        "a pod that fits no node waits for ever",
        cluster.nodes_suit,
        "add a node, or lower replicas or requests of the services",
        on_k3s,
        "sites on K3s",
        seconds=120,
    ),
)
"""Names are unique: `--only` and `--skip` take them."""

BY_NAME: dict[str, Check] = {check.name: check for check in CHECKS}
