"""Promoting pins what the registry really holds, in the customer's file and nowhere else."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .folder import SERVICES, XGEN, environment, k3s, nexus, write, write_stack, xgen, xgen_json
from .registry_stub import Stub, serve

HOST = "nexus.shop.example:5000"
TAG = "latest-amd64"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve(Stub(user=("jenkins", "s3cr+t/="))) as running:
        for name in SERVICES:
            running.put(f"xgen/shop/{name}", TAG)
        yield running


@pytest.fixture
def place(stub: Stub) -> dict[str, str]:
    """An environment in which the site's registry is reached: the stub takes what is sent to it as to a proxy."""
    return {"HTTP_PROXY": f"http://{stub.host}"}


@pytest.fixture
def login(place: dict[str, str]) -> dict[str, str]:
    return {**place, "XGEN_REGISTRY_USERNAME": "jenkins", "XGEN_REGISTRY_PASSWORD": "s3cr+t/="}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    registry = nexus(HOST, plainHttp=True)
    return write(work, {"shop": k3s("shop", registry=registry, services={"xgen-core": {"replicas": 2}})})


@pytest.fixture
def remote(tmp_path: Path, folder: Path) -> Path:
    """A bare repository that holds the folder, which is a clone of it."""
    bare = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "The customers")
    git(folder, "remote", "add", "origin", str(bare))
    git(folder, "push", "--quiet", "origin", "main")
    return bare


def git(folder: Path, *words: str) -> str:
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": "Someone", f"GIT_{role}_EMAIL": "someone@example.com"}
    return subprocess.run(
        ["git", *words], cwd=folder, env=environment(**identity), check=True, capture_output=True, text=True
    ).stdout.strip()


def pins(text: str) -> dict[str, str]:
    services = yaml.safe_load(text)["config"]["xgen-infra:site"].get("services", {})
    return {name: one["image"]["digest"] for name, one in services.items() if "image" in one}


def pinned(folder: Path) -> dict[str, str]:
    return pins((folder / "Pulumi.shop.yaml").read_text())


