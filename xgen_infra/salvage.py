"""Rules on a file that the models refuse: what is wrong is left out, so that one error hides no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from xgen_infra.findings import KeyPath
from xgen_infra.model_findings import plain_path
from xgen_infra.outline import suggestion
from xgen_infra.rules import Violation
from xgen_infra.site import Site


def without_errors(data: Any, error: ValidationError) -> Site | None:
    """Return the site of the values that the models take; None where what is wrong cannot be left out."""
    kept = deepcopy(data)
    details = error.errors(include_url=False)
    if any(detail["type"] == "missing" for detail in details):
        return None
    for path in sorted((plain_path(detail["loc"]) for detail in details), key=_backwards, reverse=True):
        _leave_out(kept, path)
    try:
        return Site.model_validate(kept, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _backwards(path: KeyPath) -> tuple[str, ...]:
    return tuple(f"{part:09}" if isinstance(part, int) else part for part in path)


def _leave_out(data: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1] if path else None
    if isinstance(data, dict):
        data.pop(last, None)
    elif isinstance(data, list) and isinstance(last, int) and last < len(data):
        del data[last]


def still_true(
    violations: Iterable[Violation], data: Any, details: Sequence[ErrorDetails]
) -> Iterator[Violation]:
    """Yield the violations that do not depend on what was left out, nor on what its author may have meant."""
    doubtful = [place for detail in details for place in _doubtful(data, detail)]
    for violation in violations:
        if not any(_related(one, two) for one in (violation.path, *violation.also) for two in doubtful):
            yield violation


def _doubtful(data: Any, detail: ErrorDetails) -> Iterator[KeyPath]:
    path = plain_path(detail["loc"])
    yield path
    if detail["type"] == "extra_forbidden":
        meant = suggestion(Site, data, path[:-1], str(path[-1]))
        yield (*path[:-1], *meant.split("."))


def _related(one: KeyPath, two: KeyPath) -> bool:
    shorter = min(len(one), len(two))
    return one[:shorter] == two[:shorter]
