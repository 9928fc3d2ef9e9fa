"""Arithmetic on IPv4 networks: how a VPC is cut up. Imports no Pulumi."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

ZONES = 3
"""Availability zones of a site: EKS asks for two at least; three survive the loss of one with a majority."""

SMALLEST_PREFIX = 16
LARGEST_PREFIX = 20
RESERVED_PER_SUBNET = 5
"""Addresses of every subnet that AWS keeps (Amazon VPC User Guide, "Subnet sizing for IPv4")."""


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


def inside(host: str, network: IPv4Network) -> bool:
    """Whether a host is an IPv4 address of the network; a host name never is."""
    try:
        return IPv4Address(host) in network
    except ValueError:
        return False
