"""Networks that were there before the customer: the management VPC, or a VPC that the site adopts.

A customer's file names them by id, and AWS gives ids out; so the emulator makes them with the ids given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from unittest import mock

from moto.ec2.models import ec2_backends, route_tables, security_groups, subnets, vpcs
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ExistingSubnet(_Model):
    """A subnet by its id; `zone` is a letter, as in `ap-northeast-2a`."""

    subnet_id: str
    cidr: str
    zone: str


class ExistingNetwork(_Model):
    """A VPC with the parts of it that a customer's file may name."""

    account: str
    region: str
    vpc_id: str
    cidr: str
    route_table_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    subnets: tuple[ExistingSubnet, ...] = ()


_LIST = TypeAdapter(list[ExistingNetwork])


def load(path: Path) -> list[ExistingNetwork]:
    """Read a JSON list of networks; raises pydantic's ValidationError."""
    return _LIST.validate_json(path.read_bytes())


def dump(path: Path, networks: list[ExistingNetwork]) -> None:
    """Write what `load` reads."""
    path.write_bytes(_LIST.dump_json(networks, by_alias=True))


def lay(networks: list[ExistingNetwork]) -> None:
    """Make the networks in this process' moto; one that is there already stays as it is."""
    for network in networks:
        backend = ec2_backends[network.account][network.region]
        if network.vpc_id in backend.vpcs:
            continue
        with _id_is(vpcs, "random_vpc_id", network.vpc_id):
            backend.create_vpc(network.cidr)
        for subnet in network.subnets:
            with _id_is(subnets, "random_subnet_id", subnet.subnet_id):
                zone = _zone(network.region, subnet.zone)
                backend.create_subnet(network.vpc_id, subnet.cidr, availability_zone=zone)
        for table in network.route_table_ids:
            with _id_is(route_tables, "random_route_table_id", table):
                backend.create_route_table(network.vpc_id)
        for group in network.security_group_ids:
            with _id_is(security_groups, "random_security_group_id", group):
                backend.create_security_group(f"existing-{group}", "was there before", vpc_id=network.vpc_id)


def _zone(region: str, letter: str) -> str:
    """Give the zone of that letter; where the region has none, another one for each letter."""
    names = [zone.name for zone in RegionsAndZonesBackend.zones[region]]
    name = f"{region}{letter}"
    return name if name in names else names[(ord(letter) - ord("a")) % len(names)]


@contextmanager
def _id_is(module: ModuleType, function: str, value: str) -> Iterator[None]:
    given: Callable[..., str] = lambda *_: value  # noqa: E731 - the replaced function takes what it takes
    with mock.patch.object(module, function, given):
        yield
