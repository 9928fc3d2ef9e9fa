"""GitLab's API as far as a comment needs it, on loopback, in the shapes that GitLab's own answers have.

Source: GitLab documentation, "Notes API", "Users API", "REST API: Pagination".
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_NOTES = re.compile(r"/api/v4/projects/(?P<project>\d+)/merge_requests/(?P<iid>\d+)/notes(?:/(?P<note>\d+))?")
LONGEST = 1_000_000


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    token: str | None


@dataclass
class GitLab:
    """Merge request 7 of project 42. `failing` maps (method, kind of address) to a status answered instead.

    `users` are by token; `passing` counts down failures that pass by themselves.
    """

    users: dict[str, int] = field(default_factory=lambda: {"glpat-right": 5})
    notes: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    failing: dict[tuple[str, str], int] = field(default_factory=dict)
    passing: int = 0
    longest: int = LONGEST

    def note(self, body: str, author: int = 5, *, system: bool = False) -> dict[str, Any]:
        made = {
            "id": len(self.notes) + 100,
            "body": body,
            "author": {"id": author, "username": f"user{author}", "name": f"User {author}"},
            "system": system,
            "noteable_type": "MergeRequest",
            "created_at": f"2026-11-25T10:00:{len(self.notes) % 60:02}.000Z",
            "internal": False,
        }
        self.notes.append(made)
        return made

    def bodies(self, author: int = 5) -> list[str]:
        return [note["body"] for note in self.notes if note["author"]["id"] == author and not note["system"]]

    def made(self, method: str) -> int:
        return sum(call.method == method for call in self.calls)

    def __enter__(self) -> Self:
        double = self

        class Handler(_Handler):
            gitlab = double

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    gitlab: GitLab
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if status == 204 else json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else {}
        token = self.headers.get("PRIVATE-TOKEN")
        gitlab, found = self.gitlab, _NOTES.fullmatch(parts.path)
        gitlab.calls.append(Call(self.command, parts.path, query, token))
        kind = "user" if parts.path == "/api/v4/user" else "notes" if found else "other"
        if gitlab.passing:
            gitlab.passing -= 1
            self._answer(502, {"message": "Bad Gateway"})
        elif token not in gitlab.users:
            self._answer(401, {"message": "401 Unauthorized"})
        elif status := gitlab.failing.get((self.command, kind)):
            said = {403: "403 Forbidden", 404: "404 Not found"}.get(status, f"{status} {token} said no")
            self._answer(status, {"message": said})
        elif kind == "user":
            self._answer(200, {"id": gitlab.users[token], "username": "project_42_bot", "bot": True})
        elif not found or (found["project"], found["iid"]) != ("42", "7"):
            self._answer(404, {"message": "404 Project Not Found"})
        elif self.command == "GET":
            self._list(query)
        elif self.command == "DELETE":
            gitlab.notes = [note for note in gitlab.notes if note["id"] != int(found["note"])]
            self._answer(204, None)
        elif len(sent["body"]) > gitlab.longest:
            self._answer(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})
        elif self.command == "POST":
            self._answer(201, gitlab.note(sent["body"], gitlab.users[token]))
        else:
            self._change(int(found["note"]), sent["body"], gitlab.users[token])

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _list(self, query: dict[str, str]) -> None:
        size, page = min(int(query.get("per_page", 20)), 100), int(query.get("page", 1))
        notes = sorted(
            self.gitlab.notes, key=lambda one: one["id"], reverse=query.get("sort", "desc") == "desc"
        )
        pages = max(1, -(-len(notes) // size))
        address = f"{self.gitlab.url}{urlsplit(self.path).path}"
        following = str(page + 1) if page < pages else ""
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Next-Page": following,
            "X-Total": str(len(notes)),
            "X-Total-Pages": str(pages),
        }
        if following:
            rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
            headers["Link"] = f'<{address}?{rest}&page={following}>; rel="next"'
        self._answer(200, notes[(page - 1) * size : page * size], headers)

    def _change(self, number: int, body: str, user: int) -> None:
        (note,) = (one for one in self.gitlab.notes if one["id"] == number)
        if note["author"]["id"] != user:
            self._answer(403, {"message": "403 Forbidden"})
            return
        note["body"] = body
        self._answer(200, note)
