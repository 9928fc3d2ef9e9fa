"""The customer's repository before the first `up`, on a Git server that asks for a login."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gitops.conftest import PASSWORD, URL, Remote, served

from xgen_infra.rehearsal.ports import free_ports, release

from .conftest import Customers


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with served(tmp_path / "served") as made:
        yield made


@pytest.fixture
def reached(customers: Customers, remote: Remote) -> Customers:
    customers.edit("aww", URL, f"http://127.0.0.1:{remote.port}/xgen/xgen-infra.git")
    customers.environment["XGEN_GIT_PASSWORD"] = PASSWORD
    return customers


def commit(remote: Remote, *refs: str) -> None:
    tree = remote.git("hash-object", "-t", "tree", "-w", "/dev/null")
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@aww.example"]
    made = remote.git(*who, "commit-tree", tree, "-m", "first")
    for ref in refs:
        remote.git("update-ref", ref, made)


def test_a_repository_with_the_branch_passes(reached: Customers, remote: Remote) -> None:
    commit(remote, "refs/heads/main")
    seen = reached.look("aww", "git-repository")
    assert seen.level == "ok", seen.results
    assert "can be read, by xgen-mirror" in seen.found
    assert "the branch main is there" in seen.found


def test_an_empty_repository_is_what_the_mirror_begins_with(reached: Customers) -> None:
    problem = reached.look("aww", "git-repository").problem
    assert problem["level"] == "warning"
    assert "it is empty" in problem["found"]
    assert "xgen mirror aww" in problem["mend"]


def test_a_tag_is_no_branch(reached: Customers, remote: Remote) -> None:
    commit(remote, "refs/tags/main")
    problem = reached.look("aww", "git-repository").problem
    assert problem["level"] == "error"
    assert "source.targetRevision" in problem["mend"]


def test_a_wrong_credential_names_the_secret_and_is_not_shown(reached: Customers) -> None:
    problem = reached.look("aww", "git-repository", XGEN_GIT_PASSWORD="wrong-canary").problem
    assert problem["level"] == "error"
    assert "xgen-infra:gitPassword" in problem["mend"]
    assert "wrong-canary" not in str(problem)


def test_a_repository_that_is_not_there_is_an_error(reached: Customers) -> None:
    reached.edit("aww", "xgen/xgen-infra.git", "xgen/other.git")
    problem = reached.look("aww", "git-repository").problem
    assert problem["level"] == "error"
    assert "source.repoURL" in problem["mend"]


def test_a_host_that_cannot_be_reached_from_here_is_a_warning(reached: Customers, remote: Remote) -> None:
    (port,) = free_ports(1)
    reached.edit("aww", f"127.0.0.1:{remote.port}", f"127.0.0.1:{port}")
    problem = reached.look("aww", "git-repository").problem
    release([port])
    assert problem["level"] == "warning"
    assert "host in the management network" in problem["mend"]


def test_a_deploy_key_that_the_server_does_not_know_is_an_error(
    customers: Customers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands in for ssh: a server that refuses every key, and one whose own key is another.
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\necho "git@gitlab: Permission denied (publickey)." >&2\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")
    customers.edit(
        "aww",
        URL,
        "ssh://git@gitlab.aww.example/xgen/xgen-infra.git\n      knownHosts: gitlab.aww.example ssh-ed25519 AAAA",
    )
    customers.edit("aww", "xgen-infra:gitPassword", "xgen-infra:gitSshKey")
    problem = customers.look("aww", "git-repository", XGEN_GIT_SSH_KEY="canary-key").problem
    assert problem["level"] == "error"
    assert "xgen-infra:gitSshKey" in problem["mend"]
    ssh.write_text('#!/bin/sh\necho "Host key verification failed." >&2\nexit 255\n')
    problem = customers.look("aww", "git-repository", XGEN_GIT_SSH_KEY="canary-key").problem
    assert "source.knownHosts" in problem["mend"]
    assert "canary-key" not in str(problem)
