"""Changes of year two on a running EKS stack: what the engine would replace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xgen_infra.folder import read_site
from xgen_infra.rehearsal.tools import ensure
from xgen_infra.rehearsal.world import World, tools_of, world

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    _, site = read_site(ROOT, "aww")
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("changes")
    with world(site, ROOT / "Pulumi.aww.yaml", root, ensure(tools_of(site), print)) as made:
        made.engine.up(made.stack)
        yield made


@pytest.mark.parametrize(
    ("path", "value", "before", "replaced"),
    [
        (("cluster", "version"), "1.35", None, set()),
        (("cluster", "apiAccess"), ["198.51.100.0/24"], ["203.0.113.0/24"], set()),
        (("cluster", "nodes", "max"), 6, 4, set()),
        (("cluster", "nodes", "instanceTypes"), ["m7i.4xlarge"], ["m7i.2xlarge"], {"nodes-group"}),
    ],
    ids=["a Kubernetes minor", "the API's networks", "a larger group", "another node type"],
)
def test_a_change_of_the_file_replaces_no_more_than_it_must(
    running: World, path: tuple[str, ...], value: Any, before: Any, replaced: set[str]
) -> None:
    running.file.change(path, value)
    result = running.engine.preview(running.stack)
    running.file.change(path, before if before is not None else "1.34")
    assert result.changed
    assert {step.name for step in result.replaced} == replaced
    assert not [step for step in result.steps if step.op == "delete"]
