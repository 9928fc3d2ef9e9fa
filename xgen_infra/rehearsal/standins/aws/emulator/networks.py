"""Networks that were there before the customer: the management VPC, or a VPC that the site adopts.

A customer's file names them by id, and AWS gives ids out; so the emulator makes them with the ids given.
"""

from __future__ import annotations

from pathlib import Path

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
