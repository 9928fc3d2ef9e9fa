"""A network for a new VPC that no other customer has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network

from xgen_infra.rules.networks import DOCKER_LAST_POOL, DOCKER_POOLS
from xgen_infra.site import EksCluster, Site

_FIRST = IPv4Network("10.40.0.0/16")
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_LENGTHS = (16, 20)
"""The largest and the smallest VPC that the program makes."""
_SERVICES = EksCluster.model_fields["service_cidr"].default


def free_network(
    sites: Iterable[Site], management_vpc: str | None, management: IPv4Network | None
) -> IPv4Network | None:
    """Return a network that overlaps none of the other sites' VPCs and management networks; None where all are taken.

    Where no such network is left, one that no site behind the same management VPC has: only those are routed together.
    """
    known = [(site.management, site.eks.vpc_cidr) for site in sites if site.eks]
    near = [one for one in known if one[0] and one[0].vpc_id == management_vpc]
    always = [_SERVICES, *DOCKER_POOLS, DOCKER_LAST_POOL, *([management] if management else [])]
    for others in (known, near):
        networks = [cidr for _, cidr in others] + [peer.cidr for peer, _ in others if peer]
        found = _free([*always, *networks])
        if found:
            return found
    return None


def _free(taken: Sequence[IPv4Network]) -> IPv4Network | None:
    spans = sorted((int(one.network_address), int(one.broadcast_address)) for one in taken)
    return next((one for one in _candidates() if not _meets(one, spans)), None)


def _meets(network: IPv4Network, spans: Sequence[tuple[int, int]]) -> bool:
    first, last = int(network.network_address), int(network.broadcast_address)
    return any(low <= last and first <= high for low, high in spans)


def _candidates() -> Iterator[IPv4Network]:
    """Yield the largest first, beginning where the samples begin; round to the lower ones at the end."""
    for length in _LENGTHS:
        every = [one for part in _PRIVATE for one in part.subnets(new_prefix=length)]
        start = next(index for index, one in enumerate(every) if one.subnet_of(_FIRST))
        yield from (*every[start:], *every[:start])
