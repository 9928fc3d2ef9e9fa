"""One comment on a merge request, made once and then updated in place: told by the marker that is its first line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gitlab
import requests
from gitlab.v4.objects import ProjectMergeRequest

MARKER = "<!-- xgen-preview -->"
TOKEN = "XGEN_COMMENT_TOKEN"  # noqa: S105 - the variable's name
LIMIT = 1_000_000
"""Characters of a comment at most (GitLab documentation, "Size of comments and descriptions")."""
_SECONDS = 30
_TRIES = 3
Done = Literal["created", "updated", "unchanged", "newer"]


class CommentError(Exception):
    """GitLab does not take the comment; the message says what to do and never holds the token."""


class NoTokenError(CommentError):
    """There is nothing to comment with. `status` lets a pipeline tell this from a failure."""

    status = 3


@dataclass(frozen=True)
class Place:
    """Where the comment goes. `pipeline` and `commit` are those it speaks of; zero and empty where unknown."""

    server: str
    project: str
    merge_request: str
    pipeline: int = 0
    commit: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place:
        """Return the merge request of a job (GitLab documentation, "Predefined CI/CD variables").

        Raises CommentError where the job belongs to none.
        """
        names = ("CI_SERVER_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID")
        server, own, number = (environ.get(name, "") for name in names)
        project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or own
        found = zip(names, (server, project, number), strict=True)
        if missing := [name for name, value in found if not value]:
            raise CommentError(
                f"{', '.join(missing)} not set: this is no job of a merge request's pipeline, which alone can comment"
            )
        pipeline = environ.get("CI_PIPELINE_ID", "")
        return cls(
            server,
            project,
            number,
            int(pipeline) if pipeline.isdigit() else 0,
            environ.get("CI_COMMIT_SHA", ""),
        )

    @property
    def shown(self) -> str:
        """The place as people know it."""
        return f"merge request !{self.merge_request} of project {self.project} at {self.server}"


def is_fork(environ: Mapping[str, str]) -> bool:
    """Whether the merge request comes from another project, which gets none of this one's variables."""
    source, target = (
        environ.get(f"CI_MERGE_REQUEST_{part}_ID", "") for part in ("SOURCE_PROJECT", "PROJECT")
    )
    return bool(source and target and source != target)


def body(texts: list[str], place: Place, limit: int = LIMIT) -> str:
    """Return one comment of several texts: the marker first and once, then them, then what it speaks of.

    What is longer than `limit` characters is cut behind a whole line, and the comment says so.
    """
    whole = "\n\n".join(_without_marker(text) for text in texts if _without_marker(text))
    commit = f"Commit {place.commit[:12]}" if place.commit else "Unknown commit"
    foot = f"\n\n<sub>{commit}, pipeline {place.pipeline}.</sub>\n<!-- xgen-pipeline: {place.pipeline} -->\n"
    room = limit - len(MARKER) - 1 - len(foot)
    return f"{MARKER}\n{whole if len(whole) <= room else _cut(whole, room)}{foot}"


def _without_marker(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip() != MARKER).strip("\n")


def _cut(text: str, room: int) -> str:
    notice = (
        "\n\n> **Cut.** Of {length} characters the first {shown} stand here: more does not fit into a comment. "
        "The whole is in the artefacts of this job.\n"
    )
    kept: list[str] = []
    spent = len(notice) + 200  # for the numbers, and for what is left open
    fence, folds = "", 0
    for line in text.splitlines():
        spent += len(line) + 1
        if spent > room:
            break
        kept.append(line)
        stripped = line.strip()
        if fence:
            fence = "" if stripped == fence else fence
        elif stripped.startswith(("```", "~~~")):
            fence = stripped[: len(stripped) - len(stripped.lstrip(stripped[0]))]
        folds += 0 if fence else line.count("<details") - line.count("</details>")
    shown = "\n".join(kept)
    closed = f"\n{fence}" * bool(fence) + "\n\n</details>" * max(folds, 0)
    return f"{shown}{closed}{notice.format(length=len(text), shown=len(shown))}"