def test_all_six_are_pinned_to_what_their_tag_is_and_no_other_line_changes(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    before = (folder / "Pulumi.shop.yaml").read_text()
    xgen(folder, "promote", "shop", env=login)
    after = (folder / "Pulumi.shop.yaml").read_text()
    expected = {name: stub.put(f"xgen/shop/{name}", TAG) for name in SERVICES}
    assert pinned(folder) == expected
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert "the moving tag" not in xgen(folder, "promote", "shop", env=login).stdout
    assert (folder / "Pulumi.shop.yaml").read_text() == after


def test_one_service_is_pinned_by_tag_by_digest_and_by_full_reference(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    repository = "xgen/shop/xgen-core"
    digest = stub.put(repository, "4f2a-amd64", content="newer")
    for reference in (
        "4f2a-amd64",
        digest,
        f"{HOST}/{repository}:4f2a-amd64",
        f"{HOST}/{repository}@{digest}",
    ):
        xgen(folder, "promote", "shop", "xgen-core", env=login)
        assert pinned(folder)["xgen-core"] != digest
        xgen(folder, "promote", "shop", f"xgen-core={reference}", env=login)
        assert pinned(folder) == {"xgen-core": digest}


def test_a_dry_run_shows_the_difference_and_writes_nothing(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    file = folder / "Pulumi.shop.yaml"
    before = file.read_text()
    shown = xgen(folder, "promote", "shop", "xgen-core", "--dry-run", env=login).stdout
    digest = stub.put("xgen/shop/xgen-core", TAG)
    assert f"+          digest: {digest}" in shown.splitlines()
    assert file.read_text() == before
    outcome = subprocess.run(
        ["git", "apply", "--check", "-"], cwd=folder, input=shown, text=True, check=False
    )
    assert outcome.returncode == 0


def test_images_that_cannot_run_refuse_the_whole_command_with_every_reason(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    del stub.manifests["xgen/shop/xgen-core", TAG]
    stub.put("xgen/shop/xgen-workflow", TAG, "linux/arm64")
    before = (folder / "Pulumi.shop.yaml").read_text()
    refusal = xgen(folder, "promote", "shop", status=1, env=login).stderr
    assert "xgen-core:latest-amd64 is not there" in refusal
    assert "built for linux/arm64, and linux/amd64 is wanted" in refusal
    assert (folder / "Pulumi.shop.yaml").read_text() == before
    xgen(folder, "promote", "shop", "xgen-workflow", "--arch", "arm64", env=login)


def test_a_wrong_password_is_tried_once_and_told_without_showing_it(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    wrong = {**login, "XGEN_REGISTRY_PASSWORD": "0ld-pass"}
    refusal = xgen(folder, "promote", "shop", status=1, env=wrong).stderr
    assert "refuses the user jenkins (XGEN_REGISTRY_USERNAME and XGEN_REGISTRY_PASSWORD)" in refusal
    assert "0ld-pass" not in refusal
    assert len([one for one in stub.requests if one[1]]) == 1


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("xgen-cor=x", "there is no service 'xgen-cor'"),
        ("xgen-core=", "names no image"),
        ("xgen-core=other.example/xgen/shop/xgen-core:x", "not an image of xgen-core at this site"),
        ("xgen-core=a b", "neither a tag nor a digest"),
        ("xgen-core=sha256:abc", "neither a tag nor a digest"),
    ],
)
def test_a_reference_that_is_none_of_this_sites_is_refused(
    folder: Path, stub: Stub, argument: str, words: str, login: dict[str, str]
) -> None:
    assert words in xgen(folder, "promote", "shop", argument, status=1, env=login).stderr
    assert stub.requests == []


def test_a_site_that_several_stacks_run_is_pinned_in_its_canary(
    folder: Path, stub: Stub, login: dict[str, str]
) -> None:
    registry = nexus(HOST, plainHttp=True)
    write_stack(folder, "shop-prd", k3s("prd", site="pair", registry=registry))
    write_stack(folder, "shop-stg", k3s("stg", site="pair", registry=registry, canary=True))
    for name in SERVICES:
        stub.put(f"xgen/pair/{name}", TAG)
    xgen(folder, "promote", "pair", env=login)
    assert pins((folder / "Pulumi.shop-prd.yaml").read_text()) == {}
    staged = pins((folder / "Pulumi.shop-stg.yaml").read_text())
    assert sorted(staged) == sorted(SERVICES)
    xgen(folder, "promote", "shop-prd", f"xgen-core={staged['xgen-core']}", env=login)
    assert pins((folder / "Pulumi.shop-prd.yaml").read_text()) == {"xgen-core": staged["xgen-core"]}


def test_a_commit_holds_the_file_alone(folder: Path, remote: Path, login: dict[str, str]) -> None:
    (folder / "Pulumi.yaml").write_text((folder / "Pulumi.yaml").read_text() + "# a draft\n")
    git(folder, "add", "Pulumi.yaml")
    xgen(folder, "promote", "shop", "xgen-core", "--commit", env=login)
    assert git(folder, "show", "--name-only", "--format=%s", "HEAD").split("\n\n") == [
        "Pin xgen-core of shop",
        "Pulumi.shop.yaml",
    ]
    assert git(folder, "status", "--porcelain") == "M  Pulumi.yaml"
    (folder / "Pulumi.shop.yaml").write_text((folder / "Pulumi.shop.yaml").read_text() + "# a draft\n")
    refusal = xgen(folder, "promote", "shop", "xgen-frontend", "--commit", status=1, env=login).stderr
    assert "not committed" in refusal


def test_a_push_reaches_the_branch_and_leaves_this_clone_as_it_is(
    folder: Path, remote: Path, stub: Stub, login: dict[str, str]
) -> None:
    before = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", "--detach")
    data = json.loads(xgen(folder, "promote", "shop", "xgen-core", "--push", "--json", env=login).stdout)
    assert data["stacks"][0]["commit"] == git(remote, "rev-parse", "main")
    assert pins(git(remote, "show", "main:Pulumi.shop.yaml")) == {
        "xgen-core": stub.put("xgen/shop/xgen-core", TAG)
    }
    assert git(folder, "rev-parse", "HEAD") == before
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "for-each-ref", "refs/xgen") == ""
    again = json.loads(xgen(folder, "promote", "shop", "xgen-core", "--push", "--json", env=login).stdout)
    assert again["stacks"][0]["commit"] is None


def test_a_push_keeps_what_others_changed_meanwhile(
    folder: Path, remote: Path, tmp_path: Path, login: dict[str, str]
) -> None:
    git(tmp_path, "clone", "--quiet", str(remote), "other")
    other = tmp_path / "other" / "Pulumi.shop.yaml"
    other.write_text(other.read_text().replace("replicas: 2", "replicas: 3"))
    git(tmp_path / "other", "commit", "--quiet", "--all", "-m", "Three replicas")
    git(tmp_path / "other", "push", "--quiet")
    xgen(folder, "promote", "shop", "xgen-core", "--push", env=login)
    text = git(remote, "show", "main:Pulumi.shop.yaml")
    assert "replicas: 3" in text
    assert "xgen-core" in pins(text)


def test_a_push_is_refused_where_the_branch_pulls_from_another_registry(
    folder: Path, remote: Path, tmp_path: Path, login: dict[str, str]
) -> None:
    git(tmp_path, "clone", "--quiet", str(remote), "other")
    other = tmp_path / "other" / "Pulumi.shop.yaml"
    other.write_text(other.read_text().replace(HOST, "elsewhere.example:5000"))
    git(tmp_path / "other", "commit", "--quiet", "--all", "-m", "Another registry")
    git(tmp_path / "other", "push", "--quiet")
    assert "another registry" in xgen(folder, "promote", "shop", "--push", status=1, env=login).stderr
    assert pins(git(remote, "show", "main:Pulumi.shop.yaml")) == {}


def test_a_protected_branch_is_refused_at_once_with_the_mend(
    folder: Path, remote: Path, login: dict[str, str]
) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\necho 'GitLab: You are not allowed to push code to protected branches'\nexit 1\n"
    )
    hook.chmod(0o755)
    refusal = xgen(folder, "promote", "shop", "xgen-core", "--push", status=1, env=login).stderr
    assert "allow the pushing user to push to that branch" in refusal


@pytest.mark.parametrize("shared", [False, True])
def test_six_at_once_end_in_six_pins(
    folder: Path, remote: Path, tmp_path: Path, stub: Stub, shared: bool, login: dict[str, str]
) -> None:
    workers = []
    for name in SERVICES:
        clone = folder
        if not shared:
            clone = tmp_path / name
            git(tmp_path, "clone", "--quiet", str(remote), str(clone))
        command = [sys.executable, str(XGEN), "promote", "shop", name, "--push"]
        workers.append(
            subprocess.Popen(
                command,
                cwd=clone,
                env=environment(**login),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    for worker in workers:
        output, _ = worker.communicate(timeout=150)
        assert worker.returncode == 0, output
    expected = {name: stub.put(f"xgen/shop/{name}", TAG) for name in SERVICES}
    assert pins(git(remote, "show", "main:Pulumi.shop.yaml")) == expected
    assert git(remote, "rev-list", "--count", "main") == "7"
    assert git(remote, "log", "--format=%p", "main").count(" ") == 0


def test_six_at_once_in_one_folder_end_in_six_pins(folder: Path, stub: Stub, login: dict[str, str]) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, str(XGEN), "promote", "shop", name], cwd=folder, env=environment(**login)
        )
        for name in SERVICES
    ]
    assert [worker.wait(timeout=150) for worker in workers] == [0] * len(SERVICES)
    assert pinned(folder) == {name: stub.put(f"xgen/shop/{name}", TAG) for name in SERVICES}
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.shop.yaml", "Pulumi.yaml"]


