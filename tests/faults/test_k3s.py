"""A site on K3s, delivery helm, on the real control plane: whichever call fails, the next run ends where it should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xgen_infra.folder import read_site
from xgen_infra.k3s.backup import NEVER
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.standins.faults import Kind
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import tools_of, world

from .contents import apart, claims, contents
from .cycle import KINDS, Ground, Moment, undisturbed
from .plans import try_a_sample
from .sweep import sweep

pytestmark = pytest.mark.e2e
HOURS = 2 * 3600
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    root = tmp_path_factory.mktemp("faults-k3s")
    site = read_site(ROOT, "lotteimall")[1].model_copy(update={"delivery": "helm"})
    with world(site, ROOT / "Pulumi.lotteimall.yaml", root, ensure(tools_of(site), print)) as made:
        api = Api(made.kubeconfig)
        before = frozenset(contents(api))

        def none_going() -> bool:
            return not [
                one
                for one in api.get("/api/v1/namespaces")["items"]
                if one["metadata"].get("deletionTimestamp")
            ]

        def settle() -> None:
            assert until(none_going, 300)

        def anew() -> None:
            """Empty the state, then the cluster of what is protected and what the engine lets be."""
            made.engine.destroy(made.stack, "--ignore-protect")
            for namespace in api.get("/api/v1/namespaces")["items"]:
                name = namespace["metadata"]["name"]
                if f"namespaces /{name}" not in before:
                    api.delete(f"/api/v1/namespaces/{name}")
            settle()

        # No dump begins by itself in the midst of it, and leaves a Job.
        made.file.change(("cluster", "backup"), {"schedule": NEVER})
        journal = root / "stand-ins"
        yield Ground(
            made.engine,
            made.stack,
            made.file,
            journal,
            made.project,
            lambda: contents(api, below=before),
            apart,
            anew,
            lambda: claims(api),
            settle,
        )
        api.close()


@pytest.fixture(scope="module")
def expected(ground: Ground) -> Moment:
    return undisturbed(ground)


def test_a_life_of_many_faults_ends_where_an_undisturbed_one_does(ground: Ground, expected: Moment) -> None:
    assert expected.up
    assert expected.changed != expected.up
    try_a_sample(ground, expected)


@pytest.mark.faults
@pytest.mark.timeout(HOURS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_call_fails_once(ground: Ground, expected: Moment, kind: Kind) -> None:
    sweep(ground, expected, kind)
