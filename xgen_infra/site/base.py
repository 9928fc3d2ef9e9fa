"""The base of every model of the customer's file, and the field types they share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StrictInt,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Model(BaseModel):
    """A part of the customer's file: unknown keys refused, values frozen, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    def __hash__(self) -> int:
        """Return the same for all of a class: enough for pydantic to share a default instead of copying it."""
        return hash(type(self))


@dataclass(frozen=True)
class Matching:
    """A string of a shape: its refusal says in words what was expected, with an example.

    `pattern` holds for the whole string, `never` for no part of it; neither looks around, so that every
    validator of JSON Schema understands both.
    """

    pattern: str
    expected: str
    example: str
    max_length: int | None = None
    never: str | None = None

    def fits(self, value: str) -> bool:
        """Whether a string has the shape."""
        return (
            (self.max_length is None or len(value) <= self.max_length)
            and re.fullmatch(self.pattern, value, re.ASCII) is not None
            and (self.never is None or re.search(self.never, value, re.ASCII) is None)
        )

    def _validate(self, value: str) -> str:
        if not self.fits(value):
            raise ValueError(f"expected {self.expected}, such as {self.example!r}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        lengths = {} if self.max_length is None else {"maxLength": self.max_length}
        exclusion = {} if self.never is None else {"not": {"pattern": self.never}}
        shape = {"pattern": f"^(?:{self.pattern})$", "examples": [self.example]}
        return {**handler(schema), **shape, **lengths, **exclusion}


DnsLabel = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        "a DNS label (RFC 1123): lower-case letters, digits and inner hyphens, at most 63 characters",
        "xgen",
    ),
]
DnsSubdomain = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
        "the name of a Kubernetes object: lower-case letters, digits, hyphens and dots",
        "local-path",
        max_length=253,
    ),
]
CronSchedule = Annotated[
    str,
    Matching(
        r"@(hourly|daily|weekly|monthly)|[0-9*/,-]+( [0-9A-Za-z*/,?-]+){4}",
        "a cron schedule of five fields (minute, hour, day of month, month, day of week) in quotes",
        "17 2 * * *",
    ),
]
SiteName = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "a site's name: lower-case letters, digits and single hyphens, a letter first, at most 24 characters",
        "aww",
        max_length=24,
    ),
]
Hostname = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
        "a host name or IPv4 address without scheme, port or path",
        "10.20.1.10",
        max_length=253,
    ),
]
HostPort = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[0-9]{1,5})?",
        "host or host:port, without scheme or path",
        "nexus.aww.example:5000",
        max_length=259,
    ),
]
AwsAccount = Annotated[str, Matching(r"[0-9]{12}", "twelve digits in quotes", "123456789012")]
AwsRegion = Annotated[str, Matching(r"[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]", "an AWS region", "ap-northeast-2")]
AvailabilityZone = Annotated[
    str, Matching(r"[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9][a-z]", "an availability zone's name", "ap-northeast-2a")
]
VpcId = Annotated[str, Matching(r"vpc-[0-9a-f]{8,17}", "the id of a VPC", "vpc-0a1b2c3d4e5f60718")]
SubnetId = Annotated[
    str, Matching(r"subnet-[0-9a-f]{8,17}", "the id of a subnet", "subnet-0a1b2c3d4e5f60718")
]
RouteTableId = Annotated[
    str, Matching(r"rtb-[0-9a-f]{8,17}", "the id of a route table", "rtb-0a1b2c3d4e5f60718")
]
SecurityGroupId = Annotated[
    str, Matching(r"sg-[0-9a-f]{8,17}", "the id of a security group", "sg-0a1b2c3d4e5f60718")
]
RoleArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+",
        "the ARN of an IAM role or user",
        "arn:aws:iam::123456789012:role/platform",
    ),
]
PolicyArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:policy/[\w+=,.@/-]+",
        "the ARN of an IAM policy",
        "arn:aws:iam::123456789012:policy/xgen-aww-boundary",
    ),
]
CertificateArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-f-]+",
        "the ARN of an ACM certificate",
        "arn:aws:acm:ap-northeast-2:123456789012:certificate/11111111-2222-3333-4444-555555555555",
    ),
]
BucketName = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "an S3 bucket name (Amazon S3 User Guide, General purpose bucket naming rules): 3 to 63 lower-case "
        "letters, digits, dots and hyphens",
        "xgen-aww",
        never=r"^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$"
        r"|^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$|\.\.",
    ),
]
GitRevision = Annotated[str, Matching(r"[A-Za-z0-9][\w./-]{0,199}", "a branch, tag or commit", "main")]
EnvName = Annotated[
    str, Matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", "LOG_LEVEL")
]
EnvValue = Annotated[
    str,
    Matching(r"[^\r\n]*", "text in one line: no line break can be carried into a .env file", "info"),
]
Text = Annotated[
    str,
    Matching(
        r"[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?", "text in one line, without blanks around it", "xgen"
    ),
]
ImageTag = Annotated[str, Matching(r"\w[\w.-]{0,127}", "an image tag", "latest-amd64")]
ImageDigest = Annotated[str, Matching(r"sha256:[0-9a-f]{64}", "an image digest", "sha256:" + "0" * 64)]
ClusterName = Annotated[
    str,
    Matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "the name of an EKS cluster", "xgen-aww"),
]
KubernetesVersion = Annotated[str, Matching(r"1\.[0-9]{2}", "a Kubernetes minor version in quotes", "1.34")]
InstanceType = Annotated[str, Matching(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "an EC2 instance type", "m7i.2xlarge")]
Email = Annotated[str, Matching(r"[^@\s]+@[^@\s]+", "an e-mail address", "platform@aww.example")]