def test_a_login_is_checked_and_written_for_docker_alone(
    folder: Path, tmp_path: Path, login: dict[str, str], place: dict[str, str]
) -> None:
    config = tmp_path / "docker" / "config.json"
    place["DOCKER_CONFIG"] = str(config.parent)
    refusal = xgen(
        folder, "registry-login", "shop", status=1, env={**login, **place, "XGEN_REGISTRY_PASSWORD": "x"}
    )
    assert "refuses the user jenkins" in refusal.stderr
    assert not config.exists()
    xgen(folder, "registry-login", "shop", env={**login, **place})
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert list(json.loads(config.read_text())["auths"]) == [HOST]
    xgen(folder, "promote", "shop", "xgen-core", env=place)
    assert "xgen-core" in pinned(folder)


def test_a_login_kept_by_a_helper_of_docker_is_asked_for(
    folder: Path, tmp_path: Path, login: dict[str, str], place: dict[str, str]
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credHelpers": {HOST: "test"}}))
    helper = tmp_path / "docker-credential-test"
    answer = json.dumps({"Username": "jenkins", "Secret": "s3cr+t/="})
    helper.write_text(f"#!/bin/sh\nread host && [ \"$host\" = '{HOST}' ] || read host\necho '{answer}'\n")
    helper.chmod(0o755)
    place |= {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    xgen(folder, "promote", "shop", "xgen-core", env=place)
    assert "xgen-core" in pinned(folder)
    assert "keeps its logins in test" in xgen(folder, "registry-login", "shop", status=1, env=place).stderr


def test_the_pins_of_a_site_are_given_to_programs(folder: Path, stub: Stub, login: dict[str, str]) -> None:
    shown = json.loads(xgen(folder, "promote", "shop", "xgen-core", "--json", env=login).stdout)
    (stack,) = shown["stacks"]
    digest = stub.put("xgen/shop/xgen-core", TAG)
    assert stack["pins"] == [{"service": "xgen-core", "asked": TAG, "digest": digest, "before": None}]
    assert xgen_json(folder, "sites")["sites"][0]["promote"] == ["shop"]
