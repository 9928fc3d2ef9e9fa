"""A site on EKS, in memory: whichever call fails, the next run ends with the same cluster and the same cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from xgen_infra.cli.destroy import remove_all
from xgen_infra.folder import read_site
from xgen_infra.recovery import Recovery
from xgen_infra.rehearsal.contents import Contents
from xgen_infra.rehearsal.memory import memory_world
from xgen_infra.rehearsal.ports import free_ports, release
from xgen_infra.rehearsal.standins.aws.world import ROOT_KEY_ID
from xgen_infra.rehearsal.standins.faults import Kind
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

from .cycle import KINDS, Ground, Moment, undisturbed
from .plans import QUESTIONS, try_a_sample
from .sweep import sweep

pytestmark = pytest.mark.e2e
HOURS = 2 * 3600
ROOT = Path(__file__).parents[2]
_IDS = re.compile(r"\b[0-9a-f]{8,}\b|\bAK[A-Z0-9]{10,}\b")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    site = read_site(ROOT, "aww")[1].model_copy(update={"delivery": "helm"})
    (port,) = free_ports(1)
    root = tmp_path_factory.mktemp("faults-eks")
    with (
        pytest.MonkeyPatch.context() as patch,
        memory_world(
            site, ROOT / "Pulumi.aww.yaml", root, ensure(MEMORY_TOOLS, print), aws_port=port
        ) as made,
    ):
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY_ID)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        s3 = boto3.client("s3", region_name=site.cluster.region)

        def buckets() -> dict[str, str]:
            """A bucket that is made anew has another date, and no documents."""
            found = s3.list_buckets()["Buckets"]
            return {f"bucket {one['Name']}": one["CreationDate"].isoformat() for one in found}

        yield MemoryGround(
            made.engine,
            made.stack,
            made.file,
            made.records,
            made.program.project,
            made.contents,
            apart,
            made.reset,
            buckets,
        )
    release([port])


class MemoryGround(Ground):
    """The clusters are reached by the engine alone: nothing here looks at them by itself."""

    def destroy(self) -> None:
        remove_all(self.engine, self.stack)

    def recover(self) -> None:
        recovery = Recovery(self.engine, self.stack)
        result = recovery.run(charts=False)
        assert not result.foreign
        assert not result.unasked
        for iam, user, key in recovery.unknown_keys():
            iam.delete_access_key(UserName=user, AccessKeyId=key)


def apart(one: Contents, other: Contents) -> list[str]:
    """Return what only one of two contents holds, by name; then objects of which more than ids differs."""
    said = [f"only before: {name}" for name in _more(one.names, other.names)]
    said += [f"only after: {name}" for name in _more(other.names, one.names)]
    return said or [
        f"differs: {name}: {_parts(before, after)} {_parts(after, before)}"
        for (name, before), (_, after) in zip(_objects(one), _objects(other), strict=True)
        if before != after
    ]


def _parts(one: str, other: str) -> str:
    """Return what stands in one text only."""
    return " ".join(word for word in one.split() if word not in other.split())


def _more(one: tuple[str, ...], other: tuple[str, ...]) -> list[str]:
    left = list(other)
    return [name for name in one if name not in left or left.remove(name)]


def _objects(made: Contents) -> list[tuple[str, str]]:
    found: list[tuple[str, Any]] = []
    for cluster in made.clusters.values():
        for item in cluster["objects"]:
            name = f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
            found.append((name, _IDS.sub("*", json.dumps({**item, "data": _data(item)}, sort_keys=True))))
    return sorted(found)


def _data(item: dict[str, Any]) -> Any:
    """Return what a ConfigMap says, and of a Secret only which keys it has: a life has access keys of its own."""
    data = item.get("data") or {}
    return sorted(data) if item["kind"] == "Secret" else data


@pytest.fixture(scope="module")
def expected(ground: Ground) -> Moment:
    return undisturbed(ground)


def test_a_life_of_many_faults_ends_where_an_undisturbed_one_does(ground: Ground, expected: Moment) -> None:
    assert expected.up.aws
    try_a_sample(ground, expected, QUESTIONS)


@pytest.mark.faults
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_call_fails_once(ground: Ground, expected: Moment, kind: Kind) -> None:
    sweep(ground, expected, kind)
