"""GitLab's pipelines, run: a merge request, the rollout after it with its generated child, a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from gitops.conftest import PASSWORD, Remote, served, through
from pipelines.gitlab_double import GitLab

from .agent import git
from .forge import Forge

TOKEN = "glpat-right"
GATE = "approve the rest"
STACKS = ("acorn", "birch", "cloud")


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path / "forge")


@pytest.fixture
def remotes(tmp_path: Path, forge: Forge) -> Iterator[dict[str, Remote]]:
    """Each customer's own Git, at the address that its file names."""
    with ExitStack() as stack:
        made = {name: stack.enter_context(served(tmp_path / name)) for name in STACKS}
        # In a file: GitLab's variables would expand the dollar in it.
        password = tmp_path / "password"
        password.write_text(PASSWORD)
        settings = {"GIT_CONFIG_COUNT": str(len(made)), "STAND_IN_PASSWORD_FILE": str(password)}
        for number, (name, remote) in enumerate(made.items()):
            one = through(remote.port, f"http://gitlab.{name}.example")
            settings[f"GIT_CONFIG_KEY_{number}"] = one["GIT_CONFIG_KEY_0"]
            settings[f"GIT_CONFIG_VALUE_{number}"] = one["GIT_CONFIG_VALUE_0"]
        forge.variables |= settings
        yield made


def test_a_merge_request_gets_one_comment_that_later_commits_update(tmp_path: Path) -> None:
    forge = Forge(tmp_path / "forge", real=("preview",))
    base = git(forge.work, "rev-parse", "HEAD")
    git(forge.work, "switch", "--quiet", "--create", "change")
    edit(forge, "acorn", vars={"LOG_LEVEL": "debug"})
    forge.commit()
    forge.push()
    with GitLab() as gitlab:
        job = merge_request(gitlab, base)
        first = forge.run(**job)
        assert first.named("FAIL") == set(), f"{first.output}\n{gitlab.bodies()}"
        assert {"lint", "unit", "e2e", "upgrade", "vendor", "customers", "comment"} <= first.named("PASS")
        (made,) = gitlab.bodies()
        assert made.startswith("<!-- xgen-preview -->\n")
        assert "**1 of 3** customers" in made
        assert "acorn" in made
        assert "birch" not in made
        assert first.called("pulumi") == [], "no job of an unprotected branch asks a real stack"

        edit(forge, "birch", vars={"LOG_LEVEL": "debug"})
        forge.commit()
        forge.push()
        second = forge.run(**{**job, "CI_PIPELINE_ID": "1001"})
        assert second.named("FAIL") == set(), second.output
        (updated,) = gitlab.bodies()
        assert "**2 of 3** customers" in updated
        assert "pipeline 1001" in updated
    assert TOKEN not in first.output + second.output


def test_a_merge_request_from_a_fork_keeps_its_comment_as_an_artefact(forge: Forge) -> None:
    base = git(forge.work, "rev-parse", "HEAD")
    git(forge.work, "switch", "--quiet", "--create", "change")
    edit(forge, "acorn", vars={"LOG_LEVEL": "debug"})
    forge.commit()
    forge.push()
    with GitLab() as gitlab:
        fork = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77", "CI_PROJECT_ID": "77", "XGEN_COMMENT_TOKEN": ""}
        run = forge.run("comment", "--needs", **{**merge_request(gitlab, base), **fork})
        assert run.verdicts["comment"] == "PASS", run.output
        assert "from a fork gets no token" in run.output
        assert gitlab.calls == []
        run = forge.run("comment", "--needs", **{**merge_request(gitlab, base), "XGEN_COMMENT_TOKEN": ""})
        assert run.verdicts["comment"] == "WARN", run.output
    kept = list(forge.work.glob(".gitlab-ci-local/artifacts/comment/build/preview-*.md"))
    assert any("acorn" in file.read_text() for file in kept)


def test_on_a_protected_branch_the_engine_itself_is_asked_with_the_role_that_may_look(forge: Forge) -> None:
    base = git(forge.work, "rev-parse", "HEAD")
    git(forge.work, "switch", "--quiet", "--create", "change")
    forge.commit(**{"__main__.py": "# changed\n"})
    forge.push()
    job = {**merge_request(None, base), "CI_COMMIT_REF_PROTECTED": "true"}
    run = forge.run(**job)
    assert run.named("FAIL") == set(), run.output
    assert sorted(run.called("pulumi")) == sorted(STACKS), run.output
    (cloud,) = (call for call in run.calls if call["env"].get("SITE") == "cloud")
    assert cloud["words"][0] == "preview"
    assert cloud["env"]["XGEN_AWS_ROLE"].endswith(":role/xgen-cloud-preview")
    assert "XGEN_AWS_TOKEN" not in cloud["env"]


