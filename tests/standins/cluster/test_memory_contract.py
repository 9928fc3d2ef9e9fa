"""A cluster in memory answers what the real API server and the real Helm answer, but for what is named here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from standins.kubernetes_cases import KUBERNETES, RELEASES, KubernetesCase, merged
from xgen_infra.rehearsal.control_plane.plane import ControlPlane
from xgen_infra.rehearsal.standins.contract import Props
from xgen_infra.rehearsal.standins.journal import Journal
from xgen_infra.rehearsal.standins.kubernetes import kubeconfig
from xgen_infra.rehearsal.standins.kubernetes import provider as kubernetes
from xgen_infra.rehearsal.standins.kubernetes.api import Api, ApiError
from xgen_infra.rehearsal.standins.kubernetes.manifests import SERVER_SET
from xgen_infra.rehearsal.standins.memory.cluster import MemoryApi, MemoryCluster
from xgen_infra.rehearsal.standins.memory.clusters import MemoryClusters
from xgen_infra.rehearsal.standins.memory.releases import MemoryReleases
from xgen_infra.rehearsal.standins.server import serve
from xgen_infra.rehearsal.tools import Tool

from .bench import Bench

pytestmark = pytest.mark.e2e
MANAGER = "fidelity"
_CONTAINER = ("imagePullPolicy", "resources", "terminationMessagePath", "terminationMessagePolicy")
_POD = (
    *(f"containers.{key}" for key in _CONTAINER),
    "dnsPolicy",
    "schedulerName",
    "securityContext",
    "terminationGracePeriodSeconds",
)
_JOBS_OWN = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
)


def _below(path: str, keys: Iterable[str]) -> set[str]:
    return {f"{path}.{key}" for key in keys}


DEFAULTS: Mapping[str, set[str]] = {
    "kubernetes:core/v1:Namespace": {
        "metadata.labels",
        "metadata.labels.kubernetes.io/metadata.name",
        "spec",
    },
    "kubernetes:core/v1:Service": {
        *_below("spec", ("clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy")),
        *_below("spec", ("sessionAffinity", "type")),
        *_below("spec.ports", ("protocol", "targetPort")),
    },
    "kubernetes:apps/v1:StatefulSet": {
        *_below("spec", ("persistentVolumeClaimRetentionPolicy", "podManagementPolicy")),
        *_below("spec", ("revisionHistoryLimit", "updateStrategy")),
        *_below("spec.template.spec", _POD),
    },
    "kubernetes:batch/v1:Job": {
        "metadata.labels",
        *_below("metadata.labels", ("app", *_JOBS_OWN)),
        *_below("spec", ("backoffLimit", "completionMode", "completions", "manualSelector", "parallelism")),
        *_below("spec", ("podReplacementPolicy", "selector", "suspend")),
        *_below("spec.template.metadata.labels", _JOBS_OWN),
        *_below("spec.template.spec", _POD),
    },
    "kubernetes:batch/v1:CronJob": {
        *_below("spec", ("concurrencyPolicy", "failedJobsHistoryLimit", "successfulJobsHistoryLimit")),
        *_below("spec", ("suspend", "jobTemplate.metadata")),
        *_below("spec.jobTemplate.spec.template.spec", _POD),
    },
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": {"spec.policyTypes"},
    "kubernetes:storage.k8s.io/v1:StorageClass": {"reclaimPolicy", "volumeBindingMode"},
}
"""What the API server adds where a manifest says nothing, and memory does not: all in which the two differ."""


@pytest.fixture
def real(plane: ControlPlane, namespace: str, tmp_path: Path) -> Api:
    chosen = kubeconfig.of({"kubeconfig": plane.kubeconfig.read_text()})
    return Api(chosen.transport(tmp_path), namespace)


@pytest.fixture
def memory(namespace: str) -> Api:
    cluster = MemoryCluster()
    cluster.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return MemoryApi(cluster, namespace)


@pytest.fixture
def memory_bench(plane: ControlPlane, binaries: Any, bench: Bench) -> Iterator[Bench]:
    """The stand-in on a cluster in memory, beside one on the real control plane."""
    private = bench.folder / "memory"
    private.mkdir(mode=0o700)
    there = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": bench.namespace}}
    clusters = MemoryClusters(private, (there,))
    releases = MemoryReleases(clusters, binaries[Tool.HELM], bench.folder, private)
    server, port = serve(kubernetes.stand_on(clusters, releases), Journal(private, "kubernetes"))
    yield Bench(port, bench.config, bench.namespace, bench.folder)
    server.stop(0)


def answers(api: Api, base: Props, changed: Props, elsewhere: Props) -> Iterator[tuple[str, Any]]:
    """Go through the life of an object; yield what is answered to each request."""

    def refused(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except ApiError as error:
            return error.status, error.reason, str(error)

    def listed() -> list[Any]:
        path = api.kind(base["apiVersion"], base["kind"]).path(api.namespace)
        return [one["metadata"]["name"] for one in api.items(path) if one["metadata"]["name"] == name]

    name = base["metadata"]["name"]
    where = api.kind(base["apiVersion"], base["kind"]).path(api.namespace, name)
    yield "read what is not there", refused(lambda: api.request("GET", where))
    yield "delete what is not there", refused(lambda: api.request("DELETE", where))
    yield "create, as a dry run", refused(lambda: api.create(base, MANAGER, dry_run=True))
    yield "list after a dry run", listed()
    yield "create", refused(lambda: api.create(base, MANAGER))
    yield "create again", refused(lambda: api.create(base, MANAGER))
    yield "create in a namespace that is not there", refused(lambda: api.create(elsewhere, MANAGER))
    yield "read", refused(lambda: api.get(base))
    yield "list", listed()
    yield "apply", refused(lambda: api.apply(base, MANAGER, force=True))
    yield (
        "apply a change, as a dry run",
        refused(lambda: api.apply(changed, MANAGER, force=True, dry_run=True)),
    )
    yield "read after a dry run", refused(lambda: api.get(base))
    yield "apply a change", refused(lambda: api.apply(changed, MANAGER, force=True))
    yield "read the change", refused(lambda: api.get(base))
    yield "apply without the change", refused(lambda: api.apply(base, MANAGER, force=True))
    yield "delete", refused(lambda: api.delete(base, "Background"))


def bare(answer: Any) -> Any:
    """Return an answer without what a server sets (SERVER_SET) and controllers report (status)."""
    if not isinstance(answer, dict) or "metadata" not in answer:
        return answer
    metadata = {key: value for key, value in answer["metadata"].items() if key not in SERVER_SET}
    return {**{key: value for key, value in answer.items() if key != "status"}, "metadata": metadata}


def apart(real: Any, memory: Any, path: str = "") -> Iterator[str]:
    """Yield where two answers differ: `+path` is the real server's alone, `-path` in memory alone."""
    if isinstance(real, dict) and isinstance(memory, dict):
        for key in sorted({*real, *memory}):
            below = f"{path}.{key}" if path else key
            if key not in memory:
                yield f"+{below}"
            elif key not in real:
                yield f"-{below}"
            else:
                yield from apart(real[key], memory[key], below)
    elif isinstance(real, list) and isinstance(memory, list) and len(real) == len(memory):
        for one, other in zip(real, memory, strict=True):
            yield from apart(one, other, path)
    elif real != memory:
        yield f"{path}: {real!r} -> {memory!r}"


