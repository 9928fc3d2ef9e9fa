"""The child pipelines: who comes first, who waits for whom, and what is done for whom."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from vendor.folder import eks, k3s, nexus, write, write_stack, xgen

from xgen_infra.pipelines.child import Rollout, TooManyError, plain, rollout
from xgen_infra.pipelines.work import Work

from .conftest import Repository
from .rules import ROOT, Pipeline

GATE = "approve the rest"
CLOUD_PARTS: dict[str, Any] = {
    "registry": nexus("nexus.cloud.example:5000", credentialId="cloud-credentials")
}


def child(folder: Path, *words: str) -> Pipeline:
    xgen(folder, "pipeline", *words, "--output", "build/child.yml")
    return Pipeline((folder / "build" / "child.yml").read_text())


def test_canaries_come_first_then_a_gate_then_the_rest_side_by_side(repository: Repository) -> None:
    before = repository.head
    repository.commit(**{"xgen_infra/stack.py": "2\n"})
    found = child(repository.folder, "--since", before)
    assert found.of("birch") == ["up birch", "mirror birch", "wait birch"]
    assert found.before("up birch") == set()
    assert found.before(GATE) >= set(found.of("birch"))
    for stack, other in (("acorn", "cloud"), ("cloud", "acorn")):
        assert found.before(f"wait {stack}") >= {f"mirror {stack}", f"up {stack}", GATE, *found.of("birch")}
        ups = {name for name in found.of(other) if not name.startswith("preview")}
        assert not found.before(f"wait {stack}") & ups, "one customer waits for no other"
    gate = {**found.template(".gate"), **found.jobs[GATE]}
    assert (gate["when"], gate["allow_failure"]) == ("manual", False)


def test_whoever_stands_before_the_gate_sees_what_is_behind_it(repository: Repository) -> None:
    repository.put({"xgen_infra/stack.py": "2\n"})
    found = child(repository.folder, "--since", "HEAD")
    assert "preview birch" not in found.jobs
    for name in ("preview acorn", "preview cloud"):
        assert name in found.before(GATE)
        assert found.jobs[name]["allow_failure"] is True


def test_every_customer_has_a_lock_and_an_environment_of_its_own(repository: Repository) -> None:
    found = child(repository.folder)
    for stack in ("acorn", "birch", "cloud"):
        jobs = [found.jobs[name] for name in found.of(stack)]
        assert {job["resource_group"] for job in jobs} == {f"customer/{stack}"}
        assert {job["environment"]["name"] for job in jobs} == {f"customer/{stack}"}
        starts = [job["extends"] for job in jobs if "action" not in job["environment"]]
        assert starts == [".up"], "one job of each is what a newer deployment makes outdated"


def test_only_whom_the_change_touches_is_there(repository: Repository) -> None:
    before = repository.head
    repository.edit("acorn", namespace="other")
    repository.commit(**{"docs/page.md": "2\n"})
    assert set(child(repository.folder, "--since", before).jobs) == {"up acorn", "mirror acorn", "wait acorn"}


def test_a_change_that_touches_nobody_is_a_pipeline_that_does_nothing(repository: Repository) -> None:
    repository.put({"docs/page.md": "2\n"})
    assert set(child(repository.folder, "--since", "HEAD").jobs) == {"nothing to do"}


def test_what_only_git_has_to_carry_is_mirrored_without_an_up(repository: Repository) -> None:
    before = repository.head
    image = {"image": {"digest": f"sha256:{'a' * 64}"}}
    write_stack(repository.folder, "cloud", eks(7, services={"xgen-core": image}, **CLOUD_PARTS))
    repository.edit("acorn", vars={"LOG_LEVEL": "debug"})
    repository.commit()
    found = child(repository.folder, "--since", before)
    assert set(found.jobs) == {"mirror acorn", "wait acorn", "mirror cloud", "wait cloud"}
    assert all(found.before(f"mirror {stack}") == set() for stack in ("acorn", "cloud")), "no gate either"
    assert all("action" not in found.jobs[f"mirror {stack}"]["environment"] for stack in ("acorn", "cloud"))


def test_a_comment_or_another_order_needs_no_up(repository: Repository) -> None:
    file = repository.folder / "Pulumi.cloud.yaml"
    data = yaml.safe_load(file.read_text())
    file.write_text("# Another order.\n" + yaml.safe_dump(data, sort_keys=True))
    assert set(child(repository.folder, "--since", "HEAD").jobs) == {"mirror cloud", "wait cloud"}


@pytest.mark.parametrize("change", ["secret", "salt", "node", "host", "unreadable before"])
def test_what_the_engine_is_told_otherwise_is_an_up(repository: Repository, change: str) -> None:
    file = repository.folder / "Pulumi.cloud.yaml"
    text = file.read_text()
    match change:
        case "secret":
            file.write_text(text.replace("secure: v1:AAAA", "secure: v1:BBBB", 1))
        case "salt":
            file.write_text(text.replace("v1:x:v1:y:z", "v1:x:v1:y:w"))
        case "node":
            parts = eks(7, **CLOUD_PARTS)
            parts["cluster"]["nodes"] = {"instanceTypes": ["m7i.2xlarge"], "min": 2, "max": 5}
            write_stack(repository.folder, "cloud", parts)
        case "host":
            file.write_text(text.replace("10.200.7.10", "10.200.7.11"))
        case _:
            repository.commit(**{"Pulumi.cloud.yaml": "config: [\n"})
            file.write_text(text)
    assert "up cloud" in child(repository.folder, "--since", "HEAD").jobs


def test_releases_of_the_stack_itself_have_no_mirror(repository: Repository) -> None:
    before = repository.head
    repository.edit("acorn", delivery="helm", vars={"LOG_LEVEL": "debug"})
    assert child(repository.folder, "--since", before).of("acorn") == ["up acorn", "wait acorn"]


def test_a_wrong_file_fails_its_own_job_and_nobody_elses(repository: Repository) -> None:
    repository.put({"Pulumi.acorn.yaml": "config:\n  xgen-infra:site: {clutser: 1}\n", "__main__.py": "\n"})
    found = child(repository.folder, "--since", "HEAD")
    assert [found.jobs[name]["extends"] for name in found.of("acorn")] == [".check"]
    assert "acorn" not in " ".join(found.before("wait cloud"))


def test_a_new_customer_alone_needs_nobodys_leave(repository: Repository) -> None:
    write_stack(repository.folder, "dune", k3s("dune"))
    found = child(repository.folder, "--since", "HEAD")
    assert set(found.jobs) == {"up dune", "mirror dune", "wait dune"}


def test_a_changed_program_waits_at_the_gate_though_there_is_no_canary(repository: Repository) -> None:
    repository.edit("birch", canary=False)
    repository.commit(**{"__main__.py": "\n"})
    found = child(repository.folder, "--since", "HEAD~1")
    assert GATE in found.before("up acorn")
    assert GATE in found.before("up birch")


def test_rewritten_history_is_compared_with_what_was_there(repository: Repository) -> None:
    first = repository.head
    repository.edit("acorn", namespace="other")
    deployed = repository.commit()
    repository.git("reset", "--hard", "--quiet", first)
    repository.commit(**{"docs/page.md": "2\n"})
    assert "up acorn" in child(repository.folder, "--since", deployed).jobs


def test_sites_are_chosen_by_name_too(repository: Repository) -> None:
    assert set(child(repository.folder, "acorn").jobs) == {"up acorn", "mirror acorn", "wait acorn"}
    assert "did you mean 'acorn'" in repository.xgen("pipeline", "acron", status=2).stderr
    both = repository.xgen("pipeline", "acorn", "--since", "HEAD", status=2)
    assert "choose one of" in both.stderr


@pytest.mark.parametrize("kind", ["preview", "drift"])
def test_looking_needs_the_role_that_may_only_look(repository: Repository, kind: str) -> None:
    found = child(repository.folder, "--kind", kind)
    assert set(found.jobs) == {f"{kind} {stack}" for stack in ("acorn", "birch", "cloud")}
    assert all(not job["needs"] for job in found.jobs.values())
    variables = found.jobs[f"{kind} cloud"]["variables"]
    assert variables["XGEN_AWS_ROLE"] == "arn:aws:iam::000000000007:role/xgen-cloud-preview"
    assert variables["PULUMI_BACKEND_URL"] == "s3://xgen-cloud-state-000000000007?region=ap-northeast-2"
    rollout = child(repository.folder).jobs["up cloud"]["variables"]
    assert rollout["XGEN_AWS_ROLE"] == "arn:aws:iam::000000000007:role/xgen-cloud-deploy"


def test_a_deleted_customer_is_named_where_the_pipeline_is_written(repository: Repository) -> None:
    before = repository.head
    repository.commit(**{"Pulumi.acorn.yaml": None})
    said = repository.xgen("pipeline", "--since", before).stderr
    assert "xgen destroy acorn" in said


def test_customers_beyond_one_pipeline_are_in_pipelines_that_it_starts(tmp_path: Path) -> None:
    write(tmp_path, {f"c{number:03}": k3s(f"c{number:03}", canary=number < 5) for number in range(206)})
    first = child(tmp_path)
    canaries = {name for number in range(5) for name in first.of(f"c{number:03}")}
    starts = {f"rest {number} of 3" for number in (1, 2, 3)}
    assert set(first.jobs) == {*canaries, GATE, "plan-rest", *starts}
    assert first.before("rest 3 of 3") >= {"plan-rest", GATE, "wait c004"}
    command, *words = shlex.split(first.jobs["plan-rest"]["script"][0])
    assert command == "ci/xgen"
    xgen(tmp_path, *words)
    files = [first.jobs[name]["trigger"]["include"][0]["artifact"] for name in sorted(starts)]
    parts = [Pipeline((tmp_path / file).read_text()) for file in files]
    ups = [one for part in parts for one in part.jobs if one.startswith("up ")]
    assert ups == [f"up c{number:03}" for number in range(5, 206)]
    assert parts[0].before("wait c005") == {"mirror c005", "up c005"}


def test_a_thousand_customers_stay_within_gitlabs_limits() -> None:
    works = [Work(f"c{number}", ("up", "mirror", "wait"), canary=number < 100) for number in range(1000)]
    plan = Rollout.of(works, everybody=True)
    assert len(Pipeline(rollout(plan, "again")).jobs) == 300 + 1 + 1 + 9
    assert sum(len(Pipeline(plain(part)).jobs) for part in plan.parts) == 2700


def test_canaries_beyond_one_pipeline_are_refused() -> None:
    works = [Work(f"c{number}", ("up",), canary=True) for number in range(101)]
    with pytest.raises(TooManyError, match="101 customers have canary: true"):
        rollout(Rollout.of(works, everybody=True), "again")


def test_the_job_becomes_aws_default_role_without_an_argument_or_a_variable_left(tmp_path: Path) -> None:
    script = (
        f'. {ROOT}/ci/gitlab/aws.sh; env; python3 -c "pass"; cat "$AWS_CONFIG_FILE"; ls -ld build/private'
    )
    base = {"PATH": "/usr/bin:/bin", "XGEN_AWS_ROLE": "arn:aws:iam::1:role/x", "CI_JOB_ID": "9"}
    for given in (
        {"XGEN_AWS_TOKEN": "t0ken"},
        {"XGEN_AWS_ACCESS_KEY_ID": "AKIA1", "XGEN_AWS_SECRET_ACCESS_KEY": "k3y"},
    ):
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=tmp_path,
            env={**base, **given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "role_arn = arn:aws:iam::1:role/x" in done.stdout
        assert "t0ken" not in done.stdout
        assert "k3y" not in done.stdout
        assert "drwx------" in done.stdout
    without = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=tmp_path, env=base, capture_output=True, text=True, check=False
    )
    assert without.returncode != 0
    assert "no token of its own" in without.stderr
