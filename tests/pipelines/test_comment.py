"""One comment on a merge request: found by its marker, updated in place, and honest about what went wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from vendor.folder import xgen

from xgen_infra.pipelines.comment import MARKER, Place, body

from .gitlab_double import GitLab

TOKEN = "glpat-right"
PREVIEW = f"{MARKER}\n## Preview\n\n| stack | change |\n|---|---|\n| acorn | 1 create |\n"


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "preview.md"
    made.write_text(PREVIEW)
    return made


def comment(gitlab: GitLab, *files: Path, status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a job of the merge request's pipeline does; no output ever holds a token."""
    job = {
        "CI_SERVER_URL": gitlab.url,
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_PIPELINE_ID": "1000",
        "CI_COMMIT_SHA": "c0ffee" * 6 + "c0ff",
        "XGEN_COMMENT_TOKEN": TOKEN,
        **env,
    }
    done = xgen(files[0].parent, "comment", *map(str, files), status=status, env=job)
    assert "glpat-" not in done.stdout + done.stderr
    return done


def test_the_first_time_it_is_made_with_the_marker_as_first_line(gitlab: GitLab, file: Path) -> None:
    assert "commented on merge request !7" in comment(gitlab, file).stdout
    (made,) = gitlab.bodies()
    assert made.splitlines()[0] == MARKER
    assert made.count(MARKER) == 1
    assert "| acorn | 1 create |" in made
    assert "Commit c0ffeec0ffee, pipeline 1000" in made


def test_then_it_is_updated_in_place(gitlab: GitLab, file: Path) -> None:
    comment(gitlab, file)
    (identity,) = (note["id"] for note in gitlab.notes)
    file.write_text(PREVIEW.replace("1 create", "2 deletes"))
    assert "updated the comment" in comment(gitlab, file, CI_PIPELINE_ID="1001").stdout
    (note,) = gitlab.notes
    assert note["id"] == identity
    assert "2 deletes" in note["body"]
    assert "1 create" not in note["body"]


def test_what_is_up_to_date_is_left_alone(gitlab: GitLab, file: Path) -> None:
    comment(gitlab, file)
    assert "nothing to do" in comment(gitlab, file).stdout
    assert gitlab.made("PUT") == 0


def test_it_is_found_on_a_later_page(gitlab: GitLab, file: Path) -> None:
    for number in range(230):
        gitlab.note(f"talk {number}", author=6)
    ours = gitlab.note(f"{MARKER}\nof yesterday")
    for number in range(30):
        gitlab.note(f"more talk {number}", author=6)
    comment(gitlab, file)
    assert "acorn" in ours["body"]
    assert len(gitlab.notes) == 261
    pages = [call.query.get("page", "1") for call in gitlab.calls if call.path.endswith("/notes")]
    assert pages == ["1", "2", "3"]


@pytest.mark.parametrize("text", [f"{MARKER}\nI quote it", f"see\n{MARKER}\nabove"])
def test_comments_of_others_are_never_touched_whatever_they_hold(
    gitlab: GitLab, file: Path, text: str
) -> None:
    theirs = gitlab.note(text, author=6)
    comment(gitlab, file)
    comment(gitlab, file)
    assert theirs["body"] == text
    assert len(gitlab.bodies()) == 1


def test_our_own_other_comments_and_systems_notes_stay(gitlab: GitLab, file: Path) -> None:
    gitlab.note("The build took long today.")
    gitlab.note(f"{MARKER}\nchanged the title", system=True)
    comment(gitlab, file)
    assert gitlab.bodies()[0] == "The build took long today."
    assert len(gitlab.notes) == 3


def test_of_two_that_two_pipelines_made_at_once_one_is_left(gitlab: GitLab, file: Path) -> None:
    first = gitlab.note(f"{MARKER}\none")
    gitlab.note(f"{MARKER}\nanother")
    comment(gitlab, file)
    assert [note["id"] for note in gitlab.notes] == [first["id"]]
    assert "acorn" in first["body"]


def test_an_older_pipeline_does_not_overwrite_a_newer_ones(gitlab: GitLab, file: Path) -> None:
    comment(gitlab, file, CI_PIPELINE_ID="1002")
    file.write_text(PREVIEW.replace("acorn", "yesterday"))
    assert "a newer pipeline" in comment(gitlab, file, CI_PIPELINE_ID="1001").stdout
    assert "acorn" in gitlab.bodies()[0]


def test_several_files_are_one_comment_in_their_order(gitlab: GitLab, file: Path, tmp_path: Path) -> None:
    head = tmp_path / "a.md"
    head.write_text("### Customers\n")
    comment(gitlab, head, file)
    (made,) = gitlab.bodies()
    assert made.count(MARKER) == 1
    assert made.index("### Customers") < made.index("## Preview")