Port = Annotated[StrictInt, Field(ge=1, le=65535)]
Count = Annotated[StrictInt, Field(ge=0, le=1000)]
Positive = Annotated[StrictInt, Field(ge=1, le=1000)]


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise ValueError("expected an IPv4 CIDR block in quotes, such as '10.40.0.0/16'")  # noqa: TRY004
    if "/" not in value:
        raise ValueError(f"expected a CIDR block with its prefix length, such as '{value}/16'")
    try:
        loose = IPv4Network(value, strict=False)
    except ValueError as error:
        raise ValueError(f"expected an IPv4 CIDR block, such as '10.40.0.0/16' ({error})") from None
    if str(loose) != value:
        raise ValueError(f"the address has bits set beyond its prefix: write '{loose}'")
    return loose


Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
            "examples": ["10.40.0.0/16"],
        }
    ),
]

_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{s: Decimal(1000) ** n for n, s in enumerate("kMGTPE", start=1)},
    **{s + "i": Decimal(1024) ** n for n, s in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)((?:[KMGTPE]i|[numkMGTPE])?|[eE][+-]?[0-9]+)")


@lru_cache(maxsize=1024)
def quantity(text: str) -> Decimal:
    """Return a quantity as a number of its base unit (cores or bytes).

    Raises ValueError where it does not parse (Kubernetes API, "Quantity").
    """
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(
            "expected a Kubernetes quantity, such as '500m' (CPU) or '512Mi' (memory); "
            "the suffixes are m, k, M, G, T, Ki, Mi, Gi, Ti"
        )
    number, suffix = found.groups()
    if suffix[:1] in {"e", "E"} and suffix not in {"E", "Ei"}:
        return Decimal(number + suffix)
    return Decimal(number) * _SUFFIXES[suffix]


def _quantity_text(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and quantity(value) <= 0:
        raise ValueError("expected a quantity above zero")
    return value


Quantity = Annotated[
    str,
    BeforeValidator(_quantity_text),
    WithJsonSchema({"type": ["string", "number"], "examples": ["500m", "512Mi"]}),
]


def _http_url(value: Any) -> Any:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected http://host[:port] or https://host[:port]")
        if parts.username or parts.password:
            raise ValueError("a URL in this file carries no credentials: put them under a secure: key")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError("expected scheme, host and port only, without a path")
    return value.rstrip("/") if isinstance(value, str) else value


Endpoint = Annotated[
    str, BeforeValidator(_http_url), Field(examples=["https://s3.ap-northeast-2.amazonaws.com"])
]

_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:[\w./~-]+")


def _git_url(value: Any) -> Any:
    if isinstance(value, str) and not _SCP_LIKE.fullmatch(value):
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "ssh"} or not parts.hostname or len(parts.path) <= 1:
            raise ValueError(
                "expected the URL of a Git repository, such as 'https://gitlab.aww.example/xgen/xgen-infra.git' "
                "or 'ssh://git@gitlab.aww.example/xgen/xgen-infra.git'"
            )
        if parts.password or (parts.username and parts.scheme != "ssh"):
            raise ValueError("a URL in this file carries no credentials: put them under a secure: key")
    return value


GitUrl = Annotated[
    str, BeforeValidator(_git_url), Field(examples=["https://gitlab.aww.example/xgen/xgen-infra.git"])
]
