"""A site's content in the customer's Git: exactly it, forward only, over nobody, and without a secret."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xgen_infra.engine import Engine
from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.mirror.publish import publish
from xgen_infra.mirror.push import MirrorError, Plan

from .conftest import PASSWORD, URL, Customers, Remote, hold_pushes, through

Mirrored = Callable[..., Plan]
CORE = "values/xgen-core.yaml"
CHANGED = "    services: {xgen-core: {vars: {LOG_LEVEL: debug}}}\n    exposure:\n"


def expected(customers: Customers, stack: str = "aww") -> dict[str, bytes]:
    return content(read_site(customers.folder, stack)[1])


def said(customers: Customers, *words: str) -> str:
    """Run the command and return what it printed."""
    done = customers.xgen("mirror", "aww", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def mirrored(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> Mirrored:
    """Mirror a stack in this process, as the command does."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in customers.environment.items():
        monkeypatch.setenv(name, value)

    def run(stack: str = "aww", over: str | None = None) -> Plan:
        return publish(read_site(customers.folder, stack)[1], Engine(customers.folder), over=over)

    return run


def by_hand(clone: Path) -> None:
    (clone / CORE).write_text((clone / CORE).read_text() + "# by hand\n")


def test_the_first_mirror_makes_the_branch_and_the_branch_is_the_rendering(
    customers: Customers, remote: Remote
) -> None:
    assert "first commit" in said(customers)
    assert remote.files() == expected(customers)
    assert {"values/xgen-core.yaml", "charts/xgen-service/Chart.yaml"} <= remote.files().keys()


def test_a_second_mirror_has_nothing_to_do_and_says_so(customers: Customers, remote: Remote) -> None:
    said(customers)
    head = remote.head()
    assert "nothing to do" in said(customers)
    assert remote.head() == head


def test_a_changed_value_is_one_commit_on_top_that_changes_one_file(
    customers: Customers, remote: Remote
) -> None:
    said(customers)
    first = remote.head()
    customers.edit("aww", "    exposure:\n", CHANGED)
    told = json.loads(said(customers, "--json"))
    assert told["changes"] == [{"what": "changed", "path": CORE}]
    assert told["parent"] == first
    assert told["commit"] == told["head"] == remote.head()
    assert remote.git("log", "-1", "--format=%P %s", "main") == f"{first} Publish values of xgen-core"
    assert remote.git("diff", "--name-only", first, "main") == CORE
    assert remote.files() == expected(customers)


def test_reverting_the_line_brings_the_old_tree_back(
    customers: Customers, mirrored: Mirrored, remote: Remote
) -> None:
    text = customers.file("aww").read_text()
    mirrored()
    customers.edit("aww", "    exposure:\n", CHANGED)
    mirrored()
    customers.file("aww").write_text(text)
    mirrored()
    assert remote.git("rev-parse", "main^{tree}") == remote.git("rev-parse", "main~2^{tree}")


def test_a_dry_run_says_what_would_change_and_pushes_nothing(customers: Customers, remote: Remote) -> None:
    text = said(customers, "--dry-run")
    assert f"added    {CORE}" in text
    assert "would push" in text
    assert remote.git("for-each-ref") == ""