def test_what_is_too_long_is_cut_behind_a_whole_line_and_says_so(gitlab: GitLab, file: Path) -> None:
    row = "| acorn | " + "ü" * 90 + " |\n"
    file.write_text(
        PREVIEW + "<details><summary>values</summary>\n\n```diff\n" + row * 12_000 + "```\n\n</details>\n"
    )
    assert "It was cut" in comment(gitlab, file).stderr
    (made,) = gitlab.bodies()
    assert 990_000 < len(made) <= 1_000_000
    assert "**Cut.** Of 1,2" in made.replace("Of 12", "Of 1,2")
    before = made[: made.index("> **Cut.**")]
    assert before.count("```") == 2
    assert before.count("<details") == before.count("</details>") == 1
    assert made.count("<!-- xgen-pipeline: 1000 -->") == 1


@pytest.mark.parametrize("length", [0, 1, 300, 700, 701, 5000])
def test_a_comment_never_exceeds_its_limit(length: int) -> None:
    place = Place("https://gitlab.example", "42", "7", 3, "abc")
    text = "\n".join(["~~~~diff", "x" * length, "```", "~~~~", "<details>", "y" * length, "</details>"] * 3)
    assert len(body([text], place, limit=700)) <= 700


@pytest.mark.parametrize(
    ("method", "kind", "code", "says"),
    [
        ("POST", "notes", 403, "role Reporter"),
        ("GET", "notes", 403, "role Reporter"),
        ("GET", "user", 403, "scope api"),
        ("GET", "notes", 404, "has to be a member"),
        ("POST", "notes", 400, "too long"),
        ("POST", "notes", 413, "too long"),
        ("POST", "notes", 418, "start the job again"),
    ],
)
def test_what_gitlab_does_not_permit_is_said_with_what_to_do(
    gitlab: GitLab, file: Path, method: str, kind: str, code: int, says: str
) -> None:
    gitlab.failing[method, kind] = code
    refused = comment(gitlab, file, status=1).stderr
    assert str(code) in refused
    assert says in refused
    assert gitlab.bodies() == []


def test_an_update_that_is_not_permitted_is_said_too(gitlab: GitLab, file: Path) -> None:
    gitlab.note(f"{MARKER}\nold")
    gitlab.failing["PUT", "notes"] = 403
    assert "may not comment on merge request !7 of project 42" in comment(gitlab, file, status=1).stderr


def test_a_token_that_is_not_known_is_named_by_its_variable_alone(gitlab: GitLab, file: Path) -> None:
    refused = comment(gitlab, file, status=1, XGEN_COMMENT_TOKEN="glpat-wrong").stderr
    assert "does not know the token in XGEN_COMMENT_TOKEN" in refused


def test_a_limit_of_this_gitlab_that_is_lower_is_told(gitlab: GitLab, file: Path) -> None:
    gitlab.longest = 10
    assert "is too long" in comment(gitlab, file, status=1).stderr


def test_what_passes_in_a_moment_is_tried_again(gitlab: GitLab, file: Path) -> None:
    gitlab.passing = 2
    comment(gitlab, file)
    assert len(gitlab.bodies()) == 1


def test_a_server_that_does_not_answer_is_said_in_a_sentence(file: Path) -> None:
    with GitLab() as gitlab:
        pass
    refused = comment(gitlab, file, status=1).stderr
    assert "does not answer" in refused


def test_without_a_token_a_fork_is_told_where_the_comment_is(gitlab: GitLab, file: Path) -> None:
    fork = {"CI_PROJECT_ID": "77", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77", "XGEN_COMMENT_TOKEN": ""}
    said = comment(gitlab, file, **fork).stdout
    assert "from a fork gets no token" in said
    assert str(file) in said
    assert gitlab.calls == []


def test_without_a_token_at_home_it_is_a_warning_of_its_own(gitlab: GitLab, file: Path) -> None:
    said = comment(gitlab, file, status=3, XGEN_COMMENT_TOKEN="").stderr
    assert "XGEN_COMMENT_TOKEN is not set" in said
    assert str(file) in said


def test_outside_of_a_merge_request_it_says_what_is_missing(gitlab: GitLab, file: Path) -> None:
    assert "CI_MERGE_REQUEST_IID not set" in comment(gitlab, file, status=1, CI_MERGE_REQUEST_IID="").stderr


def test_a_file_that_is_not_there_is_named(gitlab: GitLab, tmp_path: Path) -> None:
    assert "missing.md" in comment(gitlab, tmp_path / "missing.md", status=1).stderr
    assert gitlab.calls == []
