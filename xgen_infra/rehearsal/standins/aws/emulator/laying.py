"""Makes existing networks in this process' moto, with the ids that customers' files name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from unittest import mock

from moto.ec2.models import ec2_backends, route_tables, security_groups, subnets, vpcs

from xgen_infra.rehearsal.standins.aws.emulator.networks import ExistingNetwork


def lay(networks: Iterable[ExistingNetwork]) -> None:
    """Make the networks in moto; one that is there already stays as it is."""
    for network in networks:
        backend = ec2_backends[network.account][network.region]
        if network.vpc_id in backend.vpcs:
            continue
        with _id_is(vpcs, "random_vpc_id", network.vpc_id):
            backend.create_vpc(network.cidr)
        for subnet in network.subnets:
            with _id_is(subnets, "random_subnet_id", subnet.subnet_id):
                backend.create_subnet(network.vpc_id, subnet.cidr, f"{network.region}{subnet.zone}")
        for table in network.route_table_ids:
            with _id_is(route_tables, "random_route_table_id", table):
                backend.create_route_table(network.vpc_id)
        for group in network.security_group_ids:
            with _id_is(security_groups, "random_security_group_id", group):
                backend.create_security_group(f"existing-{group}", "was there before", vpc_id=network.vpc_id)


@contextmanager
def _id_is(module: ModuleType, function: str, value: str) -> Iterator[None]:
    given: Callable[..., str] = lambda *_: value  # noqa: E731 - the replaced function takes what it takes
    with mock.patch.object(module, function, given):
        yield
