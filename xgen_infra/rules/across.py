"""What holds between customers' files: nothing that exists once is claimed by two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from xgen_infra import naming
from xgen_infra.findings import Finding, KeyPath, dotted
from xgen_infra.git import same_repository
from xgen_infra.site import EcrRegistry, EksCluster, Site
from xgen_infra.stackfile import StackFile

Pair = tuple[StackFile, Site]


@dataclass(frozen=True)
class Claim:
    """Something that one file takes and no other may: `thing` is it, `words` how people call it."""

    thing: Hashable
    path: KeyPath
    words: str
    mend: str


def across(sites: Sequence[Pair]) -> list[Finding]:
    """Return what contradicts between files, told at both ends, each end naming one other file.

    Takes time proportional to the number of files, but for sorting their networks.
    """
    claimed: dict[Hashable, list[tuple[StackFile, Claim]]] = defaultdict(list)
    for file, site in sites:
        for claim in _claims(site):
            claimed[claim.thing].append((file, claim))
    twice = (finding for claims in claimed.values() if len(claims) > 1 for finding in _twice(claims))
    return [*twice, *_registries(sites), *_networks(sites)]


def _claims(site: Site) -> Iterator[Claim]:
    if site.eks:
        yield from _account_claims(site, site.eks)
    elif site.infra.minio.endpoint:
        store = site.infra.minio.endpoint
        for bucket in (naming.bucket(site), naming.backup_bucket(site)):
            mend = "each site has its own documents and dumps: write cluster.bucket.name"
            path: KeyPath = ("cluster", "bucket", "name")
            yield Claim(("bucket", store, bucket), path, f"the bucket {bucket} of {store}", mend)
    registry = site.registry
    if isinstance(registry, EcrRegistry) and registry.create and site.eks:
        home = naming.ecr_home(site)
        words = f"the ECR repositories {site.project}/{site.site}/* in {home[1]} of account {home[0]}"
        mend = "one stack makes them: write create: false in the others"
        yield Claim(("ecr", *home, site.project, site.site), ("registry", "create"), words, mend)
    yield from _cluster_claims(site)
    if site.delivery == "argocd":
        source = site.source
        place = (same_repository(source.repo_url), source.path.strip("./"), source.target_revision)
        words = f"the mirror {source.repo_url}, path {source.path}, revision {source.target_revision}"
        mend = "each site publishes its own values there: give it a repository, path or revision of its own"
        yield Claim(("mirror", *place), ("source", "repoURL"), words, mend)
    yield from _host_claims(site)


def _account_claims(site: Site, eks: EksCluster) -> Iterator[Claim]:
    """Yield the buckets and key aliases of a site and of its state: stack `a-state` would take those of stack `a`."""
    for bucket in (naming.bucket(site), naming.state_bucket(site, eks.account)):
        path: KeyPath = ("cluster", "bucket", "name")
        yield Claim(("bucket", bucket), path, f"the bucket {bucket}", "buckets are global")
    for alias in (naming.aws(site), naming.aws(site, "state")):
        words = f"the key alias/{alias} in {eks.region} of account {eks.account}"
        mend = "name the stack or its project otherwise"
        yield Claim(("alias", eks.account, eks.region, alias), ("project",), words, mend)


def _cluster_claims(site: Site) -> Iterator[Claim]:
    """Yield what a site takes of its cluster, which another stack may share, or may have made."""
    if site.eks:
        name = naming.cluster(site)
        cluster: tuple[str | None, ...] = (site.eks.account, site.eks.region, name)
        words = f"the EKS cluster {name} in {site.eks.region} of account {site.eks.account}"
        path: KeyPath = ("cluster", "existingCluster")
    else:
        context = site.k3s.context if site.k3s else None
        cluster, path = (context,), ("cluster", "context")
        words = f"context {context}" if context else "the current context"
    mend = "name another cluster, or another namespace"
    yield Claim(("namespace", *cluster, site.namespace), path, f"namespace {site.namespace} of {words}", mend)
    if site.delivery == "argocd":
        mend = "one Argo CD has one Application of each service: give this site a cluster, or delivery: helm"
        yield Claim(("argocd", *cluster), path, f"Argo CD's Applications of {words}", mend)
    infra = site.infra
    if site.k3s and not (
        infra.postgres.host and infra.redis.host and infra.qdrant.host and infra.minio.endpoint
    ):
        mend = "name the hosts of PostgreSQL, Redis, Qdrant and the object store in infra, or use another cluster"
        words = f"the data services in {naming.DATA_NAMESPACE} of {words}"
        yield Claim(("data", *cluster), path, words, mend)


def _host_claims(site: Site) -> Iterator[Claim]:
    if site.exposure.kind == "none":
        return
    hosts: dict[str, KeyPath] = {}
    if site.exposure.domain:
        hosts[site.exposure.domain] = ("exposure", "domain")
    for spec in site.specs:
        if spec.host:
            hosts.setdefault(spec.host, ("services", spec.service.name, "host"))
    for host, path in hosts.items():
        yield Claim(("host", host), path, f"the host name {host}", "one name leads to one site")


def _twice(claims: Sequence[tuple[StackFile, Claim]]) -> Iterator[Finding]:
    first, second = claims[0], claims[1]
    for index, (file, claim) in enumerate(claims):
        other, theirs = second if index == 0 else first
        more = f" and {len(claims) - 2} more" if len(claims) > 2 else ""  # noqa: PLR2004
        yield _finding(
            file, claim.path, f"{claim.words}, which {_place(other, theirs.path)}{more} takes too", claim.mend
        )


def _place(file: StackFile, path: KeyPath) -> str:
    return f"{file.name}:{file.where(path).line}"


def _finding(
    file: StackFile, path: KeyPath, found: str, mend: str, *, expected: str = "", rule: str = "claimed-twice"
) -> Finding:
    at = file.where(path)
    return Finding(file.name, at.line, at.column, dotted(path), found, expected, mend, "error", rule)


def _registries(sites: Sequence[Pair]) -> Iterator[Finding]:
    """Two stacks may share a site's images; then they share the registry that has them."""
    first: dict[tuple[str, str], tuple[StackFile, str]] = {}
    for file, site in sites:
        if (
            isinstance(site.registry, EcrRegistry)
            and site.k3s
            and not (site.registry.account and site.registry.region)
        ):
            continue  # its own file's rule says what it lacks
        host = naming.registry_host(site)
        other, theirs = first.setdefault((site.project, site.site), (file, host))
        if host != theirs:
            found = (
                f"{host}, but {_place(other, ('registry',))} has the images of site {site.site} in {theirs}"
            )
            mend = "two stacks of one site pull the same images: write the same registry, or another site"
            yield _finding(file, ("registry",), found, mend, rule="one-registry")


