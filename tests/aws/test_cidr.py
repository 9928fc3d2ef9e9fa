from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, collapse_addresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgen_infra.aws.cidr import ZONES, inside, layout


@st.composite
def networks(draw: st.DrawFn, low: int = 16, high: int = 20) -> IPv4Network:
    prefix = draw(st.integers(low, high))
    address = draw(st.integers(0, 2**32 - 1)) >> (32 - prefix) << (32 - prefix)
    return IPv4Network((address, prefix))


@given(networks())
def test_the_subnets_fill_the_vpc_and_never_overlap(vpc: IPv4Network) -> None:
    found = layout(vpc)
    parts = [*found.private, *found.public, *found.spare]
    assert list(collapse_addresses(parts)) == [vpc]
    assert sum(part.num_addresses for part in parts) == vpc.num_addresses


@given(networks())
def test_every_zone_has_a_large_private_and_a_small_public_subnet(vpc: IPv4Network) -> None:
    found = layout(vpc)
    assert len(found.private) == len(found.public) == ZONES
    assert all(subnet.num_addresses == vpc.num_addresses // 4 for subnet in found.private)
    # A load balancer needs a /27 with eight addresses free (Elastic Load Balancing, "Subnets for your ALB").
    assert all(subnet.prefixlen <= 27 for subnet in found.public)
    assert all(subnet.prefixlen <= 28 for subnet in found.private)


@given(networks())
def test_the_smallest_vpc_has_room_for_three_thousand_pods(vpc: IPv4Network) -> None:
    assert layout(vpc).pods >= 3000


def test_a_16_gives_each_zone_sixteen_thousand_pod_addresses() -> None:
    found = layout(IPv4Network("10.40.0.0/16"))
    assert [str(subnet) for subnet in found.private] == ["10.40.0.0/18", "10.40.64.0/18", "10.40.128.0/18"]
    assert [str(subnet) for subnet in found.public] == ["10.40.192.0/22", "10.40.196.0/22", "10.40.200.0/22"]
    assert found.pods == 3 * 16379


@given(networks(8, 15) | networks(21, 30))
def test_a_vpc_that_is_too_large_or_too_small_is_refused(vpc: IPv4Network) -> None:
    with pytest.raises(ValueError, match=r"expected a VPC of /16 to /20"):
        layout(vpc)


@given(networks(), st.integers(0, 2**32 - 1))
def test_an_address_is_inside_exactly_when_the_network_has_it(vpc: IPv4Network, number: int) -> None:
    address = IPv4Address(number)
    assert inside(str(address), vpc) == (address in vpc)


def test_a_host_name_is_never_inside_a_network() -> None:
    assert not inside("postgres.aww.example", IPv4Network("0.0.0.0/0"))
