"""Programs are built once, by one process at a time, and taken from PATH where they fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from xgen_infra.rehearsal import go, tools
from xgen_infra.rehearsal.go import Toolchain, ToolError
from xgen_infra.rehearsal.tools import Tool, ensure, pinned

FAKE_GO = """#!{python}
import json, os, pathlib, sys, time
here = pathlib.Path({folder!r})
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([os.getpid(), *sys.argv[1:]]) + "\\n")
if sys.argv[1:3] == ["mod", "download"]:
    print(json.dumps({{"Dir": str(here)}}))
    sys.exit()
if (here / "failure").exists():
    sys.exit((here / "failure").read_text())
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
names = [{{"v3": "server"}}.get(p.rsplit("/", 1)[1], p.rsplit("/", 1)[1]) for p in sys.argv[sys.argv.index("-o") + 2:]]
for name in names:
    with (out / name).open("w") as file:
        file.write("half ")
        file.flush()
        print("some/package", file=sys.stderr, flush=True)
        until = time.monotonic() + float((here / "seconds").read_text())
        (here / "half").touch()
        while time.monotonic() < until and not (here / "enough").exists():
            time.sleep(0.02)
        file.write("whole")
"""


class FakeGo:
    """A `go` that writes a file for each package in two halves, with a pause between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        command = folder / "go"
        command.write_text(FAKE_GO.format(python=sys.executable, folder=str(folder)))
        command.chmod(0o755)
        self.pause(0)
        self.toolchain = Toolchain(command, "go1.27.3")

    def pause(self, seconds: float) -> None:
        (self.folder / "seconds").write_text(str(seconds))

    @property
    def half(self) -> Path:
        """What is there once a pause has begun."""
        return self.folder / "half"

    def end_pauses(self) -> None:
        (self.folder / "enough").touch()

    def fail(self, message: str) -> None:
        (self.folder / "failure").write_text(message)

    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def fake(tmp_path: Path) -> FakeGo:
    return FakeGo(tmp_path / "fake")


