"""Arithmetic on IPv4 networks: how a VPC is cut up, and which networks may not meet. Imports no Pulumi."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

ZONES = 3
"""Availability zones of a site: EKS asks for two at least; three survive the loss of one with a majority."""

SMALLEST_PREFIX = 16
LARGEST_PREFIX = 20
RESERVED_PER_SUBNET = 5
"""Addresses of every subnet that AWS keeps (Amazon VPC User Guide, "Subnet sizing for IPv4")."""

DOCKER_POOLS: tuple[IPv4Network, ...] = tuple(
    collapse_addresses(IPv4Network(f"172.{second}.0.0/16") for second in range(17, 32))
)
"""Docker Engine's default bridge and Compose networks, 172.17.0.0/16 to 172.31.0.0/16 (Docker documentation,
"Networking overview", automatic subnet allocation). A Compose host answers these from its own bridges."""


@dataclass(frozen=True)
class Layout:
    """The subnets of a VPC, one of each kind per zone.

    `private` is for nodes and pods, `public` for NAT gateways and load balancers, `spare` what is left.
    """

    private: tuple[IPv4Network, ...]
    public: tuple[IPv4Network, ...]
    spare: tuple[IPv4Network, ...]

    @property
    def pods(self) -> int:
        """Addresses for nodes and pods over all zones."""
        return sum(subnet.num_addresses - RESERVED_PER_SUBNET for subnet in self.private)


def layout(vpc: IPv4Network) -> Layout:
    """Cut a VPC up: three quarters are the private subnets, the last quarter holds three small public ones.

    Raises ValueError outside /16 to /20 (AWS takes nothing larger; below /20 pods run out of addresses).
    """
    if not SMALLEST_PREFIX <= vpc.prefixlen <= LARGEST_PREFIX:
        raise ValueError(
            f"{vpc}: expected a VPC of /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}, "
            "so that three zones have room for their pods"
        )
    quarters = list(vpc.subnets(prefixlen_diff=2))
    slices = list(quarters[ZONES].subnets(prefixlen_diff=4))
    spare = collapse_addresses(slices[ZONES:])
    return Layout(tuple(quarters[:ZONES]), tuple(slices[:ZONES]), tuple(spare))


def overlaps(network: IPv4Network, others: Iterable[IPv4Network]) -> IPv4Network | None:
    """Return the first of `others` that shares an address with `network`, or None."""
    return next((other for other in others if network.overlaps(other)), None)


@dataclass(frozen=True)
class Named:
    """A network and what it is called in messages."""

    name: str
    network: IPv4Network


def clashes(networks: Sequence[Named]) -> list[str]:
    """Say of every pair of networks that overlaps which two they are; empty where none does."""
    return [
        f"{one.name} {one.network} overlaps {other.name} {other.network}"
        for index, one in enumerate(networks)
        for other in networks[index + 1 :]
        if one.network.overlaps(other.network)
    ]


def docker_clash(network: IPv4Network) -> str | None:
    """Say why a Compose host on the other end would not answer this network; None where it would."""
    pool = overlaps(network, DOCKER_POOLS)
    if pool is None:
        return None
    return (
        f"{network} overlaps 172.17.0.0 to 172.31.255.255, from which Docker gives its networks addresses: a "
        "Docker Compose host would send its replies to its own bridges. Choose another network"
    )


def inside(host: str, network: IPv4Network) -> bool:
    """Whether a host is an IPv4 address of the network; a host name never is."""
    try:
        return IPv4Address(host) in network
    except ValueError:
        return False