def test_after_the_merge_canaries_come_first_and_one_failure_stops_nobody_else(
    forge: Forge, remotes: dict[str, Remote]
) -> None:
    before = git(forge.work, "rev-parse", "HEAD")
    forge.commit(**{"__main__.py": "# changed\n"})
    forge.push()
    run = forge.run("--manual", GATE, failing="pulumi:acorn", **pushed(before))
    assert run.named("FAIL") == {"up acorn"}, run.output
    done = {f"{step} {stack}" for stack in ("birch", "cloud") for step in ("up", "mirror", "wait")}
    assert done | {GATE, "plan-rollout"} <= run.named("PASS"), run.output
    assert not {"mirror acorn", "wait acorn"} & set(run.verdicts), "what did not come up is not gone on with"
    order = [(call["program"], call["words"][0], call["env"].get("SITE")) for call in run.calls]
    ups = [place for place, call in enumerate(order) if call[:2] == ("pulumi", "up")]
    assert order[ups[0]][2] == "birch"
    assert order.index(("wait", "birch", "birch")) < ups[1]
    for stack in ("birch", "cloud"):
        assert "values/xgen-core.yaml" in remotes[stack].files()
    assert remotes["acorn"].git("for-each-ref") == ""
    (cloud,) = (call for call in run.calls if call["env"].get("SITE") == "cloud" and call["words"][0] == "up")
    assert cloud["env"]["PULUMI_BACKEND_URL"].startswith("s3://xgen-cloud-state-")
    assert PASSWORD not in run.output


def test_a_pin_goes_to_the_customers_git_without_up_or_gate(forge: Forge, remotes: dict[str, Remote]) -> None:
    before = git(forge.work, "rev-parse", "HEAD")
    edit(forge, "cloud", services={"xgen-core": {"image": {"digest": f"sha256:{'a' * 64}"}}})
    forge.commit()
    forge.push()
    run = forge.run(**pushed(before))
    assert run.named("FAIL") == set(), run.output
    assert {"mirror cloud", "wait cloud"} <= run.named("PASS")
    assert not [job for job in run.verdicts if job.startswith("up ") or "acorn" in job or job == GATE]
    assert b"sha256:aaaa" in remotes["cloud"].files()["values/xgen-core.yaml"]


def test_divergence_and_an_unreachable_customer_are_told_in_their_own_jobs(
    forge: Forge, remotes: dict[str, Remote], tmp_path: Path
) -> None:
    before = git(forge.work, "rev-parse", "HEAD")
    theirs = remotes["cloud"].commit(tmp_path / "clone", lambda clone: (clone / "README.md").touch())
    for stack in STACKS:
        edit(forge, stack, vars={"LOG_LEVEL": "debug"}, canary=False)
    git_of_birch = next(
        key for key, value in forge.variables.items() if value == "http.http://gitlab.birch.example/.proxy"
    )
    forge.variables[git_of_birch.replace("_KEY_", "_VALUE_")] = "http://127.0.0.1:9"
    forge.commit()
    forge.push()
    run = forge.run(**pushed(before))
    assert run.named("FAIL") == {"mirror birch", "mirror cloud"}, run.output
    assert {"mirror acorn", "wait acorn"} <= run.named("PASS")
    assert f"xgen mirror cloud --over {theirs}" in run.output
    assert "did not reach the remote" in run.output
    assert remotes["cloud"].head() == theirs


def test_a_schedule_looks_for_drift_everywhere_and_one_customers_fails_alone(forge: Forge) -> None:
    run = forge.run(failing="drift:cloud", CI_PIPELINE_SOURCE="schedule")
    assert run.named("FAIL") == {"drift cloud"}, run.output
    assert {"drift acorn", "drift birch"} <= run.named("PASS")
    assert not {"lint", "test-long"} & set(run.verdicts)


def test_a_schedule_of_the_long_tests_runs_them_and_asks_no_customer(forge: Forge) -> None:
    run = forge.run(CI_PIPELINE_SOURCE="schedule", XGEN_LONG_TESTS="yes")
    long = {"test-long", "test-faults", "test-explain", "test-pages"}
    assert set(run.verdicts) == run.named("PASS") == long, run.output
    assert {call["words"][0] for call in run.calls if call["program"] == "make"} == long
    assert {call["program"] for call in run.calls} == {"make"}


def merge_request(gitlab: GitLab | None, base: str) -> dict[str, str]:
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_PIPELINE_ID": "1000",
        "CI_PROJECT_ID": "42",
        **({"CI_SERVER_URL": gitlab.url, "XGEN_COMMENT_TOKEN": TOKEN} if gitlab else {}),
    }


def pushed(before: str) -> dict[str, str]:
    return {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BEFORE_SHA": before}


def edit(forge: Forge, stack: str, **parts: object) -> None:
    """Change parts of a customer's site."""
    file = forge.work / f"Pulumi.{stack}.yaml"
    data = yaml.safe_load(file.read_text())
    data["config"]["xgen-infra:site"] |= parts
    file.write_text(yaml.safe_dump(data, sort_keys=False))