def upsert(place: Place, token: str, text: str, certificate: str = "") -> Done:
    """Make the comment, or update the one that the token's user made before; say which.

    Comments of others are never touched, whatever they begin with. One of a newer pipeline stays. Of several of our
    own the oldest is kept. `certificate` is the file of GitLab's own authority. Raises CommentError.
    """
    client = gitlab.Gitlab(
        place.server,
        private_token=token,
        timeout=_SECONDS,
        ssl_verify=certificate or True,
        retry_transient_errors=True,
    )
    try:
        user = _user(client)
        project = client.projects.get(place.project, lazy=True)
        request = project.mergerequests.get(place.merge_request, lazy=True)
        return _written(request, list(_ours(request, user)), place, text)
    except gitlab.GitlabError as error:
        raise CommentError(_said(error, place, token)) from None
    except requests.RequestException as error:
        raise CommentError(
            f"GitLab at {place.server} does not answer ({type(error).__name__}): start the job again"
        ) from None
    finally:
        client.session.close()


def _user(client: gitlab.Gitlab) -> int:
    """Return the id of the token's user."""
    answer = client.http_get("/user", max_retries=_TRIES)
    if not isinstance(answer, dict) or "id" not in answer:
        raise CommentError(f"{client.url} did not answer as GitLab does: check CI_SERVER_URL")
    return int(answer["id"])


def _ours(request: ProjectMergeRequest, user: int) -> Iterator[Any]:
    """Yield our comments of a merge request, the oldest first; GitLab gives them in pages."""
    for note in request.notes.list(
        iterator=True, per_page=100, order_by="created_at", sort="asc", max_retries=_TRIES
    ):
        if note.author["id"] == user and not note.system and note.body.startswith(MARKER):
            yield note


def _written(request: ProjectMergeRequest, ours: list[Any], place: Place, text: str) -> Done:
    if not ours:
        request.notes.create({"body": text}, max_retries=_TRIES)
        return "created"
    first, *others = ours
    for note in others:
        note.delete(max_retries=_TRIES)
    if any(_pipeline(note.body) > place.pipeline for note in ours):
        return "newer"
    if first.body.strip() == text.strip():
        return "unchanged"
    first.body = text
    first.save(max_retries=_TRIES)
    return "updated"


def _pipeline(text: str) -> int:
    number = text.rpartition("<!-- xgen-pipeline: ")[2].partition(" ")[0]
    return int(number) if number.isdigit() else 0


def _said(error: gitlab.GitlabError, place: Place, token: str) -> str:
    """Return what GitLab's answer means, and what to do."""
    answer = str(error.error_message).replace(token, "***").strip()[:300]
    match error.response_code:
        case 401:
            return (
                f"GitLab does not know the token in {TOKEN} (401): it has expired, was revoked, or is another server's. "
                "Make a new project access token with the scope api and the role Reporter"
            )
        case 403:
            return (
                f"the token in {TOKEN} may not comment on {place.shown} (403, {answer}): it needs the scope api, and "
                "its user the role Reporter in that project"
            )
        case 404:
            return (
                f"there is no {place.shown}, or the token in {TOKEN} may not see it (404): its user has to be a member "
                "of that project"
            )
        case 400 | 413 | 422:
            return f"GitLab refuses the comment ({error.response_code}, {answer}): it may be too long for this GitLab"
        case None:
            return f"{place.server} did not answer as GitLab does ({answer}): check CI_SERVER_URL"
        case code:
            return f"GitLab failed at {place.shown} ({code}, {answer}): start the job again"


def read(files: list[Path]) -> list[str]:
    """Return the files' texts; raises CommentError where one is no text, OSError where it is not there."""
    texts = []
    for file in files:
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise CommentError(f"{file} is no text in UTF-8") from None
    return texts