def manifests(case: KubernetesCase, namespace: str) -> tuple[Props, Props, Props]:
    """Return a case's object, the changed one, and one in a namespace that is not there."""
    base = {"apiVersion": case.api, "kind": case.kind, "metadata": {"name": f"{namespace}-it"}, **case.inputs}
    elsewhere = {**base, "metadata": {**base["metadata"], "namespace": "nowhere"}}
    return base, merged(base, case.change), elsewhere if case.namespaced else base


@pytest.mark.usefixtures("argo_cd")
@pytest.mark.parametrize("token", KUBERNETES, ids=lambda token: token.rpartition(":")[2])
def test_each_request_is_answered_as_by_the_api_server(
    real: Api, memory: Api, namespace: str, token: str
) -> None:
    asked = manifests(KUBERNETES[token], namespace)
    found: dict[str, set[str]] = {}
    for (request, one), (_, other) in zip(answers(real, *asked), answers(memory, *asked), strict=True):
        found[request] = set(apart(bare(one), bare(other)))
    named = {f"+{path}" for path in DEFAULTS.get(token, set())}
    wrong = {request: said - named for request, said in found.items()}
    assert {request: said for request, said in wrong.items() if said} == {}
    assert set().union(*found.values()) == named


@pytest.mark.usefixtures("chart")
@pytest.mark.parametrize("token", RELEASES)
def test_each_release_is_told_as_by_helm(bench: Bench, memory_bench: Bench, token: str) -> None:
    case, found = RELEASES[token], []
    for where in (bench, memory_bench):
        made = where.make(token, case.inputs)
        told = [made.id, made.outputs]
        with pytest.raises(grpc.RpcError) as refused:
            where.make(token, case.inputs)
        told.append(refused.value.details())
        made.refresh()
        told += [made.inputs, made.outputs, made.update(merged(case.inputs, case.change))]
        made.refresh()
        told += [made.inputs, made.outputs]
        made.delete()
        made.delete()
        found.append(told)
    assert list(apart(*found)) == []
