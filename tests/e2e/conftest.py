from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.customer import STACK
from e2e.planting import SPACE
from xgen_infra import catalog
from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.load import STACK_FILE_VARIABLE
from xgen_infra.rehearsal.hosts import LanguageHosts
from xgen_infra.rehearsal.observe import ClusterView, until
from xgen_infra.rehearsal.secrecy import places
from xgen_infra.rehearsal.standins import language
from xgen_infra.rehearsal.tools import Tool, ensure
from xgen_infra.rehearsal.world import World, tools_of, world

ROOT = Path(__file__).parents[2]
PASSPHRASE = "xgen-samples"


@pytest.fixture(scope="session")
def pulumi() -> Path:
    return ensure([Tool.PULUMI], print)[Tool.PULUMI]


@pytest.fixture(scope="module")
def bare_engine(
    pulumi: Path, hosts: LanguageHosts, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], Engine]:
    """The engine and the program alone: no provider answers, so nothing can be registered unnoticed."""
    root = tmp_path_factory.mktemp("bare")
    for name in ("home", "state"):
        (root / name).mkdir()
    for name in ("Pulumi.yaml", "Pulumi.aww.yaml"):
        shutil.copy(ROOT / name, root)
    language.install(root, hosts.folder)
    environment = {
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": f"{root}{os.pathsep}{os.environ['PATH']}",
    }
    Engine(root, pulumi, environment).init("aww")

    def engine(file: Path) -> Engine:
        given = {"PULUMI_OPTION_CONFIG_FILE": str(file), STACK_FILE_VARIABLE: str(file)}
        return Engine(ROOT, pulumi, {**environment, **given})

    return engine


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    _, site = read_site(ROOT, STACK)
    site = site.model_copy(update={"delivery": "helm"})
    root = tmp_path_factory.mktemp("secrecy")
    with world(site, ROOT / f"Pulumi.{STACK}.yaml", root, ensure(tools_of(site), print)) as made:
        (root / places.PREVIEWS).mkdir()
        plan = str(root / places.PREVIEWS / "plan.json")
        places.commented(made, "preview", made.engine.preview(made.stack, "--save-plan", plan))
        made.engine.up(made.stack)
        until(lambda: ClusterView(made.kubeconfig).all_ready(SPACE, dict.fromkeys(catalog.NAMES, 1)), 60)
        yield made


@pytest.fixture(scope="module")
def view(running: World) -> ClusterView:
    return ClusterView(running.kubeconfig)
