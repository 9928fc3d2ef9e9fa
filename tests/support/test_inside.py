"""What a bundle takes from a cluster, asked of an API server on loopback that answers as one does."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from kubernetes import client

from xgen_infra.folder import read_site
from xgen_infra.site import Site
from xgen_infra.support import Bundle, BundleError
from xgen_infra.support.inside import fails, look

ROOT = Path(__file__).parents[2]
PASSWORD = "pass/+&word-7f3a"
NAMESPACE = "/api/v1/namespaces/xgen"
POD = {
    "metadata": {"name": "xgen-core-1", "namespace": "xgen"},
    "spec": {"containers": [{"name": "main", "image": "core:1", "env": [{"name": "P", "value": PASSWORD}]}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {"name": "main", "ready": False, "restartCount": 3, "image": "core:1", "imageID": "", "state": {}}
        ],
    },
}
SECRET = {
    "metadata": {"name": "xgen-secrets", "namespace": "xgen"},
    "type": "Opaque",
    "data": {"POSTGRES_PASSWORD": b64encode(PASSWORD.encode()).decode()},
}


@dataclass
class Answers:
    """What the server answers by path: a list of objects, a text, or a status; else an empty list."""

    given: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def answers() -> Answers:
    return Answers(
        {
            "/api/v1/namespaces": [{"metadata": {"name": name}} for name in ("xgen", "kube-system")],
            "/version": {"major": "1", "minor": "36"} | dict.fromkeys(_VERSION, "x"),
            f"{NAMESPACE}/pods": [POD],
            f"{NAMESPACE}/secrets": [SECRET],
            f"{NAMESPACE}/pods/xgen-core-1/log": "line one\nAuthorization: Bearer abcdefgh12345678\n",
        }
    )


_VERSION = ("gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")


@pytest.fixture
def api(answers: Answers) -> Iterator[client.ApiClient]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            answers.asked.append(("GET", self.path))
            answer = answers.given.get(path.path.rstrip("/"), [])
            status = answer if isinstance(answer, int) else 200
            body = answer if isinstance(answer, str) else json.dumps(_document(answer))
            self.send_response(status, "Forbidden" if status == 403 else None)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_port}"
    with client.ApiClient(configuration) as made:
        yield made
    server.shutdown()
    server.server_close()
    thread.join()


def _document(answer: Any) -> Any:
    return {"items": answer, "metadata": {}} if isinstance(answer, list) else answer


@pytest.fixture(scope="module")
def site() -> Site:
    return read_site(ROOT, "lotteimall")[1]


def looked(api: client.ApiClient, site: Site) -> Bundle:
    bundle = Bundle("lotteimall")
    look(bundle, site, api, lambda _: None)
    return bundle


def test_logs_of_a_failing_pod_are_in_it_of_this_life_and_the_one_before(
    api: client.ApiClient, site: Site, answers: Answers
) -> None:
    bundle = looked(api, site)
    for name in ("main", "main.previous"):
        log = bundle.files[f"logs/xgen/xgen-core-1/{name}.log"].decode()
        assert "line one" in log
        assert "abcdefgh12345678" not in log
    asked = [path for _, path in answers.asked if "/log?" in path]
    assert [("previous=True" in path or "previous=true" in path) for path in asked] == [False, True]
    assert all("tailLines=" in path for path in asked)


def test_a_secret_gives_its_keys_alone_and_is_searched_for(api: client.ApiClient, site: Site) -> None:
    bundle = looked(api, site)
    (shown,) = json.loads(bundle.files["cluster/xgen/secrets.json"])
    assert shown["keys"] == ["POSTGRES_PASSWORD"]
    assert PASSWORD in bundle.known.values()
    assert not [path for path, content in bundle.files.items() if PASSWORD.encode() in content]


def test_a_log_that_holds_a_password_is_refused_by_its_place(
    api: client.ApiClient, site: Site, answers: Answers, tmp_path: Path
) -> None:
    answers.given[f"{NAMESPACE}/pods/xgen-core-1/log"] = f"connecting with {PASSWORD}\n"
    bundle = looked(api, site)
    with pytest.raises(BundleError) as refused:
        bundle.write(tmp_path / "bundle.tar.gz")
    assert "logs/xgen/xgen-core-1/main.log: Secret xgen/xgen-secrets: POSTGRES_PASSWORD (plain)" in str(
        refused.value
    )
    assert PASSWORD not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_forbidden_is_missing_and_the_rest_is_there(
    api: client.ApiClient, site: Site, answers: Answers, tmp_path: Path
) -> None:
    answers.given |= {
        f"{NAMESPACE}/secrets": 403,
        f"{NAMESPACE}/events": 403,
        f"{NAMESPACE}/pods/xgen-core-1/log": 403,
    }
    bundle = looked(api, site)
    missing = {one.what: one.why for one in bundle.missing}
    assert missing["cluster/xgen/events.json"] == "403 Forbidden"
    assert missing["logs/xgen/xgen-core-1/main.log"] == "403 Forbidden"
    assert "cluster/xgen/pods.json" in bundle.files
    assert [one.what for one in bundle.unsearched] == ["the Secrets of xgen"]
    bundle.write(tmp_path / "bundle.tar.gz")
    assert (tmp_path / "bundle.tar.gz").exists()


def test_nothing_but_reading_is_asked(api: client.ApiClient, site: Site, answers: Answers) -> None:
    looked(api, site)
    assert answers.asked
    assert {method for method, _ in answers.asked} == {"GET"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Succeeded"}, False),
        ({"phase": "Pending"}, True),
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, False),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"restartCount": 1}],
            },
            True,
        ),
    ],
)
def test_which_pods_fail(status: dict[str, Any], expected: bool) -> None:
    assert fails({"status": status}) is expected
