"""Whom a change can touch: too many rather than too few, and nobody for what reaches nobody."""

from __future__ import annotations

import subprocess

import pytest
from vendor.folder import k3s, write_stack, xgen

from .conftest import Repository

ALL = ["acorn", "birch", "cloud"]


def test_nothing_changed_touches_nobody(repository: Repository) -> None:
    assert repository.affected("HEAD")["customers"] == []
    assert repository.xgen("affected", "--against", "HEAD").stdout == ""


def test_a_customers_file_touches_that_customer_alone(repository: Repository) -> None:
    before = repository.head
    repository.edit("acorn", namespace="other")
    assert repository.affected(before)["customers"] == [{"stack": "acorn", "why": "file"}]
    repository.commit()
    assert repository.affected(before)["customers"] == [{"stack": "acorn", "why": "file"}]
    assert repository.stacks("HEAD") == []


@pytest.mark.parametrize(
    "path",
    [
        "xgen_infra/stack.py",
        "xgen_infra/new.py",
        "charts/xgen-service/templates/deployment.yaml",
        "charts/xgen-service/README.md",
        "__main__.py",
        "pyproject.toml",
        "requirements/program.txt",
        "something/nobody/thought.of",
    ],
)
def test_the_program_touches_everybody_and_the_path_is_named(repository: Repository, path: str) -> None:
    before = repository.head
    repository.put({path: "changed\n"})
    found = repository.affected(before)
    assert [one["stack"] for one in found["customers"]] == ALL
    assert (found["program"], found["everybody"]) == ([path], True)
    assert path in repository.xgen("affected", "--against", before).stderr


def test_the_vendors_defaults_touch_everybody(repository: Repository) -> None:
    text = (repository.folder / "Pulumi.yaml").read_text()
    repository.put({"Pulumi.yaml": text.replace("docker.x2bee.com", "docker.other.example")})
    assert repository.stacks("HEAD") == ALL


@pytest.mark.parametrize(
    "path",
    [
        "docs/page.md",
        "README.md",
        "tests/test_new.py",
        "ci/gitlab/site.yml",
        ".gitlab-ci.yml",
        "ci/jenkins/Jenkinsfile",
        "Makefile",
        "bench/new.py",
        "requirements/dev.txt",
    ],
)
def test_documents_tests_and_pipelines_touch_nobody(repository: Repository, path: str) -> None:
    repository.put({path: "changed\n"})
    assert repository.stacks("HEAD") == []


def test_what_git_ignores_touches_nobody(repository: Repository) -> None:
    repository.put({"build/child.yml": "anything\n"})
    assert repository.stacks("HEAD") == []


def test_a_new_customer_is_told_from_a_changed_one_and_from_what_the_program_touches(
    repository: Repository,
) -> None:
    write_stack(repository.folder, "dune", k3s("dune"))
    repository.edit("acorn", namespace="other")
    assert [tuple(one.values()) for one in repository.affected("HEAD")["customers"]] == [
        ("acorn", "file"),
        ("dune", "added"),
    ]
    repository.put({"__main__.py": "\n"})
    assert [tuple(one.values()) for one in repository.affected("HEAD")["customers"]] == [
        ("acorn", "file"),
        ("birch", "program"),
        ("cloud", "program"),
        ("dune", "added"),
    ]


def test_a_deleted_customer_is_named_with_what_to_do(repository: Repository) -> None:
    before = repository.commit(**{"Pulumi.dune.yaml": "config: {}\n"})
    repository.commit(**{"Pulumi.dune.yaml": None})
    found = repository.affected(before)
    assert (found["deleted"], found["customers"]) == (["dune"], [])
    assert "xgen destroy dune" in repository.xgen("affected", "--against", before).stderr


def test_a_renamed_customer_is_a_deleted_one_and_a_new_one(repository: Repository) -> None:
    repository.git("mv", "Pulumi.acorn.yaml", "Pulumi.alder.yaml")
    found = repository.affected("HEAD")
    assert (found["deleted"], found["customers"]) == (["acorn"], [{"stack": "alder", "why": "added"}])