def build(fake: FakeGo, cache: Path, *wanted: Tool, said: list[str] | None = None) -> dict[Tool, Path]:
    said = [] if said is None else said
    return ensure(wanted, said.append, cache=cache, search_path="", toolchain=fake.toolchain)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def program(folder: Path, name: str, answer: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def test_only_what_is_asked_for_is_built_and_only_once(fake: FakeGo, tmp_path: Path) -> None:
    first = build(fake, tmp_path, Tool.ETCD, Tool.KUBECTL)
    assert [path.read_text() for path in first.values()] == ["half whole"] * 2
    assert [path.name for path in first.values()] == ["etcd", "kubectl"]
    assert len(fake.calls()) == 2
    assert build(fake, tmp_path, Tool.ETCD, Tool.KUBECTL) == first
    assert len(fake.calls()) == 2
    build(fake, tmp_path, Tool.KUBE_SCHEDULER)
    assert fake.calls()[2][-1] == "k8s.io/kubernetes/cmd/kube-scheduler"


def test_progress_says_which_of_how_many_is_being_built(
    fake: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go, "REPORT_EVERY", 0.2)
    fake.pause(0.5)
    said: list[str] = []
    build(fake, tmp_path, Tool.ETCD, Tool.KUBECTL, Tool.KUBE_SCHEDULER, said=said)
    assert any(line.startswith("etcd (1 of 3): ") for line in said)
    assert any(line.startswith("kubectl, kube-scheduler (2-3 of 3): ") for line in said)
    assert any("packages compiled" in line for line in said)


def test_the_key_changes_with_the_pins_the_flags_and_the_compiler(tmp_path: Path) -> None:
    compiler = Toolchain(tmp_path / "go", "go1.27.3")
    (tmp_path / "go.mod").write_text("a")
    (tmp_path / "go.sum").write_text("b")
    keys = {go.key(tmp_path, ("-trimpath",), compiler)}
    assert go.key(tmp_path, ("-trimpath",), compiler) in keys
    keys.add(go.key(tmp_path, (), compiler))
    keys.add(go.key(tmp_path, ("-trimpath",), Toolchain(tmp_path / "go", "go1.28.0")))
    (tmp_path / "go.sum").write_text("c")
    keys.add(go.key(tmp_path, ("-trimpath",), compiler))
    (tmp_path / "go.mod").write_text("d")
    keys.add(go.key(tmp_path, ("-trimpath",), compiler))
    assert len(keys) == 5


def building_elsewhere(fake: FakeGo, cache: Path) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from xgen_infra.rehearsal.go import Toolchain;"
        "from xgen_infra.rehearsal.tools import Tool, ensure;"
        "ensure([Tool.ETCD], print, cache=Path(sys.argv[1]), search_path='',"
        " toolchain=Toolchain(Path(sys.argv[2]), 'go1.27.3'))"
    )
    argv = [sys.executable, "-c", code, str(cache), str(fake.toolchain.command)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not fake.half.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_a_build_whose_rehearsal_was_killed_is_waited_for_and_done_again(
    fake: FakeGo, tmp_path: Path
) -> None:
    fake.pause(60)
    with building_elsewhere(fake, tmp_path) as killed:
        killed.kill()
    assert list((tmp_path / "tools").glob(".etcd-*/server"))
    waited: list[str] = []

    def told(line: str) -> None:
        if "another process is building this" in line:
            waited.append(line)
            fake.end_pauses()

    found = ensure([Tool.ETCD], told, cache=tmp_path, search_path="", toolchain=fake.toolchain)
    fake.end_pauses()
    path = found[Tool.ETCD]
    assert waited
    assert path.read_text() == "half whole"
    assert not list((tmp_path / "tools").glob(".*"))


def test_a_request_to_end_ends_the_compiler(fake: FakeGo, tmp_path: Path) -> None:
    fake.pause(60)
    with building_elsewhere(fake, tmp_path) as asked:
        asked.terminate()
        assert asked.wait(50) == 143
    assert not psutil.pid_exists(int(fake.calls()[0][0]))
    assert not list((tmp_path / "tools").glob(".*"))


def test_two_rehearsals_at_once_build_a_tool_once(fake: FakeGo, tmp_path: Path) -> None:
    fake.pause(0.5)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(build(fake, tmp_path, Tool.ETCD)[Tool.ETCD]))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 3
    assert len(set(found)) == 1
    assert len(fake.calls()) == 1


def test_an_interruption_ends_the_compiler(
    fake: FakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go, "REPORT_EVERY", 0.5)
    fake.pause(60)

    def interrupt(line: str) -> None:
        if fake.half.exists():
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        ensure([Tool.ETCD], interrupt, cache=tmp_path, search_path="", toolchain=fake.toolchain)
    assert time.monotonic() - begun < 60
    assert not psutil.pid_exists(int(fake.calls()[0][0]))
    assert not list((tmp_path / "tools").glob(".*"))


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("write /x: no space left on device", "disk space"),
        ('Get "https://me:hidden@proxy.example/x": dial tcp: lookup: no such host', "GOPROXY"),
        ("compile: signal: killed", "memory"),
        ("undefined: foo", "run it again"),
    ],
)
def test_a_failed_build_says_what_was_printed_and_what_to_do(
    fake: FakeGo, tmp_path: Path, output: str, remedy: str
) -> None:
    fake.fail(output)
    with pytest.raises(ToolError) as caught:
        build(fake, tmp_path, Tool.ETCD)
    message = str(caught.value)
    assert output.split(":", maxsplit=1)[0] in message
    assert remedy in message
    assert "hidden" not in message
    assert [path for path in (tmp_path / "tools").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("tool", "answer", "fits"),
    [
        (Tool.PULUMI, "v3.300.1", True),
        (Tool.PULUMI, pinned(Tool.PULUMI), True),
        (Tool.PULUMI, "v3.100.0", False),
        (Tool.PULUMI, "v4.0.0", False),
        (Tool.HELM, "v3.99.0+g0000000", True),
        (Tool.HELM, "v3.99.0-rc.1", False),
        (Tool.HELM, "v4.1.0", False),
        (Tool.KUBECTL, "gitVersion: v1.37.0", True),
        (Tool.KUBECTL, "gitVersion: v1.36.0-eks-1a2b3c4", True),
        (Tool.KUBECTL, "gitVersion: v1.38.0", False),
        (Tool.KUBECTL, "no version at all", False),
    ],
)
def test_an_installed_program_is_used_where_its_version_fits(
    tmp_path: Path, tool: Tool, answer: str, fits: bool
) -> None:
    path = program(tmp_path, tool, answer)
    assert tools.on_path(tool, str(tmp_path)) == (path if fits else None)


