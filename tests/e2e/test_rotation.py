"""A rotation on the whole stack, interrupted everywhere, as pods see it: their credentials always work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from kubernetes import client

from xgen_infra import catalog, naming
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.observe import ClusterView
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world
from xgen_infra.rotation import ClusterPods, EngineStack, Rotation

pytestmark = [pytest.mark.e2e, pytest.mark.long]
ROOT = Path(__file__).parents[2]
_ROOT_KEY = ("AKIAREHEARSALROOT000", "not-a-secret")
_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"max_attempts": 1}, request_checksum_calculation="when_required"
)
_KEYS = ("MINIO_DATA_ACCESS_KEY", "MINIO_DATA_SECRET_KEY")
KILLED_AT = [*range(1, 8), *range(1, 9)]
"""Which moment ends each run: odd before a call, even after it. The eighth run finds the old key retired already,
and begins to count there; the last one ends what is left."""


class Interrupted(BaseException):
    """The run was killed."""


@dataclass(frozen=True)
class Guarded:
    """A world whose AWS asks who signs, and whose bucket takes TLS only."""

    world: World
    port: int
    ca: Path

    def client(self, service: str, key: str, secret: str) -> Any:
        assert self.world.site.eks
        return boto3.client(
            service,
            region_name=self.world.site.eks.region,
            endpoint_url=f"https://127.0.0.1:{self.port}",
            verify=str(self.ca),
            config=_CONFIG,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    def keys(self) -> dict[str, str]:
        """Return the states of the document user's keys, as AWS has them, by their ids."""
        state = self.world.engine.export(self.world.stack)["deployment"]["resources"]
        user = next(found["outputs"]["name"] for found in state if found["type"] == "aws:iam/user:User")
        listed = self.client("iam", *_ROOT_KEY).list_access_keys(UserName=user)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}


@dataclass
class PodsEye:
    """Notes what each pod's environment got when the pod was started, and tries it until the pod has ended."""

    guarded: Guarded
    carried: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    rounds: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        view = ClusterView(self.guarded.world.kubeconfig)
        while not self._stop.is_set():
            self.look(view)

    def end(self) -> None:
        self._stop.set()

    def look(self, view: ClusterView) -> None:
        """Try what every running pod carries. A pod that has ended meanwhile is nobody's any more."""
        running = self._running(view)
        for uid in running:
            if uid not in self.carried:
                values = view.environment(self.guarded.world.site.namespace, "xgen-documents")
                self.carried[uid] = (values[_KEYS[0]], values[_KEYS[1]])
        refused = {pair for pair in {self.carried[uid] for uid in running} if not self.works(pair)}
        if refused:
            still = self._running(view)
            self.refused += [f"{still[uid]}" for uid in still if self.carried.get(uid) in refused]
        self.rounds += 1

    def _running(self, view: ClusterView) -> dict[str, str]:
        pods = view.core.list_namespaced_pod(self.guarded.world.site.namespace).items
        return {
            pod.metadata.uid: pod.metadata.name
            for pod in pods
            if (pod.metadata.labels or {}).get("app.kubernetes.io/name") in catalog.NAMES
        }

    def works(self, pair: tuple[str, str]) -> bool:
        """Put and get a document with a pod's credentials."""
        store = self.guarded.client("s3", *pair)
        bucket = naming.bucket(self.guarded.world.site)
        try:
            store.put_object(Bucket=bucket, Key="rotation", Body=b"document")
            return bool(store.get_object(Bucket=bucket, Key="rotation")["Body"].read() == b"document")
        except ClientError:
            return False


@dataclass
class Killed:
    """Stack and pods of a rotation, of which one call, by its number, is not lived to see the end of."""

    stack: EngineStack
    pods: ClusterPods
    kill_at: int
    look: Callable[[], None]
    calls: int = 0

    def _then(self, act: Callable[[], None]) -> None:
        self.calls += 2
        if self.calls - 1 == self.kill_at:
            raise Interrupted
        act()
        self.look()
        if self.calls == self.kill_at:
            raise Interrupted

    def generations(self) -> frozenset[int]:
        return self.stack.generations()

    def make_key(self, generation: int) -> None:
        self._then(lambda: self.stack.make_key(generation))

    def up(self) -> None:
        self._then(self.stack.up)

    def wait(self, generation: int) -> None:
        self._then(lambda: self.pods.wait(generation))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    _, site = read_site(ROOT, "aww")
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("rotation")
    with world(site, ROOT / "Pulumi.aww.yaml", root, ensure(tools_of(site), print)) as started:
        assert started.s3
        started.engine.up(started.stack)
        yield Guarded(started, started.s3.port, started.s3.ca)


@pytest.fixture
def rotation(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, Callable[[], None]], Rotation]:
    made = guarded.world
    assert made.aws_endpoint
    assert made.site.eks
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.aws_endpoint)
    api: client.ApiClient = ClusterView(made.kubeconfig).core.api_client
    stack = EngineStack(made.engine, made.stack, made.site.eks.region)
    pods = ClusterPods(lambda: nullcontext(api), made.site.namespace, 120)

    def started(kill_at: int, look: Callable[[], None]) -> Rotation:
        killed = Killed(stack, pods, kill_at, look)
        return Rotation(made.root, made.stack, killed, killed)

    return started


def test_interrupted_at_each_step_every_running_pods_credentials_work(
    guarded: Guarded, rotation: Callable[[int, Callable[[], None]], Rotation]
) -> None:
    view, eye = ClusterView(guarded.world.kubeconfig), PodsEye(guarded)
    first = set(guarded.keys())
    eye.look(view)
    assert {key for key, _ in eye.carried.values()} == first
    watching = threading.Thread(target=eye.watch)
    watching.start()
    interruptions = 0
    try:
        for kill_at in KILLED_AT:
            try:
                rotation(kill_at, lambda: eye.look(view)).run()
            except Interrupted:
                interruptions += 1
                eye.look(view)
                assert not eye.refused
                assert "Active" in guarded.keys().values()
    finally:
        eye.end()
        watching.join()
    assert interruptions == len(KILLED_AT) - 1
    assert not eye.refused
    last = guarded.keys()
    assert list(last.values()) == ["Active"]
    assert not first & set(last)
    assert {key for key, _ in eye.carried.values()} == first | set(last)
    running = {pod.uid for pod in view.pods(guarded.world.site.namespace)}
    assert {eye.carried[uid][0] for uid in running} == set(last)
    old = next(pair for pair in eye.carried.values() if pair[0] in first)
    assert not eye.works(old)


def test_a_rotated_stack_is_what_its_file_says(guarded: Guarded) -> None:
    made = guarded.world
    assert not made.engine.up(made.stack).changed
    _, site = read_site(made.root, made.stack)
    assert site.eks
    assert (site.eks.access_key_generation, site.generations.secrets) == (2, 2)
    assert not site.eks.previous_access_keys
    assert not site.eks.retired_access_keys
