"""The rehearsal's servers end with it, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from xgen_infra.rehearsal import ports
from xgen_infra.rehearsal.ports import PortError, free_ports, listening, release
from xgen_infra.rehearsal.processes import ProcessError, Supervisor, clean_environment, stop_leftovers

ENV = {"PATH": os.defpath}

WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(120)
"""
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
time.sleep(120)
"""
LAST_WORD = """
import signal, sys, time
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, end)
open(sys.argv[1] + sys.argv[2], "w").close()
time.sleep(120)
"""
RUNNER = """
import sys, time
from pathlib import Path
from xgen_infra.rehearsal.processes import Supervisor
root = Path(sys.argv[1])
with Supervisor(root) as supervisor:
    process = supervisor.spawn("server", [sys.executable, "-c", "import time; time.sleep(120)"], env={})
    (root / "ready").write_text(str(process.pid))
    time.sleep(120)
"""


def python(code: str, *words: str | Path) -> list[str | Path]:
    return [sys.executable, "-c", code, *words]


SLEEP = python("import time; time.sleep(120)")


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(tmp_path)], stderr=subprocess.DEVNULL
    ) as process:
        ready = tmp_path / "ready"
        eventually(lambda: ready.exists() and ready.read_text() != "")
        yield process, int(ready.read_text())
        process.kill()
    stop_leftovers(tmp_path)


def test_leaving_the_block_ends_every_server_and_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    with Supervisor(tmp_path) as supervisor:
        first = supervisor.spawn("first", SLEEP, env=ENV).pid
        supervisor.start("second", python(WITH_CHILD, note), env=ENV, ready=note.exists, timeout=10)
        eventually(lambda: note.read_text() != "")
        child = int(note.read_text())
        assert alive(first)
        assert alive(child)
    assert not alive(first)
    assert not alive(child)
    assert not list((tmp_path / "run").glob("*.json"))


def test_an_exception_in_the_block_ends_every_server(tmp_path: Path) -> None:
    started: list[int] = []

    def rehearse() -> None:
        with Supervisor(tmp_path) as supervisor:
            started.append(supervisor.spawn("server", SLEEP, env=ENV).pid)
            raise KeyError

    with pytest.raises(KeyError):
        rehearse()
    assert not alive(started[0])


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -signal.SIGINT)],
)
def test_a_signal_ends_the_rehearsal_and_its_servers(
    runner: tuple[subprocess.Popen[bytes], int], number: signal.Signals, status: int
) -> None:
    process, server = runner
    process.send_signal(number)
    assert process.wait(15) == status
    assert not alive(server)


def test_what_a_killed_rehearsal_left_is_ended_by_the_next_one(
    tmp_path: Path, runner: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, server = runner
    process.kill()
    process.wait()
    assert alive(server)
    with Supervisor(tmp_path):
        assert not alive(server)


def test_children_of_a_server_that_died_with_its_rehearsal_are_ended_too(tmp_path: Path) -> None:
    note = tmp_path / "child"
    with Supervisor(tmp_path) as supervisor:
        leader = supervisor.start("server", python(WITH_CHILD, note), env=ENV, ready=note.exists, timeout=10)
        eventually(lambda: note.read_text() != "")
        child = int(note.read_text())
        supervisor.release()
    os.kill(leader.pid, signal.SIGKILL)
    eventually(lambda: leader.returncode() == -signal.SIGKILL)
    assert alive(child)
    assert stop_leftovers(tmp_path) == ["server"]
    assert not alive(child)


def test_a_pid_that_another_process_bears_now_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP, start_new_session=True) as stranger:
        (tmp_path / "run").mkdir()
        record = {"name": "server", "pid": stranger.pid, "started": time.time() - 3600, "grace": 1.0}
        (tmp_path / "run" / "001-server.json").write_text(json.dumps(record))
        assert stop_leftovers(tmp_path) == []
        assert stranger.poll() is None
        stranger.kill()
    assert not list((tmp_path / "run").glob("*.json"))


def test_a_record_cut_short_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "001-server.json").write_text('{"name": "ser')
    assert stop_leftovers(tmp_path) == []


def test_a_server_that_ends_early_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    argv = python("import sys; print('port is taken'); sys.exit(3)")
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProcessError) as caught:
        supervisor.start("etcd", argv, env=ENV, ready=lambda: False, timeout=30)
    assert "etcd ended by itself (status 3)" in str(caught.value)
    assert "port is taken" in str(caught.value)


def test_a_server_that_dies_later_is_noticed_while_another_starts(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        os.kill(supervisor.spawn("first", SLEEP, env=ENV).pid, signal.SIGKILL)
        with pytest.raises(ProcessError, match=r"first ended by itself \(by SIGKILL\)"):
            supervisor.start("second", SLEEP, env=ENV, ready=lambda: False, timeout=30)


def crash_in(root: Path, then: Exception | None = None) -> None:
    with Supervisor(root) as supervisor:
        server = supervisor.spawn("first", SLEEP, env=ENV)
        os.kill(server.pid, signal.SIGSEGV)
        eventually(lambda: server.returncode() is not None)
        if then:
            raise then


def test_a_server_that_died_unnoticed_is_told_when_the_block_ends(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"first ended by itself \(by SIGSEGV\)"):
        crash_in(tmp_path)


def test_what_failed_since_a_server_died_is_told_with_it(tmp_path: Path) -> None:
    failure = ValueError("the provider did not come alive")
    with pytest.raises(ProcessError, match=r"first ended by itself \(by SIGSEGV\)") as caught:
        crash_in(tmp_path, failure)
    assert str(caught.value).endswith("What failed then: the provider did not come alive")
    assert caught.value.__cause__ is failure


def test_a_server_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path) as supervisor,
        pytest.raises(ProcessError, match="server was not ready after 0 s"),
    ):
        supervisor.start("server", SLEEP, env=ENV, ready=lambda: False, timeout=0.2)


def test_a_program_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProcessError, match="server could not be started"):
        supervisor.spawn("server", [tmp_path / "absent"], env=ENV)


def test_a_server_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with Supervisor(tmp_path) as supervisor:
        process = supervisor.start(
            "server", python(STUBBORN, ready), env=ENV, ready=ready.exists, timeout=10, grace=0.3
        )
        begun = time.monotonic()
    assert 0.3 <= time.monotonic() - begun < 5
    assert process.returncode() == -signal.SIGKILL


def test_the_last_started_server_ends_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    with Supervisor(tmp_path) as supervisor:
        for name in "abc":
            ready = Path(f"{order}{name}")
            supervisor.start(name, python(LAST_WORD, order, name), env=ENV, ready=ready.exists, timeout=10)
    assert order.read_text() == "cba"


def test_a_server_can_be_killed_on_purpose_and_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        first = supervisor.spawn("server", SLEEP, env=ENV).pid
        supervisor.stop("server", force=True)
        assert not alive(first)
        supervisor.check()
        second = supervisor.spawn("server", SLEEP, env=ENV).pid
        assert list(supervisor.processes) == ["server"]
    assert not alive(second)


def test_released_servers_live_on_until_they_are_asked_for(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        process = supervisor.spawn("server", SLEEP, env=ENV)
        supervisor.release()
    assert alive(process.pid)
    assert stop_leftovers(tmp_path) == ["server"]
    assert not alive(process.pid)
    process.returncode()


def test_one_folder_has_one_rehearsal(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path),
        pytest.raises(ProcessError, match="Another rehearsal is running"),
        Supervisor(tmp_path),
    ):
        pass


def test_a_server_sees_the_environment_it_is_given_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-user")
    argv = ["/usr/bin/env"]
    with Supervisor(tmp_path) as supervisor:
        process = supervisor.spawn("server", argv, env=clean_environment(tmp_path, EXTRA="1"))
        eventually(lambda: process.returncode() is not None)
        seen = dict(line.split("=", 1) for line in process.tail().splitlines())
        supervisor.stop("server")
    assert seen == clean_environment(tmp_path, EXTRA="1")
    assert process.log.stat().st_mode & 0o077 == 0


def test_a_supervisor_outside_the_main_thread_ends_its_servers(tmp_path: Path) -> None:
    pids: list[int] = []

    def work() -> None:
        with Supervisor(tmp_path) as supervisor:
            pids.append(supervisor.spawn("server", SLEEP, env=ENV).pid)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert len(pids) == 1
    assert not alive(pids[0])


def test_ports_are_free_and_below_the_range_of_outgoing_connections(tmp_path: Path) -> None:
    chosen = free_ports(8, cache=tmp_path)
    assert len(set(chosen)) == 8
    assert all(1024 < port < 32_768 for port in chosen)
    assert not any(listening(port)() for port in chosen)
    release(chosen)


def test_two_rehearsals_never_choose_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RANGE", range(20_000, 20_040))
    mine = free_ports(10, cache=tmp_path)
    code = (
        "import sys; from pathlib import Path; from xgen_infra.rehearsal import ports; ports.RANGE = range(20000, 20040);"
        "print(*ports.free_ports(10, cache=Path(sys.argv[1])))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(other) == 10
    assert not set(map(int, other)) & set(mine)
    release(mine)


def test_a_port_in_use_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1, cache=tmp_path)
    release([port])
    monkeypatch.setattr(ports, "RANGE", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortError, match="1 free ports"):
        free_ports(1, cache=tmp_path)
