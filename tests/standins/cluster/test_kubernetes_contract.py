"""Every Kubernetes type that the program uses, by the stand-in on a real API server: made, read, changed, deleted."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from standins.kubernetes_cases import KUBERNETES, KubernetesCase, merged

from .bench import opened

pytestmark = pytest.mark.e2e
PLURALS = {"NetworkPolicy": "networkpolicies", "StorageClass": "storageclasses"}


def address(case: KubernetesCase, namespace: str, name: str) -> str:
    root = "/api/v1" if case.api == "v1" else f"/apis/{case.api}"
    inside = f"/namespaces/{namespace}" if case.namespaced else ""
    return f"{root}{inside}/{PLURALS.get(case.kind, case.kind.lower() + 's')}/{name}"


def live(api: Any, where: str) -> Any:
    try:
        return api.get(where)
    except Exception as error:
        if "404" in str(error) or "not found" in str(error).lower() or isinstance(error, httpx.HTTPError):
            return None
        raise


@pytest.mark.usefixtures("argo_cd")
@pytest.mark.parametrize("token", KUBERNETES, ids=lambda token: token.rpartition(":")[2])
def test_an_object_is_what_the_api_server_has_until_it_is_deleted(bench: Any, api: Any, token: str) -> None:
    case = KUBERNETES[token]
    name = f"it-{time.monotonic_ns():x}"
    base = {"apiVersion": case.api, "kind": case.kind, "metadata": {"name": name}, **case.inputs}
    if case.waits:
        base["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    made = bench.make(token, base)
    where = address(case, bench.namespace, name)
    seen = api.get(where)
    assert seen["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    before = opened(made.inputs)
    made.refresh()
    assert opened(made.inputs) == before
    changed = merged(base, case.change)
    assert not list(made.diff(changed).replaces)
    made.update(changed)
    now = api.get(where)
    assert now["metadata"]["uid"] == seen["metadata"]["uid"]
    assert now == merged(now, case.change)
    assert not made.diff(changed).diffs
    made.delete()
    gone = live(api, where)
    assert gone is None or gone["metadata"].get("deletionTimestamp")
    made.delete()
