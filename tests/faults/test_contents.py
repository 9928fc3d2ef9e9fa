"""When two clusters count as equal, and what counts as lost."""

from __future__ import annotations

from typing import Any

from .contents import CLAIMS, Contents, apart, claims, contents
from .cycle import Ground


class One:
    """An API server that has one claim and nothing else."""

    def __init__(self, claim: dict[str, Any]) -> None:
        self._claim = claim

    def get(self, path: str) -> dict[str, Any]:
        return {"items": [self._claim] if path == CLAIMS else []}


def claim(node: str = "node-1", size: str = "50Gi", uid: str = "1") -> One:
    annotations = {
        "pv.kubernetes.io/bind-completed": "yes",
        "volume.beta.kubernetes.io/storage-provisioner": f"of {node}",
        "volume.kubernetes.io/selected-node": node,
    }
    metadata = {"name": "data-postgres-0", "namespace": "xgen-system", "uid": uid, "annotations": annotations}
    spec = {"volumeName": f"pvc-{uid}", "resources": {"requests": {"storage": size}}}
    return One({"metadata": metadata, "spec": spec, "status": {"phase": "Bound"}})


def of(one: One) -> Contents:
    return contents(one)  # type: ignore[arg-type]


def test_a_claim_is_the_same_wherever_its_volume_lies_and_another_by_its_size() -> None:
    assert apart(of(claim()), of(claim("node-2", uid="2"))) == []
    assert apart(of(claim()), of(claim(size="5Gi"))) == [
        "persistentvolumeclaims xgen-system/data-postgres-0: .spec.resources.requests.storage 50Gi -> 5Gi"
    ]


def test_a_claim_that_was_made_anew_is_another() -> None:
    assert claims(claim()) == {"claim xgen-system/data-postgres-0": "1"}  # type: ignore[arg-type]
    assert claims(claim()) != claims(claim(uid="2"))  # type: ignore[arg-type]


def test_data_that_went_or_was_made_anew_is_told_and_new_data_is_not() -> None:
    there = {"claim a": "1", "claim b": "2"}
    nothing: Any = None
    ground = Ground(*[nothing] * 8, kept=lambda: there)
    assert ground.lost() == []
    there = {"claim a": "3", "claim c": "4"}
    assert ground.lost() == ["data lost: claim a: another", "data lost: claim b: gone"]
    ground.anew = dict
    ground.empty()
    there = {}
    assert ground.lost() == []
