"""How checks read the cluster: plain objects, and what is wrong in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubernetes.client.exceptions import ApiException

from xgen_infra import catalog
from xgen_infra.runbook.scene import SECONDS, Scene
from xgen_infra.runbook.step import CheckFailedError

NAME = "app.kubernetes.io/name"
_NOT_FOUND = 404
Object = dict[str, Any]


def objects(scene: Scene, lister: Callable[..., Any], *words: str) -> list[Object]:
    answer = lister(*words, _request_timeout=SECONDS)
    found: list[Object] = scene.api.sanitize_for_serialization(answer.items)
    return found


def one_object(scene: Scene, reader: Callable[..., Any], *words: str) -> Object | None:
    try:
        answer = reader(*words, _request_timeout=SECONDS)
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    found: Object = scene.api.sanitize_for_serialization(answer)
    return found


def of_the_six(objects: Iterable[Object]) -> list[Object]:
    return [one for one in objects if (one["metadata"].get("labels") or {}).get(NAME) in catalog.NAMES]


def all_right(wrong: list[str], seen: str) -> str:
    if wrong:
        raise CheckFailedError("; ".join(wrong))
    return seen


def condition(item: Object, kind: str) -> Object:
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def count(things: list[Any], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"
