"""Networks that may not meet: the VPC, the cluster's Services, the management server's network, Docker's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network

from xgen_infra.rules.violation import Violation
from xgen_infra.site import Site

DOCKER_POOLS = tuple(IPv4Network(f"172.{second}.0.0/16") for second in range(17, 32))
"""Networks that Docker takes for its bridges (Docker documentation, "Networking overview": automatic subnet
allocation). A Docker Compose host answers these addresses from its own bridges, whoever asked."""

DOCKER_LAST_POOL = IPv4Network("192.168.0.0/16")
"""The pool that Docker turns to when the others are used up."""

PRIVATE = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
    )
)
"""RFC 1918, RFC 6598, RFC 3927, RFC 1122: addresses that the internet does not route."""


@lru_cache(maxsize=4096)
def is_private(address: IPv4Address) -> bool:
    """Whether the internet does not route an address."""
    return any(address in network for network in PRIVATE)


EVERYONE = IPv4Network("0.0.0.0/0")


def networks_overlap(site: Site) -> Iterator[Violation]:
    """Yield the VPC or the Services' network sharing addresses with the management server's network."""
    if site.eks is None or site.management is None:
        return
    place = ("management", "cidr")
    for key, network in (("vpcCidr", site.eks.vpc_cidr), ("serviceCidr", site.eks.service_cidr)):
        if network.overlaps(site.management.cidr):
            yield Violation(
                ("cluster", key),
                f"{network}, which overlaps management.cidr {site.management.cidr}",
                "a network of its own",
                "traffic to one of the two would never leave the other: choose another network here",
                also=(place,),
            )


def docker_shadows_the_vpc(site: Site) -> Iterator[Violation]:
    """Yield a VPC whose addresses the Docker Compose host takes for its own bridges: replies would be lost."""
    if site.eks is None or site.management is None:
        return
    vpc, path = site.eks.vpc_cidr, ("cluster", "vpcCidr")
    pool = next((pool for pool in DOCKER_POOLS if pool.overlaps(vpc)), None)
    if pool:
        yield Violation(
            path,
            f"{vpc}, which overlaps Docker's own network {pool}",
            "a network outside 172.17.0.0 to 172.31.255.255",
            "a Docker Compose host on the management network would send its replies to its own bridges",
            also=(("management",),),
        )
    elif DOCKER_LAST_POOL.overlaps(vpc):
        yield Violation(
            path,
            f"{vpc}, within Docker's last pool {DOCKER_LAST_POOL}",
            "",
            "make sure that the management server's Docker has default-address-pools without it",
            "warning",
            also=(("management",),),
        )


def api_access_is_narrow(site: Site) -> Iterator[Violation]:
    """Yield networks from which the Kubernetes API may not be reached: everyone's, and those EKS refuses.

    Amazon EKS User Guide, "Cluster API server endpoint": publicAccessCidrs takes public networks, 40 at most.
    """
    if site.eks is None:
        return
    for index, network in enumerate(site.eks.api_access):
        path = ("cluster", "apiAccess", index)
        if network == EVERYONE:
            mend = "name the networks of the people and runners who deploy"
            yield Violation(path, "the whole internet, 0.0.0.0/0", "named networks", mend)
        elif any(network.overlaps(private) for private in PRIVATE):
            mend = "remove it: from inside, the API is reached by its private endpoint"
            yield Violation(path, f"the private network {network}", "a public network", mend)
    if len(site.eks.api_access) > 40:  # noqa: PLR2004
        yield Violation(("cluster", "apiAccess"), f"{len(site.eks.api_access)} networks", "at most 40")


def management_side_is_complete(site: Site) -> Iterator[Violation]:
    """Yield what the other side of the peering lacks, or what somebody must do there by hand."""
    management, eks = site.management, site.eks
    if management is None:
        return
    if eks is None:
        mend = "remove it: a K3s site is not peered with anything"
        yield Violation(("management",), "a management network", "none on K3s", mend)
        return
    account = management.account or eks.account
    role = management.role_arn
    if role and role.split(":")[4] != account:
        yield Violation(
            ("management", "roleArn"),
            f"a role of account {role.split(':')[4]}",
            f"a role of the management server's account {account}",
            "write that account as management.account" if management.account is None else "",
            also=(("management", "account"), ("cluster", "account")),
        )
    if account != eks.account and role is None:
        mend = "or its owner accepts the peering and sets the routes by hand: the stack's outputs say how"
        found = f"account {account}, but no roleArn"
        also = (("management", "roleArn"), ("cluster", "account"))
        yield Violation(("management", "account"), found, "management.roleArn", mend, "warning", also)
        return
    for key, values, lack in (
        ("routeTableIds", management.route_table_ids, "without a route back no reply arrives"),
        ("securityGroupIds", management.security_group_ids, "its firewall must already admit the VPC"),
    ):
        if not values:
            yield Violation(
                ("management", key), "none", "", f"{lack}: name them, or set it there by hand", "warning"
            )


def zones_are_of_the_region(site: Site) -> Iterator[Violation]:
    """Yield availability zones of another region than the cluster's."""
    if site.eks is None:
        return
    for index, zone in enumerate(site.eks.zones):
        if zone[:-1] != site.eks.region:
            expected = f"a zone of {site.eks.region}"
            yield Violation(("cluster", "zones", index), f"'{zone}'", expected, also=(("cluster", "region"),))
