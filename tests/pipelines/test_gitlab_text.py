"""What stands in GitLab's pipelines is the same for every customer, and hangs together."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from vendor.folder import ROOT, xgen_json

from xgen_infra.cli import VERBS

from .rules import starts

FILES = [ROOT / ".gitlab-ci.yml", *sorted((ROOT / "ci" / "gitlab").iterdir())]


def everything() -> dict[str, Any]:
    """The committed pipeline with what it includes."""
    made: dict[str, Any] = {}
    whole = yaml.safe_load(FILES[0].read_text())
    for one in whole["include"]:
        made |= yaml.safe_load((ROOT / one["local"]).read_text())
    return {**made, **whole}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_no_customer_registry_or_account_stands_in_a_pipeline(file: Path) -> None:
    text = file.read_text()
    for target in xgen_json(ROOT, "sites")["sites"]:
        registry = target["registry"]
        stacks = {stack["stack"] for stack in target["stacks"]}
        words = {target["site"], registry["host"], registry["credentialId"], *stacks} - {"main", ""}
        assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", text)]
    assert not re.search(r"\b[0-9]{12}\b", text)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_verb_that_a_pipeline_calls_is_there(file: Path) -> None:
    called = set(re.findall(r"ci/xgen ([a-z-]+)", file.read_text()))
    assert called <= set(VERBS)


def test_a_job_with_the_token_runs_in_no_other_stage_than_the_comments() -> None:
    pipeline = everything()
    assert [name for name, job in pipeline.items() if "xgen comment" in str(job)] == ["comment"]
    assert pipeline["comment"]["allow_failure"] == {"exit_codes": [3]}


def test_a_child_pipelines_file_is_made_by_the_job_that_its_trigger_waits_for() -> None:
    pipeline = everything()
    triggers = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "trigger" in job}
    assert set(triggers) == {"real-previews", "rollout", "drift"}
    for job in triggers.values():
        (one,) = job["trigger"]["include"]
        assert job["needs"] == [one["job"]]
        assert one["artifact"] in pipeline[one["job"]]["artifacts"]["paths"]
        assert one["artifact"] in str(pipeline[one["job"]]["script"])
        assert " " not in one["job"]


def test_every_name_that_a_job_refers_to_is_there() -> None:
    pipeline = everything()
    for job in (one for one in pipeline.values() if isinstance(one, dict)):
        parents = job.get("extends", [])
        named = [parents] if isinstance(parents, str) else list(parents)
        needs = [one if isinstance(one, str) else one["job"] for one in job.get("needs", [])]
        assert [name for name in [*named, *needs] if name not in pipeline] == []
        if "stage" in job:
            assert job["stage"] in pipeline["stages"]


def jobs(**given: str) -> set[str]:
    """The jobs of a pipeline on the default branch with these variables."""
    pipeline = everything()
    branch = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    return {
        name
        for name, job in pipeline.items()
        if isinstance(job, dict) and {"script", "trigger"} & job.keys() and not name.startswith(".")
        if starts(job, pipeline, **branch, **given)
    }


def test_each_schedule_starts_its_own_jobs_and_a_merge_request_none_of_them() -> None:
    drift, long = {"plan-drift", "drift"}, {"test-long", "test-faults", "test-explain", "test-pages"}
    assert jobs(CI_PIPELINE_SOURCE="schedule") == drift
    assert jobs(CI_PIPELINE_SOURCE="schedule", XGEN_LONG_TESTS="yes") == long
    for source in ("merge_request_event", "push", "web"):
        started = jobs(CI_PIPELINE_SOURCE=source, XGEN_LONG_TESTS="yes")
        assert not (drift | long) & started
        assert ("upgrade" in started) is (source != "web")


def test_every_target_that_tests_is_run_by_a_job_with_a_time_limit() -> None:
    targets = set(re.findall(r"^(test-[a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pipeline = everything()
    run = {
        word: job
        for job in pipeline.values()
        if isinstance(job, dict)
        for command in job.get("script", [])
        if command.startswith("make ")
        for word in command.split()[1:]
    }
    assert targets <= run.keys()
    assert {"lint", "types", "unit", "audit", "e2e"} <= run.keys(), "what `make test` is made of"
    assert [name for name in targets - {"test-vendor"} if not run[name].get("timeout")] == []


def test_the_upgrade_job_has_the_tags_and_a_rollout_waits_for_it() -> None:
    pipeline = everything()
    assert pipeline["upgrade"]["variables"] == {"GIT_DEPTH": "0"}
    assert {"job": "upgrade", "optional": True} in pipeline["plan-rollout"]["needs"]
    (recipe,) = re.findall(r"^test-upgrade: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe.count("--from-last-release") == len(recipe.splitlines())


@pytest.mark.parametrize("file", [one for one in FILES if one.suffix == ".yml"], ids=lambda path: path.name)
def test_every_entry_of_a_script_is_a_whole_command(file: Path) -> None:
    """In a list in brackets, a comma within the quotes of a command cuts the command in two."""
    jobs = [one for one in yaml.safe_load(file.read_text()).values() if isinstance(one, dict)]
    for job in jobs:
        for entry in (
            one for part in ("before_script", "script", "after_script") for one in job.get(part, [])
        ):
            done = subprocess.run(["sh", "-n", "-c", entry], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{entry}: {done.stderr}"
