"""The field types of the chart's values. Patterns are RE2: Helm, a Go program, checks them too."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt
from pydantic.alias_generators import to_camel

STANDARD_LABELS = "app.kubernetes.io/"
Item = TypeVar("Item")


class Values(BaseModel):
    """A part of the values: unknown keys refused, frozen, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""RFC 1123."""
HostName = Annotated[
    str,
    Field(
        max_length=253,
        pattern=r"^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    ),
]
RegistryHost = Annotated[
    str,
    Field(max_length=259, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", examples=["nexus:5000"]),
]
Reference = Annotated[
    str, Field(max_length=400, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._-]+)+$")
]
"""A repository's whole name: host and path, without tag or digest."""
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Quantity = Annotated[
    str,
    Field(
        pattern=r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$",
        examples=["500m", "512Mi"],
    ),
]
"""Kubernetes API, "Quantity"; always text."""
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\s:]*$")]
LabelKey = Annotated[
    str,
    Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"),
]
"""Kubernetes, "Labels and Selectors": syntax of keys, the same for annotations."""
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]
Cidr = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-f:]+/[0-9]{1,3})$", examples=["192.0.2.0/24"]
    ),
]
Percent = Annotated[str, Field(pattern=r"^[0-9]{1,3}%$")]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
Count = Annotated[StrictInt, Field(ge=0, le=1000)]
Positive = Annotated[StrictInt, Field(ge=1, le=100_000)]
Seconds = Annotated[StrictInt, Field(ge=0, le=3600)]
IntOrPercent = Count | Percent


def sorted_map(value: dict[str, Item]) -> dict[str, Item]:
    """Return a map in the order of its keys, so that the same values are the same text."""
    return dict(sorted(value.items()))


def _own_labels(value: dict[str, str]) -> dict[str, str]:
    taken = sorted(key for key in value if key.startswith(STANDARD_LABELS))
    if taken:
        raise ValueError(f"{', '.join(taken)}: labels under {STANDARD_LABELS} are the chart's own")
    return value


Environment = Annotated[dict[EnvName, str], AfterValidator(sorted_map)]
Labels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_own_labels), AfterValidator(sorted_map)]
Selector = Annotated[dict[LabelKey, LabelValue], AfterValidator(sorted_map)]
Annotations = Annotated[dict[LabelKey, str], AfterValidator(sorted_map)]
