"""One AWS resource type as the modules of this package write it, and its way to the engine's contract."""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError, ParamValidationError

from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError, Sessions, Tags
from xgen_infra.rehearsal.standins.contract import UNKNOWN, Failure, Made, Props, Request, ResourceType

_SUFFIX_LENGTH = 7


@dataclass(frozen=True)
class Job:
    """What to make or change: where, the logical name, the inputs, and every tag that it shall carry."""

    aws: Aws
    name: str
    inputs: Props
    tags: Tags

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


class Kind(ABC):
    """A resource type. Names are the provider's, camelCase; `required` and `optional` are all its inputs.

    `read` gives the resource as AWS has it, or None; the inputs' names carry the live values, so that drift
    shows. `tagsAll` from `read` is what it carries; `tags` follows from it.
    """

    type_name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[frozenset[str]] = frozenset()
    replace_on: ClassVar[frozenset[str]] = frozenset()
    delete_before_replace: ClassVar[bool] = False
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    backed_by: ClassVar[str] = "emulator"
    taggable: ClassVar[bool] = True
    updatable: ClassVar[bool] = True

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


def resource_types(kinds: list[Kind], sessions: Sessions) -> dict[str, ResourceType]:
    """Give the contract's form of each kind, by its tokens."""
    return {
        token: _resource_type(kind, token, sessions)
        for kind in kinds
        for token in (kind.type_name, *kind.aliases)
    }


def _resource_type(kind: Kind, token: str, sessions: Sessions) -> ResourceType:
    def aws_of(req: Request, known: Props | None = None) -> Aws:
        return sessions.get(req.config).in_region(req.inputs.get("region") or (known or {}).get("region"))

    def job_of(req: Request) -> Job:
        aws = aws_of(req)
        own = {k: str(v) for k, v in (req.inputs.get("tags") or {}).items()}
        return Job(aws, req.name, req.inputs, {**aws.default_tags, **own} if kind.taggable else {})

    def create(req: Request) -> Made:
        with _Refused(f"creating {token} {req.name!r}"):
            job = job_of(req)
            ident = kind.create(job)
            return Made(ident, _outputs(kind, Ref(job.aws, ident, req.inputs)))

    def read(req: Request, ident: str, known: Props) -> Made | None:
        with _Refused(f"reading {token} {ident}"):
            ref = Ref(aws_of(req, known), ident, {**known, **req.inputs})
            live = kind.read(ref)
            return None if live is None else Made(ident, _merged(kind, ref, live))

    def update(req: Request, ident: str, old: Props) -> Props:
        with _Refused(f"updating {token} {ident}"):
            job = job_of(req)
            kind.update(job, Ref(job.aws, ident, old))
            carried = {k: v for k, v in old.items() if k not in kind.required | kind.optional}
            return _outputs(kind, Ref(job.aws, ident, {**carried, **req.inputs}))

    def delete(req: Request, ident: str, known: Props) -> None:
        with _Refused(f"deleting {token} {ident}"):
            kind.delete(Ref(aws_of(req, known), ident, known))

    return ResourceType(
        token=token,
        create=create,
        read=read,
        delete=delete,
        update=update if kind.updatable else None,
        check=lambda req: list(_failures(kind, req)),
        replace_on=kind.replace_on | {"region"},
        delete_before_replace=kind.delete_before_replace,
        secret_outputs=kind.secret_outputs,
        backed_by=kind.backed_by,
    )


def _failures(kind: Kind, req: Request) -> Iterator[Failure]:
    given = {k for k, v in req.inputs.items() if v is not None}
    for name in sorted(kind.required - given):
        yield Failure(name, f'Missing required argument: the argument "{name}" is required')
    for name in sorted(
        given - kind.required - kind.optional - {"region"} - ({"tags"} if kind.taggable else set())
    ):
        yield Failure(
            name, f"not an input that the rehearsal's {kind.type_name} takes; it takes {_listed(kind)}"
        )
    yield from kind.check({k: v for k, v in req.inputs.items() if v is not None and not has_unknown(v)})


def _listed(kind: Kind) -> str:
    return ", ".join(sorted(kind.required | kind.optional))


def _outputs(kind: Kind, ref: Ref) -> Props:
    live = kind.read(ref)
    if live is None:
        raise AwsError("NotFound", f"{kind.type_name} {ref.id} was made and is not there")
    return _merged(kind, ref, live)


def _merged(kind: Kind, ref: Ref, live: Props) -> Props:
    known = {k: v for k, v in ref.known.items() if k not in live}
    seen = {k: settled(ref.known.get(k), v) for k, v in live.items() if v is not None}
    out: Props = {**known, **seen, "id": ref.id, "region": ref.aws.region}
    if kind.taggable:
        carried = {k: v for k, v in (live.get("tagsAll") or {}).items() if not k.startswith("aws:")}
        asked = ref.known.get("tags") or {}
        default = {k for k, v in ref.aws.default_tags.items() if k not in asked and carried.get(k) == v}
        out["tagsAll"] = carried
        out["tags"] = {k: v for k, v in carried.items() if k not in default}
        if not out["tags"] and "tags" not in ref.known:
            del out["tags"]
    return out


def settled(known: Any, live: Any) -> Any:
    """Give the live value, in the known one's words where both mean the same.

    The same are: JSON texts of one document, numbers as text, lists in another order.
    """
    if isinstance(known, dict) and isinstance(live, dict):
        return {k: settled(known.get(k), v) for k, v in live.items()}
    if isinstance(known, list) and isinstance(live, list):
        return _settled_list(known, live)
    if isinstance(known, str) and isinstance(live, str) and known != live and same_document(known, live):
        return known
    return known if known is not None and str(known) == str(live) else live


def _settled_list(known: list[Any], live: list[Any]) -> list[Any]:
    def order(value: Any) -> str:
        return json.dumps(value, sort_keys=True, default=str)

    if len(known) == len(live):
        if sorted(map(order, known)) == sorted(map(order, live)):
            return known
        return [settled(k, v) for k, v in zip(known, live, strict=True)]
    return live


def same_document(one: str, other: str) -> bool:
    """Whether two texts are the same JSON object (an IAM policy, a lifecycle policy)."""
    try:
        return one[:1] in {"{", "["} and bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def has_unknown(value: Any) -> bool:
    """Whether a value is, or contains, one that the engine does not know yet."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return bool(value == UNKNOWN)


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


class _Refused:
    """Turns what AWS refuses into one sentence: what was being done, the code, AWS' words."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            said = error.response["Error"]
            raise AwsError(str(said["Code"]), f"{self._doing}: {said.get('Message', '')}") from error
        if isinstance(error, ParamValidationError):
            raise AwsError("InvalidParameter", f"{self._doing}: {error}") from error