def test_what_others_did_on_the_other_branch_since_does_not_count(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "mine")
    repository.edit("acorn", namespace="mine")
    repository.commit()
    repository.git("switch", "--quiet", "main")
    repository.edit("birch", namespace="theirs")
    repository.commit(**{"xgen_infra/stack.py": "2\n"})
    repository.git("switch", "--quiet", "mine")
    assert repository.stacks("main") == ["acorn"]


def test_a_file_that_is_wrong_is_affected_like_any_other(repository: Repository) -> None:
    repository.put({"Pulumi.acorn.yaml": "config: [\n"})
    assert repository.stacks("HEAD") == ["acorn"]


def test_names_that_shells_and_git_would_read_otherwise_are_told_as_they_are(repository: Repository) -> None:
    repository.put({"docs/a b.md": "1\n", "xgen_infra/ü \n.py": "1\n"})
    assert repository.affected("HEAD")["program"] == ["xgen_infra/ü \n.py"]


def test_the_shares_of_parallel_jobs_are_everybody_once(repository: Repository) -> None:
    repository.put({"__main__.py": "\n"})
    shares = [repository.stacks("HEAD", "--share", f"{number}/2") for number in (1, 2)]
    assert shares == [["acorn", "cloud"], ["birch"]]
    for wrong in ("0/2", "3/2", "1", "a/b"):
        refused = repository.xgen("affected", "--against", "HEAD", "--share", wrong, status=2)
        assert "expected I/N" in refused.stderr


def test_a_branch_that_is_new_touches_everybody(repository: Repository) -> None:
    found = repository.affected("0" * 40)
    assert [one["stack"] for one in found["customers"]] == ALL
    assert found["everybody"]


def test_a_commit_that_is_not_there_is_refused_with_what_to_fetch(repository: Repository) -> None:
    for revision in ("nowhere", "f" * 40, "--help", "HEAD:docs"):
        refused = repository.xgen("affected", f"--against={revision}", status=1)
        assert f"no commit '{revision}'" in refused.stderr
        assert "GIT_DEPTH: 0" in refused.stderr


def test_histories_that_have_nothing_in_common_are_refused(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--orphan", "other")
    repository.commit(**{"docs/x.md": "1\n"})
    assert "no commit in common" in repository.xgen("affected", "--against=main", status=1).stderr


def test_a_shallow_clone_says_what_it_lacks(repository: Repository) -> None:
    before = repository.head
    repository.edit("acorn", namespace="other")
    repository.commit()
    shallow = repository.folder.with_name("shallow")
    command = ["git", "clone", "--quiet", "--depth=1", repository.folder.as_uri(), str(shallow)]
    subprocess.run(command, check=True, capture_output=True)
    assert "git fetch --unshallow" in xgen(shallow, "affected", "--against", before, status=1).stderr


def test_a_folder_outside_of_git_is_refused_in_a_sentence(repository: Repository) -> None:
    outside = repository.folder.parent
    assert "not a git repository" in xgen(outside, "affected", "--against=HEAD", status=1).stderr


def test_customers_in_a_folder_of_a_larger_repository(repository: Repository) -> None:
    inner = repository.folder / "inner"
    inner.mkdir()
    for file in repository.folder.glob("Pulumi*"):
        file.rename(inner / file.name)
    repository.commit()
    write_stack(inner, "acorn", k3s("acorn", namespace="other"))
    repository.put({"xgen_infra/stack.py": "another program\n"})
    assert xgen(inner, "affected", "--against", "HEAD").stdout == "acorn\n"


def test_the_summary_is_what_a_reviewer_reads_first(repository: Repository) -> None:
    before = repository.commit(**{"Pulumi.dune.yaml": "config: {}\n"})
    repository.edit("acorn", namespace="other")
    repository.commit(**{"Pulumi.dune.yaml": None, "__main__.py": "\n"})
    repository.xgen("affected", "--against", before, "--summary", "build/summary.md")
    text = (repository.folder / "build" / "summary.md").read_text()
    assert "**3 of 3** customers" in text
    assert "- own file changed: `acorn`" in text
    assert "- the program changed: `birch`, `cloud`" in text
    assert "`__main__.py`" in text
    assert "> **Deleted:** dune:" in text
