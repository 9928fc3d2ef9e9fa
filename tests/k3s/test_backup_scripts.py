"""How dumps reach the object store and come back: the scripts' own order of steps, with rclone played by folders.

The same scripts over a real rclone and the real store: tests/k3s/real_store.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from xgen_infra.k3s import backup
from xgen_infra.k3s.workload import CONFIG_MOUNT

from .dumps import DUMPS

DAY = 86400
NOW = "xgen-20260301T021700Z.dump"


@dataclass(frozen=True)
class Pod:
    """The scripts' surroundings: what is mounted, and the store."""

    home: Path

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def store(self) -> Path:
        return self.home / "store" / DUMPS.bucket / backup.PREFIX

    @property
    def calls(self) -> list[str]:
        return (self.home / "store.calls").read_text().split()

    def dump(self, name: str, age_days: float, folder: Path, content: bytes = b"PGDMP") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        then = path.stat().st_mtime - age_days * DAY
        os.utime(path, (then, then))
        return path

    def run(self, job: dict[str, Any], name: str, **over: str) -> subprocess.CompletedProcess[str]:
        spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        container = next(
            each for each in (*spec["initContainers"], *spec["containers"]) if each["name"] == name
        )
        env = {entry["name"]: entry.get("value", "secret") for entry in container["env"]}
        env |= {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", "STORE": str(self.home / "store")}
        env |= {"WORK": str(self.work), **over}
        command = [word.replace(CONFIG_MOUNT, str(self.home / "config")) for word in container["command"]]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    for name in ("work", "config", "bin", "store"):
        (tmp_path / name).mkdir()
    for name, text in backup.scripts().items():
        (tmp_path / "config" / name).write_text(text)
    program = tmp_path / "bin" / "rclone"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("rclone.py")} "$@"\n')
    program.chmod(0o755)
    return Pod(tmp_path)


def stored(pod: Pod) -> set[str]:
    return {path.name for path in pod.store.iterdir()} if pod.store.is_dir() else set()


def test_a_dump_is_stored_and_only_older_ones_than_the_bound_go(pod: Pod) -> None:
    pod.dump(NOW, 0, pod.work)
    pod.dump("xgen-old.dump", DUMPS.keep_days + 1, pod.store)
    pod.dump("xgen-young.dump", DUMPS.keep_days - 1, pod.store)
    pod.dump("letter.txt", 400, pod.store)
    done = pod.run(backup.backup(DUMPS), "store")
    assert done.returncode == 0, done.stderr
    assert stored(pod) == {NOW, "xgen-young.dump", "letter.txt"}


@pytest.mark.parametrize("step", ["mkdir", "copyto", "check"])
def test_nothing_is_deleted_where_the_new_dump_did_not_arrive(pod: Pod, step: str) -> None:
    pod.dump(NOW, 0, pod.work)
    pod.dump("xgen-old.dump", 400, pod.store)
    assert pod.run(backup.backup(DUMPS), "store", FAIL=step).returncode != 0
    assert "xgen-old.dump" in stored(pod)
    assert "delete" not in pod.calls


def test_a_day_without_a_dump_is_a_failure_and_deletes_nothing(pod: Pod) -> None:
    pod.dump("xgen-old.dump", 400, pod.store)
    done = pod.run(backup.backup(DUMPS), "store")
    assert done.returncode == 1
    assert "no dump in" in done.stderr
    assert stored(pod) == {"xgen-old.dump"}


def test_a_restore_takes_the_newest_dump_unless_one_is_named(pod: Pod) -> None:
    pod.dump("xgen-20260228T021700Z.dump", 1, pod.store, b"yesterday")
    pod.dump(NOW, 2, pod.store, b"today")
    restored = pod.work / "restore.dump"
    assert pod.run(backup.restore(DUMPS), "fetch").returncode == 0
    assert restored.read_bytes() == b"today"
    assert pod.run(backup.restore(DUMPS), "fetch", BACKUP="xgen-20260228T021700Z.dump").returncode == 0
    assert restored.read_bytes() == b"yesterday"


def test_a_restore_of_a_dump_that_is_not_there_fails(pod: Pod) -> None:
    pod.store.mkdir(parents=True)
    assert "no dump in" in pod.run(backup.restore(DUMPS), "fetch").stderr
    pod.dump(NOW, 0, pod.store)
    refused = pod.run(backup.restore(DUMPS), "fetch", BACKUP="xgen-1999.dump")
    assert refused.returncode == 1
    assert NOW in refused.stdout
    assert not (pod.work / "restore.dump").exists()