def test_a_later_folder_of_path_is_tried_when_an_earlier_one_does_not_fit(tmp_path: Path) -> None:
    program(tmp_path / "old", "pulumi", "v2.0.0")
    path = program(tmp_path / "new", "pulumi", "v3.999.0")
    assert tools.on_path(Tool.PULUMI, f"{tmp_path / 'old'}{os.pathsep}{tmp_path / 'new'}") == path


def test_the_current_folder_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "pulumi", "v3.999.0")
    monkeypatch.chdir(tmp_path)
    assert tools.on_path(Tool.PULUMI, ".") is None
    assert tools.on_path(Tool.PULUMI, "") is None


def test_servers_are_always_the_pinned_ones(tmp_path: Path) -> None:
    program(tmp_path, "kube-apiserver", "Kubernetes v1.36.9")
    assert tools.on_path(Tool.KUBE_APISERVER, str(tmp_path)) is None


def test_an_installed_program_that_fits_needs_no_compiler(fake: FakeGo, tmp_path: Path) -> None:
    path = program(tmp_path / "bin", "helm", "v3.99.0")
    found = ensure(
        [Tool.HELM], lambda _: None, cache=tmp_path, search_path=str(path.parent), toolchain=fake.toolchain
    )
    assert found == {Tool.HELM: path}
    assert fake.calls() == []


def test_where_a_modules_sources_are_is_asked_once(fake: FakeGo, tmp_path: Path) -> None:
    for _ in range(2):
        assert go.module_dir("kwok", "sigs.k8s.io/kwok", cache=tmp_path, go=fake.toolchain) == fake.folder
    assert len(fake.calls()) == 1


def test_a_module_that_a_family_does_not_require_is_refused(fake: FakeGo, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"requires no example\.com/absent"):
        go.module_dir("kwok", "example.com/absent", cache=tmp_path, go=fake.toolchain)
    assert fake.calls() == []


def test_every_tool_is_pinned() -> None:
    assert {tool: pinned(tool)[0] for tool in Tool} == dict.fromkeys(Tool, "v")


def test_the_installed_compiler_is_new_enough_for_every_family() -> None:
    have = numbers(go.toolchain().version.removeprefix("go"))
    families = [path.parent for path in go.MODULES.glob("*/go.mod")]
    assert len(families) == 9
    for family in families:
        directive = re.search(r"^go (\S+)$", go.requirements(family), re.MULTILINE)
        assert directive is not None
        assert numbers(directive[1]) <= have


def test_outside_a_checkout_the_missing_pins_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(go, "MODULES", tmp_path)
    with pytest.raises(ToolError, match="Run this from a checkout"):
        ensure([Tool.ETCD], lambda _: None, cache=tmp_path, search_path="")


def test_a_cache_folder_that_cannot_be_made_is_named(fake: FakeGo, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="Set XGEN_CACHE"):
        build(fake, tmp_path / "file", Tool.ETCD)


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XGEN_CACHE", str(tmp_path / "mine"))
    assert go.cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("XGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert go.cache_dir() == tmp_path / "xgen-infra"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert go.cache_dir() == Path.home() / ".cache" / "xgen-infra"


def test_a_build_sees_no_secret_and_no_setting_of_the_users_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-user")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    seen = go.environment(tmp_path)
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert seen["GOFLAGS"] == "-mod=readonly"
    assert seen["GOPROXY"] == "https://proxy.example"
