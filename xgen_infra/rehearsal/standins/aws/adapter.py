"""From the kinds of this package to the contract of a stand-in: sessions, tags, outputs, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from xgen_infra.rehearsal.standins.aws.kind import Job, Kind, NotReadyError, Ref, same_document
from xgen_infra.rehearsal.standins.aws.session import Aws, AwsError, Sessions
from xgen_infra.rehearsal.standins.contract import (
    UNKNOWN,
    Failure,
    Made,
    PartialCreateError,
    Props,
    Request,
    ResourceType,
)
from xgen_infra.rehearsal.standins.wire import has_unknown


def resource_types(kinds: Sequence[Kind], sessions: Sessions) -> dict[str, ResourceType]:
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
            try:
                ident = kind.create(job)
            except NotReadyError as late:
                made = Made(late.ident, resource_outputs(kind, Ref(job.aws, late.ident, dict(req.inputs))))
                raise PartialCreateError(made, [str(late)]) from late
            return Made(ident, resource_outputs(kind, Ref(job.aws, ident, {**req.inputs, **job.told})))

    def read(req: Request, ident: str, known: Props) -> Made | None:
        with _Refused(f"reading {token} {ident}"):
            ref = Ref(aws_of(req, known), ident, {**known, **req.inputs})
            live = kind.read(ref)
            if live is None:
                return None
            outputs = _merged(kind, ref, live)
            return Made(ident, outputs, None if req.inputs else _imported(kind, outputs))

    def update(req: Request, ident: str, old: Props) -> Props:
        with _Refused(f"updating {token} {ident}"):
            job = job_of(req)
            kind.update(job, Ref(job.aws, ident, old))
            carried = {k: v for k, v in old.items() if k not in kind.required | kind.optional}
            return resource_outputs(kind, Ref(job.aws, ident, {**carried, **req.inputs}))

    def delete(req: Request, ident: str, known: Props) -> None:
        with _Refused(f"deleting {token} {ident}"):
            kind.delete(Ref(aws_of(req, known), ident, known))

    return ResourceType(
        token=token,
        create=create,
        read=read,
        delete=delete,
        update=update if kind.updatable else None,
        preview=(lambda req, _ident, known: _previewed(kind, req, known)) if kind.told_within else None,
        check=lambda req: list(_failures(kind, req)),
        complete=lambda req: _completed(kind, sessions, req),
        replace_on=kind.replace_on | ({"region"} if kind.regional else set()),
        delete_before_replace=kind.delete_before_replace,
        secret_outputs=kind.secret_outputs,
        backed_by=kind.backed_by,
    )


def _previewed(kind: Kind, req: Request, known: Props) -> Props:
    """Give what a preview shows: the inputs, and inside their blocks what AWS tells there."""
    shown = {**known, **req.inputs}
    for block, names in kind.told_within.items():
        if isinstance(given := shown.get(block), dict):
            before = known.get(block) or {}
            shown[block] = {**{name: before.get(name, UNKNOWN) for name in names}, **given}
    return shown


def _failures(kind: Kind, req: Request) -> Iterator[Failure]:
    given = {k for k, v in req.inputs.items() if v is not None}
    for name in sorted(kind.required - given):
        yield Failure(name, f'Missing required argument: the argument "{name}" is required')
    everywhere = {"tags"} if kind.taggable else set()
    everywhere |= {"region"} if kind.regional else set()
    for name in sorted(given - kind.required - kind.optional - everywhere):
        yield Failure(
            name, f"not an input that the rehearsal's {kind.type_name} takes; it takes {_listed(kind)}"
        )
    yield from kind.check({k: v for k, v in req.inputs.items() if v is not None and not has_unknown(v)})


def _listed(kind: Kind) -> str:
    return ", ".join(sorted(kind.required | kind.optional))


def _completed(kind: Kind, sessions: Sessions, req: Request) -> Props:
    """Give the tags with the provider's default ones, as the provider's Check does, so that both are compared."""
    own = req.inputs.get("tags") or {}
    if not kind.taggable or not isinstance(own, dict):
        return {}
    default = sessions.get(req.config).default_tags
    return {"tags": {**default, **own}} if default else {}


def _imported(kind: Kind, outputs: Props) -> Props:
    """Give the inputs that a program would have to state for a resource that is imported."""
    names = kind.required | kind.optional | ({"tags"} if kind.taggable else set())
    return {
        key: value
        for key, value in outputs.items()
        if key in names and (key in kind.required or (value and value != kind.defaults.get(key)))
    }


def resource_outputs(kind: Kind, ref: Ref) -> Props:
    """Read a resource that has just been made or changed. Raises AwsError when it is not there."""
    live = kind.read(ref)
    if live is None:
        raise AwsError("NotFound", f"{kind.type_name} {ref.id} was made and is not there")
    return _merged(kind, ref, live)


def _merged(kind: Kind, ref: Ref, live: Props) -> Props:
    known = {k: v for k, v in ref.known.items() if k not in live}
    seen = {k: settled(ref.known.get(k), v) for k, v in live.items() if v is not None}
    out: Props = {**known, **seen, "id": ref.id}
    if kind.regional:
        out["region"] = ref.aws.region
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
    if len(known) != len(live):
        return live
    if sorted(map(_order, known)) == sorted(map(_order, live)):
        return known
    return [k if _told(k, v) else settled(k, v) for k, v in zip(known, live, strict=True)]


def _told(known: Any, live: Any) -> bool:
    """Whether AWS has at least what is known: it may tell more of an item in a list, such as a computed name."""
    if isinstance(known, dict) and isinstance(live, dict):
        return all(_told(value, live.get(key)) for key, value in known.items())
    if isinstance(known, list) and isinstance(live, list):
        return len(known) == len(live) and all(map(_told, known, live))
    return str(known) == str(live)


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


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
