"""Hosts of a process that has the SDK: a program runs as it would without them, and only once by each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from xgen_infra.engine import EngineError
from xgen_infra.folder import read_site
from xgen_infra.rehearsal.hosts import LanguageHosts, language_hosts
from xgen_infra.rehearsal.memory import MemoryWorld, Program, memory_world
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.surroundings import HOST_READY
from xgen_infra.rehearsal.tools import MEMORY_TOOLS, ensure

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
PROGRAM = """\
import os, sys
import pulumi
import xgen_infra
import probe
pulumi.export("environment", dict(os.environ))
pulumi.export("folders", [os.getcwd(), xgen_infra.__file__, probe.__file__])
pulumi.export("imports", probe.IMPORTS)
pulumi.export("process", os.getpid())
pulumi.export("parent", os.getppid())
print("said to everybody")
print("said of a mistake", file=sys.stderr)
"""
PROBE = "import builtins\nIMPORTS = builtins.imports = getattr(builtins, 'imports', 0) + 1\n"
ENGINES_OWN = {HOST_READY, "PYTHONPATH", "PULUMI_DEBUG_COMMANDS", "PULUMI_LOG_OTLP_ENDPOINT", "PWD", "_"}
"""What a host that the engine itself starts has of the engine, or of the shell that starts it."""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageHosts]:
    with language_hosts(tmp_path_factory.mktemp("hosts"), cloud=False) as made:
        yield made


@pytest.fixture(scope="module")
def world(hosts: LanguageHosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryWorld]:
    _, site = read_site(ROOT, "lotteimall")
    root, file = tmp_path_factory.mktemp("memory"), ROOT / "Pulumi.lotteimall.yaml"
    with memory_world(site, file, root, ensure(MEMORY_TOOLS, print), hosts=hosts) as made:
        yield made


def program(folder: Path, probe: str = PROBE) -> Program:
    (folder / "xgen_infra").mkdir()
    (folder / "xgen_infra" / "__init__.py").touch()
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "probe.py").write_text(probe)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    return Program(folder, ROOT / "Pulumi.lotteimall.yaml")


def told(world: MemoryWorld) -> dict[str, Any]:
    world.engine.up(world.stack)
    return world.engine.outputs(world.stack)


def test_a_program_runs_as_it_would_without_and_a_host_runs_it_once(
    world: MemoryWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "yes")
    there = program(tmp_path)
    world.prepare(there)
    world.turn(there)
    ahead, cold = told(world), told(world)
    assert world.environment[HOST_READY]
    assert ahead["process"] in {one.pid for one in psutil.Process().children(recursive=True)}
    assert cold["process"] != ahead["process"]
    assert cold["parent"] == ahead["parent"] == forking(world)
    assert until(lambda: not psutil.pid_exists(cold["process"]), 300)
    environments = [one.pop("environment") for one in (ahead, cold)]
    for one in environments:
        assert "OF_THE_CALLER" not in one
    before, after = ({k: v for k, v in one.items() if k not in ENGINES_OWN} for one in environments)
    assert before == after
    assert ahead["imports"] == cold["imports"] == 1
    assert ahead["folders"][1:] == cold["folders"][1:]
    assert Path(ahead["folders"][0]).samefile(cold["folders"][0])


@pytest.mark.parametrize(
    ("probe", "said"),
    [("IMPORTS = nowhere\n", "name 'nowhere' is not defined"), ("raise SystemExit(3)\n", "")],
)
def test_a_program_that_cannot_be_imported_says_so_when_it_runs(
    world: MemoryWorld, tmp_path: Path, probe: str, said: str
) -> None:
    there = program(tmp_path, probe)
    world.turn(there)
    with pytest.raises(EngineError) as cold:
        world.engine.preview(world.stack)
    world.prepare(there)
    world.turn(there)
    assert said in str(cold.value)
    with pytest.raises(EngineError) as ahead:
        world.engine.preview(world.stack)
    assert str(ahead.value) == str(cold.value)


def test_a_host_that_dies_leaves_its_program_to_the_engine(world: MemoryWorld, tmp_path: Path) -> None:
    once = tmp_path / "once"
    dies = f"import os, pathlib\nif not (once := pathlib.Path({str(once)!r})).exists():\n    once.touch()\n    os._exit(9)\n"
    there = program(tmp_path, dies + PROBE)
    world.prepare(there)
    world.turn(there)
    assert once.exists()
    assert told(world)["imports"] == 1


def test_without_the_process_that_forks_an_engine_has_a_host_of_its_own(tmp_path: Path) -> None:
    _, site = read_site(ROOT, "lotteimall")
    (tmp_path / "code").mkdir()
    with memory_world(
        site, ROOT / "Pulumi.lotteimall.yaml", tmp_path / "world", ensure(MEMORY_TOOLS, print)
    ) as made:
        made.turn(program(tmp_path / "code"))
        forks = forking(made)
        forked, said = told(made), what_was_said(made)
        made.supervisor.stop("hosts", force=True)
        alone = told(made)
        assert forked["parent"] == forks
        assert alone["parent"] != forks
        assert {"said to everybody", "said of a mistake"} <= set(said)
        assert sorted(what_was_said(made)[len(said) :]) == sorted(said)
        assert not list((tmp_path / "world" / "hosts").glob("*.engine"))


def test_a_host_ends_with_the_engine_that_was_killed(world: MemoryWorld, tmp_path: Path) -> None:
    started = tmp_path / "started"
    waits = f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(100)\n"
    world.turn(program(tmp_path, waits))
    command = ["pulumi", "preview", "--stack", world.stack, "--non-interactive"]
    with subprocess.Popen(
        command, cwd=world.engine.project, env=world.environment, stdout=subprocess.DEVNULL
    ) as engine:
        assert until(lambda: started.exists() and started.read_text(), 300)
        host = psutil.Process(int(started.read_text()))
        assert host.ppid() == forking(world)
        engine.kill()
    assert until(lambda: not host.is_running() or host.status() == psutil.STATUS_ZOMBIE, 60)


def forking(world: MemoryWorld) -> int:
    """The process that forks hosts for a world's engine, as the engine's own script knows it."""
    (line,) = (
        one
        for one in (world.root / "bin" / "pulumi-language-python").read_text().splitlines()
        if "/pid" in one
    )
    return int(Path(line.partition("cat ")[2].split()[0]).read_text())


def what_was_said(world: MemoryWorld) -> list[str]:
    """What the program wrote, in the order of the log: that of two streams is not promised."""
    lines = (world.root / "logs" / "engine.log").read_text().splitlines()
    return [line.strip() for line in lines if line.strip().startswith("said ")]


def test_no_host_outlives_who_asked_for_it(tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    there = program(tmp_path / "program", "import time\ntime.sleep(2)\n" + PROBE)
    asks = (
        "import os, sys, time\nfrom pathlib import Path\nfrom xgen_infra.rehearsal.hosts import language_hosts\n"
        "with language_hosts(Path(sys.argv[1]), cloud=False) as hosts:\n"
        "    ready = [hosts.ask(Path(sys.argv[2]), os.environ) for _ in range(2)]\n"
        "    print(flush=True)\n    time.sleep(100)\n"
    )
    command = [sys.executable, "-c", asks, str(tmp_path / "hosts"), str(there.project)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as asking:
        assert asking.stdout
        asking.stdout.readline()
        assert until(lambda: len(running(tmp_path)) == 4, 300), "who asks, who forks, and two hosts"
        asking.kill()
    assert until(lambda: not running(tmp_path), 60), running(tmp_path)


def running(folder: Path) -> list[psutil.Process]:
    named = psutil.process_iter(["cmdline"])
    return [one for one in named if any(str(folder) in word for word in one.info["cmdline"] or ())]
