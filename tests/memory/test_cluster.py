"""A cluster in memory says of its objects what `xgen recover` asks of a real one."""

from __future__ import annotations

from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.memory.cluster import MemoryApi, MemoryCluster, bare

NAMESPACE: Props = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}


def managers(live: Props) -> list[str]:
    return [entry["manager"] for entry in live["metadata"].get("managedFields", [])]


def test_an_object_says_who_made_it_and_who_changed_it_last() -> None:
    cluster = MemoryCluster()
    api = MemoryApi(cluster, "default")
    assert managers(api.create(NAMESPACE, "pulumi-kubernetes")) == ["pulumi-kubernetes"]
    assert managers(api.apply(NAMESPACE, "pulumi-kubernetes-1a2b", force=False)) == ["pulumi-kubernetes-1a2b"]


def test_what_was_there_before_was_made_by_nobody_known() -> None:
    cluster = MemoryCluster()
    cluster.seed(NAMESPACE)
    (live,) = [one for one in cluster.listed("", "Namespace", "") if one["metadata"]["name"] == "mine"]
    assert managers(live) == []


def test_who_made_it_is_no_part_of_what_is_compared() -> None:
    cluster = MemoryCluster()
    live = MemoryApi(cluster, "default").create(NAMESPACE, "pulumi-kubernetes")
    assert bare(live) == NAMESPACE