@dataclass(frozen=True)
class _Network:
    """A network with whoever claims it; `owner` tells apart what may lie on itself: one VPC, one management."""

    cidr: IPv4Network
    owner: Hashable
    file: StackFile
    path: KeyPath
    words: str

    @property
    def first(self) -> int:
        return int(self.cidr.network_address)

    @property
    def last(self) -> int:
        return int(self.cidr.broadcast_address)


def _networks(sites: Iterable[Pair]) -> Iterator[Finding]:
    """VPCs that are peered with one management network have one routing table there: they may not overlap."""
    groups: dict[str, list[_Network]] = defaultdict(list)
    for file, site in sites:
        if site.eks is None or site.management is None:
            continue
        management, vpc = site.management, site.eks.vpc
        own = ("vpc", vpc.id if vpc else file.name)
        group = groups[management.vpc_id]
        group.append(_Network(site.eks.vpc_cidr, own, file, ("cluster", "vpcCidr"), "vpcCidr"))
        path = ("management", "cidr")
        group.append(_Network(management.cidr, "management", file, path, "management.cidr"))
    for vpc_id, group in groups.items():
        yield from _overlaps(vpc_id, group)


def _overlaps(vpc_id: str, group: list[_Network]) -> Iterator[Finding]:
    """Sweep over the networks by their first address; each that meets another is told once."""
    told: set[int] = set()
    widest: dict[bool, _Network] = {}
    for network in sorted(group, key=lambda one: (one.first, -one.last, one.file.name)):
        for other in _reaching(network, widest):
            for one, two in ((network, other), (other, network)):
                if id(one) not in told and one.words == "vpcCidr":
                    told.add(id(one))
                    found = (
                        f"{one.cidr}, which overlaps {two.words} {two.cidr} of {_place(two.file, two.path)}"
                    )
                    mend = f"both are routed by the management network {vpc_id}: choose another network"
                    yield _finding(
                        one.file,
                        one.path,
                        found,
                        mend,
                        expected="a network of its own",
                        rule="networks-overlap",
                    )
        kind = network.words == "vpcCidr"
        if kind not in widest or network.last > widest[kind].last:
            widest[kind] = network


def _reaching(network: _Network, widest: dict[bool, _Network]) -> Iterator[_Network]:
    """Yield, of each kind, the network so far that reaches furthest, where it reaches into this one."""
    for other in widest.values():
        if other.owner != network.owner and other.file is not network.file and other.last >= network.first:
            yield other
