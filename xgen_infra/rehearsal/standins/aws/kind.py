"""One AWS resource type as the modules of this package write it."""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError, Tags
from xgen_infra.rehearsal.standins.contract import Failure, Props

_SUFFIX_LENGTH = 7


@dataclass(frozen=True)
class Job:
    """What to make or change: where, the logical name, the inputs, and every tag that it shall carry.

    `told` takes what AWS tells once only, when the resource is made, and becomes outputs.
    """

    aws: Aws
    name: str
    inputs: Props
    tags: Tags
    told: Props = field(default_factory=dict)

    def text(self, key: str, default: str = "") -> str:
        """Give an input as text."""
        value = self.inputs.get(key)
        return default if value is None else str(value)

    def physical_name(
        self, key: str = "name", *, prefix: str = "namePrefix", limit: int = 255, lower: bool = False
    ) -> str:
        """Give the name: as asked for, or made from a prefix or the logical name as the provider does.

        Source: Pulumi documentation, "Auto-naming": the logical name, a hyphen, seven hex digits.
        """
        if self.inputs.get(key):
            return str(self.inputs[key])
        stem = str(self.inputs.get(prefix) or f"{self.name}-")
        stem = stem.lower() if lower else stem
        return stem[: limit - _SUFFIX_LENGTH] + secrets.token_hex(4)[:_SUFFIX_LENGTH]


@dataclass(frozen=True)
class Ref:
    """A resource that exists, or did: where, its id, and what is known of it (outputs, then inputs).

    `known` is empty when it is imported by id alone.
    """

    aws: Aws
    id: str
    known: Props

    def client(self, service: str) -> Any:
        """Give the boto3 client of a service."""
        return self.aws.client(service)


class NotReadyError(Exception):
    """The resource was made and did not become ready in time: it stays, and the next run updates it."""

    def __init__(self, ident: str, reason: str) -> None:
        super().__init__(reason)
        self.ident = ident


class Kind(ABC):
    """A resource type. Names are the provider's, camelCase; `required` and `optional` are all its inputs.

    `read` gives the resource as AWS has it, or None; the inputs' names carry the live values, so that drift
    shows. `tagsAll` from `read` is what it carries; `tags` follows from it. `defaults` are values that AWS
    gives to inputs left out: an import does not take them for inputs of the program.
    """

    type_name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[frozenset[str]] = frozenset()
    replace_on: ClassVar[frozenset[str]] = frozenset()
    delete_before_replace: ClassVar[bool] = False
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    backed_by: ClassVar[str] = "emulator"
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    taggable: ClassVar[bool] = True
    updatable: ClassVar[bool] = True
    told_within: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What AWS tells inside an input block: a preview shows it as not known yet, or as it was."""
    regional: ClassVar[bool] = True

    @abstractmethod
    def create(self, job: Job) -> str:
        """Make it and give its id."""

    @abstractmethod
    def read(self, ref: Ref) -> Props | None:
        """Give its live properties, or None."""

    @abstractmethod
    def delete(self, ref: Ref) -> None:
        """Take it away; accepts one that is gone."""

    def update(self, job: Job, ref: Ref) -> None:
        """Bring it from what is known to the job's inputs."""
        raise AwsError("InvalidUpdate", f"{self.type_name} {ref.id} ({job.name}) cannot be updated")

    def check(self, inputs: Props) -> Iterator[Failure]:  # noqa: ARG002 - for those that override it
        """Give what AWS would refuse of inputs that are known; unknown ones are left out of `inputs`."""
        yield from ()


def found(call: Callable[..., Any], **arguments: Any) -> Any | None:
    """Call AWS and give the answer, or None when it says that there is no such thing."""
    try:
        return call(**arguments)
    except ClientError as refused:
        if is_absent(refused):
            return None
        raise


def is_absent(refused: ClientError) -> bool:
    """Whether AWS says that there is no such thing; each service has its own word for it."""
    code = str(refused.response["Error"]["Code"])
    return "NotFound" in code or code.startswith("NoSuch") or code == "404"


def same_document(one: str, other: str) -> bool:
    """Whether two texts are the same JSON object (an IAM policy, a lifecycle policy)."""
    try:
        return one[:1] in {"{", "["} and bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False
