"""Whom a stand-in's records tell of: which process made a call, and which calls have not ended."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from xgen_infra.rehearsal.standins.journal import Journal, _process_at, under_way

OTHERS = 5
CALLER = """
import socket, sys
port, *servers = map(int, sys.argv[1:])
mine = [] if servers else [socket.create_server(("127.0.0.1", 0)) for _ in range({others})]
calls = []
for server in servers or [one.getsockname()[1] for one in mine]:
    call = socket.socket()
    call.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    call.bind(("127.0.0.1", port))
    call.connect(("127.0.0.1", server))
    calls.append(call)
print(calls[0].getsockname()[1], flush=True)
sys.stdin.read()
"""


def caller(port: int, *servers: int) -> subprocess.Popen[str]:
    """Call servers, or some of its own, from one local port."""
    words = [sys.executable, "-c", CALLER.format(others=OTHERS), *map(str, (port, *servers))]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_process_that_made_a_call_is_found_among_others_with_the_same_local_port() -> None:
    with ExitStack() as stack:
        here = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        engine = stack.enter_context(caller(0, here.getsockname()[1]))
        assert engine.stdout
        port = int(engine.stdout.readline())
        accepted, _ = here.accept()
        stack.enter_context(accepted)
        other = stack.enter_context(caller(port))
        assert other.stdout
        assert int(other.stdout.readline()) == port
        assert _process_at(f"ipv4:127.0.0.1:{port}") == engine.pid


def test_a_call_is_under_way_until_it_has_ended(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, "one"), Journal(tmp_path, "other")
    with first.call("Create", "urn"):
        with second.call("Create", "urn"):
            assert len(under_way(tmp_path)) == 2
        (left,) = under_way(tmp_path)
        assert "one" in left
    assert not under_way(tmp_path)
