"""Hosts that the pods and nodes must reach: databases, registry, Git server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address

from xgen_infra.findings import KeyPath
from xgen_infra.git import git_address
from xgen_infra.rules.networks import is_private
from xgen_infra.rules.violation import Violation
from xgen_infra.site import LocalRegistry, NexusRegistry, Site

DATA = ("postgres", "redis", "qdrant")


@lru_cache(maxsize=4096)
def address(host: str) -> IPv4Address | None:
    """Return a host as an address; None for a name."""
    try:
        return IPv4Address(host)
    except AddressValueError:
        return None


def _data_hosts(site: Site) -> Iterator[tuple[KeyPath, str]]:
    for name in DATA:
        host = getattr(site.infra, name).host
        if host:
            yield ("infra", name, "host"), host


def _hosts(site: Site) -> Iterator[tuple[KeyPath, str]]:
    yield from _data_hosts(site)
    if isinstance(site.registry, NexusRegistry):
        yield ("registry", "host"), site.registry.host.partition(":")[0]
    yield ("source", "repoURL"), git_address(site.source.repo_url)[0]


def eks_has_data_services(site: Site) -> Iterator[Violation]:
    """Yield each data service that an EKS site has no host for: this program runs none in the cloud."""
    if site.eks is None:
        return
    for name in DATA:
        if getattr(site.infra, name).host is None:
            mend = "on EKS the databases run outside the cluster: write their host"
            yield Violation(("infra", name, "host"), "nothing", "a host name or IPv4 address", mend)


def hosts_are_reachable(site: Site) -> Iterator[Violation]:
    """Yield hosts that no pod can reach: loopback, and private addresses outside the VPC and its peering."""
    for path, host in _hosts(site):
        at = address(host)
        if at is None and host.replace(".", "").isdigit():
            yield Violation(path, f"'{host}'", "a host name or an IPv4 address of four numbers up to 255")
        elif host == "localhost" or (at and (at.is_loopback or at.is_unspecified or at.is_link_local)):
            mend = "inside a pod that is the pod itself: write the server's address"
            yield Violation(path, f"'{host}'", "an address that pods reach", mend)
        elif at and site.eks and is_private(at):
            yield from _within(site, path, at)


def _within(site: Site, path: KeyPath, at: IPv4Address) -> Iterator[Violation]:
    assert site.eks is not None  # noqa: S101
    also: tuple[KeyPath, ...] = (("management",), ("cluster", "vpcCidr"))
    if at in site.eks.vpc_cidr:
        return
    if site.management is None:
        yield Violation(
            path,
            f"the private address {at} outside the VPC",
            "management: with the network to be peered",
            "nothing connects the VPC with that address",
            also=also,
        )
    elif at not in site.management.cidr:
        expected = f"an address within management.cidr {site.management.cidr} or vpcCidr {site.eks.vpc_cidr}"
        yield Violation(path, f"the private address {at}", expected, also=also)


def object_store_is_the_bucket(site: Site) -> Iterator[Violation]:
    """Yield an endpoint on EKS, where the object store is the bucket that this program makes."""
    endpoint = site.infra.minio.endpoint
    if site.eks and endpoint:
        expected = f"none on EKS: it is S3 in {site.eks.region}"
        yield Violation(("infra", "minio", "endpoint"), f"'{endpoint}'", expected, "remove it")


def registry_fits_the_cluster(site: Site) -> Iterator[Violation]:
    """Yield registries that the cluster's nodes cannot use, and settings that contradict each other."""
    registry, path = site.registry, ("registry",)
    also: tuple[KeyPath, ...] = (("cluster", "kind"), ("registry", "kind"))
    if isinstance(registry, LocalRegistry) and site.eks:
        mend = "write kind: nexus with its host, or kind: ecr"
        yield Violation((*path, "kind"), "a registry inside the cluster", "none on EKS", mend, also=also)
    if isinstance(registry, NexusRegistry) and registry.plain_http and registry.ca_certificate:
        mend = "plain HTTP shows no certificate: remove one of them"
        yield Violation((*path, "caCertificate"), "a certificate beside plainHttp: true", "", mend, also=also)
    if isinstance(registry, (NexusRegistry, LocalRegistry)):
        port = registry.host.partition(":")[2]
        if port and not 1 <= int(port) <= 65535:  # noqa: PLR2004
            yield Violation((*path, "host"), f"the port {port}", "a port from 1 to 65535")