def test_a_strangers_commit_is_refused_by_name_and_nothing_is_pushed(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    theirs = remote.commit(tmp_path / "clone", by_hand)
    done = customers.xgen("mirror", "aww")
    assert done.returncode == 1
    assert theirs[:7] in done.stderr
    assert "Somebody: By hand" in done.stderr
    assert f"--over {theirs}" in done.stderr
    assert remote.head() == theirs


def test_a_strangers_new_file_is_refused_too(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    theirs = remote.commit(tmp_path / "clone", lambda clone: (clone / "README.md").touch())
    with pytest.raises(MirrorError):
        mirrored()
    assert remote.head() == theirs


def test_a_repository_that_somebody_began_is_refused_until_its_head_is_named(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    theirs = remote.commit(tmp_path / "clone", lambda clone: (clone / "README.md").touch())
    with pytest.raises(MirrorError):
        mirrored()
    mirrored(over=theirs)
    assert remote.files() == expected(customers)
    assert remote.git("rev-parse", "main~1") == theirs


def test_told_to_the_mirror_goes_on_top_and_keeps_the_strangers_history(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    theirs = remote.commit(tmp_path / "clone", by_hand)
    mirrored(over=theirs[:10])
    assert remote.git("rev-parse", "main~1") == theirs
    assert remote.files() == expected(customers)
    assert not mirrored().changes
    customers.edit("aww", "    exposure:\n", CHANGED)
    mirrored()


def test_a_head_that_has_moved_since_it_was_named_is_refused(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    seen = remote.commit(tmp_path / "clone", by_hand)
    newest = remote.commit(tmp_path / "clone", lambda clone: (clone / "NOTES.md").touch())
    done = customers.xgen("mirror", "aww", "--over", seen)
    assert done.returncode == 1
    assert "it has moved since" in done.stderr
    assert remote.head() == newest


def test_a_mirrors_commit_that_somebody_amended_is_a_strangers(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    amended = remote.commit(tmp_path / "clone", by_hand, amend=True)
    assert "Xgen-Mirror: aww" in remote.git("log", "-1", "--format=%B", "main")
    with pytest.raises(MirrorError):
        mirrored()
    assert remote.head() == amended


def test_a_mirrors_message_on_a_strangers_commit_convinces_nobody(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    mirrored()
    clone = tmp_path / "clone"
    remote.commit(clone, by_hand)
    message = remote.git("log", "-1", "--format=%B", "main~1")
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@aww.example"]
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "-m", message], cwd=clone, check=True)
    subprocess.run(["git", "push", "--quiet", "origin", "HEAD:main"], cwd=clone, check=True)
    with pytest.raises(MirrorError):
        mirrored()


def test_two_stacks_share_a_branch_in_folders_of_their_own(
    customers: Customers, mirrored: Mirrored, remote: Remote
) -> None:
    customers.edit("aww", f"repoURL: {URL}\n", f"repoURL: {URL}\n      path: prd\n")
    text = customers.file("aww").read_text()
    stg = text.replace("path: prd", "path: stg").replace("10.40.0.0/16", "10.41.0.0/16")
    customers.file("aww-stg").write_text(stg)
    mirrored()
    mirrored("aww-stg")
    customers.edit("aww", "    exposure:\n", CHANGED)
    mirrored()
    there = remote.files()
    for folder, stack in (("prd", "aww"), ("stg", "aww-stg")):
        below = {
            path.removeprefix(f"{folder}/"): data
            for path, data in there.items()
            if path.startswith(f"{folder}/")
        }
        assert below == expected(customers, stack)
    assert all(path.startswith(("prd/", "stg/")) for path in there)


def test_what_others_hold_beside_the_folder_stays(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    customers.edit("aww", f"repoURL: {URL}\n", f"repoURL: {URL}\n      path: sites/aww\n")
    theirs = remote.commit(tmp_path / "clone", lambda clone: (clone / "CODEOWNERS").write_text("* @them\n"))
    mirrored(over=theirs)
    assert remote.files()["CODEOWNERS"] == b"* @them\n"
    assert remote.files()[f"sites/aww/{CORE}"] == expected(customers)[CORE]


def test_a_strangers_commit_below_the_folder_is_refused_and_told_to_replaced(
    customers: Customers, mirrored: Mirrored, remote: Remote, tmp_path: Path
) -> None:
    customers.edit("aww", f"repoURL: {URL}\n", f"repoURL: {URL}\n      path: sites/aww\n")
    mirrored()
    theirs = remote.commit(tmp_path / "clone", lambda clone: by_hand(clone / "sites" / "aww"))
    with pytest.raises(MirrorError, match="below sites/aww"):
        mirrored()
    assert remote.head() == theirs
    mirrored(over=theirs)
    assert remote.files() == {f"sites/aww/{path}": data for path, data in expected(customers).items()}


def test_no_object_holds_another_sites_name_or_value_or_any_secret(
    customers: Customers, mirrored: Mirrored, remote: Remote
) -> None:
    text = customers.file("aww").read_text().replace("10.40.0.0/16", "10.41.0.0/16")
    for old, new in (
        ("gitlab.aww.example", "gitlab.zebra.example"),
        ("nexus.aww.example", "nexus.zebra.example"),
    ):
        text = text.replace(old, new)
    text = text.replace("    exposure:\n", "    vars: {STRIPES: black-and-white}\n    exposure:\n", 1)
    customers.file("zebra").write_text(text)
    mirrored()
    customers.edit("aww", "    exposure:\n", CHANGED)
    mirrored()
    objects = remote.objects().lower()
    assert b"xgen-aww" in objects
    secure = [line.split()[1] for line in text.splitlines() if line.strip().startswith("secure:")]
    others = ["zebra", "stripes", "black-and-white", "lotteimall", "x2bee", "encryptionsalt"]
    for word in [*others, PASSWORD.lower(), *(value.lower() for value in secure)]:
        assert word.encode() not in objects, word


def test_the_password_is_in_no_argument_and_in_no_message(
    customers: Customers, remote: Remote, tmp_path: Path
) -> None:
    folder, seen = tmp_path / "bin", tmp_path / "arguments"
    folder.mkdir()
    shim = folder / "git"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    path = f"{folder}:{customers.env()['PATH']}"
    done = customers.xgen("mirror", "aww", PATH=path)
    wrong = customers.xgen("mirror", "aww", PATH=path, XGEN_GIT_PASSWORD="wrong/but-secret")
    assert (done.returncode, wrong.returncode) == (0, 1)
    assert "check the credential" in wrong.stderr
    everything = seen.read_text() + done.stdout + done.stderr + wrong.stdout + wrong.stderr
    assert "push" in everything
    assert PASSWORD not in everything
    assert "wrong/but-secret" not in everything


def test_a_push_that_was_cut_off_is_made_up_by_the_next_run(
    customers: Customers, remote: Remote, tmp_path: Path
) -> None:
    reached, released = hold_pushes(remote, tmp_path)
    process = subprocess.Popen(
        customers.command("mirror", "aww"),
        env=customers.env(),
        start_new_session=True,
        stderr=subprocess.PIPE,
    )
    while not reached.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    released.touch()
    process.communicate()
    (remote.bare / "hooks" / "pre-receive").unlink()
    said(customers)
    assert remote.files() == expected(customers)
    assert "nothing to do" in said(customers)


def test_several_mirrors_at_once_make_one_commit(customers: Customers, remote: Remote) -> None:
    processes = [
        subprocess.Popen(
            customers.command("mirror", "aww"),
            env=customers.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    ended = [(*process.communicate(), process.returncode) for process in processes]
    assert [status for _, _, status in ended] == [0, 0, 0], ended
    assert remote.git("rev-list", "--count", "main") == "1"
    assert remote.files() == expected(customers)


@pytest.mark.parametrize("revision", ["v1", "HEAD"])
def test_a_revision_that_is_no_branch_is_refused(
    revision: str, customers: Customers, mirrored: Mirrored, remote: Remote
) -> None:
    mirrored()
    remote.git("tag", "v1", "main")
    customers.edit("aww", f"repoURL: {URL}\n", f"repoURL: {URL}\n      targetRevision: {revision}\n")
    done = customers.xgen("mirror", "aww")
    assert done.returncode == 1
    assert f"source.targetRevision {revision} is no branch" in done.stderr


def test_a_server_that_is_not_there_is_said_in_a_sentence(customers: Customers) -> None:
    done = customers.xgen("mirror", "aww", **through(9))
    assert done.returncode == 1
    assert "did not reach the remote" in done.stderr
    assert "Traceback" not in done.stderr
