"""Several customers' mirrors in one call: what stops one stops no other, and every one is accounted for."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Customers, Remote, hold_pushes, served, through

HOSTS = ("aww", "stranger", "broken", "helm", "absent")


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Remote]:
    with served(tmp_path / "second") as made:
        yield made


@pytest.fixture
def several(customers: Customers, remote: Remote, second: Remote) -> Customers:
    """aww and its kind at hosts of their own: two servers that answer, and one that does not."""
    text = customers.file("aww").read_text()
    for number, stack in enumerate(HOSTS):
        other = text.replace("gitlab.aww", f"gitlab.{stack}").replace("10.40.", f"10.{50 + number}.")
        customers.file(stack).write_text(other)
    customers.edit("broken", "kind: eks", "kind: esk")
    customers.edit("helm", "    source:\n", "    delivery: helm\n    source:\n")
    ports = {"aww": remote.port, "stranger": second.port, "absent": 9}
    places = {}
    for number, (stack, port) in enumerate(ports.items()):
        one = through(port, f"http://gitlab.{stack}.example")
        places[f"GIT_CONFIG_KEY_{number}"] = one["GIT_CONFIG_KEY_0"]
        places[f"GIT_CONFIG_VALUE_{number}"] = one["GIT_CONFIG_VALUE_0"]
    engine = customers.folder.parent / "bin" / "pulumi"
    engine.parent.mkdir()
    password = customers.environment.pop("XGEN_GIT_PASSWORD")
    engine.write_text(f"#!/bin/sh\ncat <<'END'\n{password}\nEND\n")
    engine.chmod(0o755)
    path = {"PATH": f"{engine.parent}:{customers.env()['PATH']}"}
    return Customers(customers.folder, {"GIT_CONFIG_COUNT": str(len(ports)), **places, **path})


def test_each_is_done_whatever_becomes_of_the_others(
    several: Customers, remote: Remote, second: Remote, tmp_path: Path
) -> None:
    theirs = second.commit(tmp_path / "clone", lambda clone: (clone / "README.md").touch())
    done = several.xgen("mirror", *HOSTS)
    assert done.returncode == 1
    states = {line.split()[0]: line.split(maxsplit=1)[1] for line in done.stdout.splitlines()[-len(HOSTS) :]}
    assert states == {
        "aww": "pushed",
        "stranger": "failed",
        "broken": "failed",
        "helm": "not mirrored",
        "absent": "failed",
    }
    assert f"xgen mirror stranger --over {theirs}" in done.stderr
    assert "Pulumi.broken.yaml" in done.stderr
    assert "absent: git ls-remote did not reach the remote" in done.stderr
    assert "values/xgen-core.yaml" in remote.files()
    assert second.head() == theirs


def test_programs_get_the_same_account(several: Customers) -> None:
    done = several.xgen("mirror", "aww", "helm", "stranger", "--json")
    assert done.returncode == 0, done.stderr
    sites = {one["stack"]: one for one in json.loads(done.stdout)["sites"]}
    assert [one["state"] for one in sites.values()] == ["pushed", "not mirrored", "pushed"]
    assert sites["aww"]["plan"]["pushed"] is True
    assert sites["helm"]["plan"] is None
    assert several.xgen("mirror", "aww", "stranger").stdout.count("up to date") >= 2


def test_one_customers_credential_is_never_offered_to_another(several: Customers) -> None:
    refused = several.xgen("mirror", "aww", "stranger", XGEN_GIT_PASSWORD="for aww alone")
    assert refused.returncode == 1
    assert "XGEN_GIT_PASSWORD is one credential" in refused.stderr
    assert "gitlab.aww.example, gitlab.stranger.example" in refused.stderr


def test_a_strangers_head_is_named_for_one_site_alone(several: Customers) -> None:
    refused = several.xgen("mirror", "aww", "stranger", "--over", "abcdef1")
    assert refused.returncode == 2
    assert "mirror that site alone" in refused.stderr
    assert several.xgen("mirror", "aww", "nobody").returncode == 2


def test_interrupted_it_says_what_is_left_and_the_next_run_does_that(
    several: Customers, remote: Remote, second: Remote, tmp_path: Path
) -> None:
    reached, released = hold_pushes(second, tmp_path)
    process = subprocess.Popen(
        several.command("mirror", "aww", "stranger"),
        env=several.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not reached.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    released.touch()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "stranger  interrupted" in out
    assert "stranger: it was interrupted" in err
    (second.bare / "hooks" / "pre-receive").unlink()
    again = several.xgen("mirror", "aww", "stranger")
    assert again.returncode == 0, again.stderr
    assert "values/xgen-core.yaml" in second.files()
    assert "values/xgen-core.yaml" in remote.files()
