"""The command itself: which checks, how many at once, for how long, what it prints, and with which status."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xgen_infra.cli import preflight as command
from xgen_infra.preflight import CHECKS, Check, Level, Result
from xgen_infra.preflight.check import fine, on_k3s, refuse, warn

from .conftest import ROOT, SECRETS, Customers


def checks(monkeypatch: pytest.MonkeyPatch, *made: Check) -> None:
    """Put these checks in place of the real ones."""
    monkeypatch.setattr(command, "CHECKS", made)


def check(name: str, *results: Result, **more: Any) -> Check:
    return Check(name, f"why {name}", lambda _: results, f"mend {name}", **more)


def test_every_check_is_complete_and_has_a_name_of_its_own() -> None:
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    for one in CHECKS:
        assert one.name.replace("-", "").isalnum()
        assert all((one.why, one.mend, one.where, one.seconds > 0))


@pytest.mark.parametrize(
    ("results", "words", "status"),
    [
        ((fine("all well"),), (), 0),
        ((fine("all well"), warn("perhaps")), (), 0),
        ((fine("all well"), warn("perhaps")), ("--strict",), 1),
        ((refuse("no", "do this"), fine("all well")), (), 1),
    ],
)
def test_errors_are_status_one_and_warnings_only_where_asked(
    results: tuple[Result, ...],
    words: tuple[str, ...],
    status: int,
    customers: Customers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks(monkeypatch, check("first", *results))
    assert customers.xgen("preflight", "aww", *words).exit_code == status


def test_people_see_a_table_then_what_is_wrong_why_it_matters_and_what_to_do(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(
        monkeypatch,
        check("first", fine("all well")),
        check("second", warn("perhaps"), refuse("no", "do this")),
    )
    done = customers.xgen("preflight", "aww")
    table, _, rest = done.stdout.partition("\n\n")
    assert "2 of 2" not in table
    assert "0 of 2 well" in table
    assert rest.splitlines() == [
        "second: why second",
        "  warning: perhaps",
        "    to do: mend second",
        "  error: no",
        "    to do: do this",
        "",
        "2 checks: 1 ok, 0 with warnings, 1 with errors",
    ]
    assert done.stderr == ""


def test_programs_get_the_same_as_json(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    checks(monkeypatch, check("first", fine("all well")), check("second", warn("perhaps")))
    told = json.loads(customers.xgen("preflight", "aww", "--json").stdout)
    assert (told["site"], told["good"]) == ("aww", True)
    assert [(one["name"], one["why"], one["level"]) for one in told["checks"]] == [
        ("first", "why first", "ok"),
        ("second", "why second", "warning"),
    ]
    assert told["checks"][1]["results"] == [{"level": "warning", "found": "perhaps", "mend": "mend second"}]


def test_only_and_skip_choose_and_a_wrong_name_gets_a_suggestion(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(
        monkeypatch,
        check("first", fine("")),
        check("second", fine("")),
        check("third", fine(""), applies=on_k3s, where="sites on K3s"),
    )

    def names(*words: str) -> list[str]:
        done = customers.xgen("preflight", "aww", "--json", *words)
        return [one["name"] for one in json.loads(done.stdout)["checks"]]

    assert names() == ["first", "second"]
    assert names("--skip", "first") == ["second"]
    assert names("--only", "second", "--only", "first") == ["first", "second"]
    done = customers.xgen("preflight", "aww", "--only", "secnd")
    assert done.exit_code == 2
    assert "did you mean second?" in " ".join(done.stderr.split())
    done = customers.xgen("preflight", "aww", "--only", "third")
    assert done.exit_code == 2
    assert "third is for sites on K3s" in " ".join(done.stderr.replace("│", " ").split())


def test_no_more_run_at_once_than_were_asked_for(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, lock, three = 0, 0, threading.Lock(), threading.Barrier(3, timeout=30)

    def look(_: Any) -> Iterator[Result]:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        three.wait()
        time.sleep(0.05)
        with lock:
            at_once -= 1
        yield fine("")

    checks(monkeypatch, *(Check(f"c{number}", "why", look, "mend") for number in range(9)))
    assert customers.xgen("preflight", "aww", "--parallel", "3").exit_code == 0
    assert most == 3


def test_a_check_without_end_is_left_behind_and_the_others_are_told(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = threading.Event()

    def look(_: Any) -> Iterator[Result]:
        until.wait(60)
        yield fine("too late")

    slow = Check("slow", "why", look, "look at the network", seconds=0.2)
    checks(monkeypatch, slow, *(check(f"c{number}", fine("")) for number in range(3)))
    started = time.monotonic()
    told = json.loads(customers.xgen("preflight", "aww", "--json", "--parallel", "1").stdout)
    until.set()
    assert time.monotonic() - started < 30
    assert [one["level"] for one in told["checks"]] == ["warning", "ok", "ok", "ok"]
    assert told["checks"][0]["results"] == [
        {"level": "warning", "found": "no answer within 0.2 s", "mend": "look at the network"}
    ]


def test_a_broken_check_hides_no_other_and_leaves_no_traceback(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_: Any) -> Iterator[Result]:
        yield fine("seen before")
        raise KeyError("x")

    checks(monkeypatch, Check("broken", "why", look, "mend"), check("other", fine("")))
    done = customers.xgen("preflight", "aww", "--json")
    told = json.loads(done.stdout)["checks"]
    assert [one["level"] for one in told] == ["error", "ok"]
    assert [one["found"] for one in told[0]["results"]] == [
        "seen before",
        "the check itself failed (KeyError)",
    ]
    assert "this is a bug in xgen" in done.stderr
    assert "Traceback" not in done.stderr
    log = Path(next(word for word in done.stderr.split() if word.endswith(".log:")).removesuffix(":"))
    assert "KeyError" in log.read_text()
    log.unlink()


def test_a_secret_that_was_read_is_shown_nowhere(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(scene: Any) -> Iterator[Result]:
        password = scene.secrets.need("postgresPassword")
        yield refuse(f"the server said: {password}", f"try {password}")

    checks(monkeypatch, Check("loud", "why", look, "mend"))
    for words in ((), ("--json",)):
        done = customers.xgen("preflight", "aww", *words)
        assert SECRETS["XGEN_POSTGRES_PASSWORD"] not in done.stdout + done.stderr
        assert "the server said: [secret]" in done.stdout


def test_an_unknown_site_is_wrong_usage(customers: Customers) -> None:
    done = customers.xgen("preflight", "awww")
    assert type(done.exception).__name__ == "UnknownSiteError"


def test_on_a_machine_that_reaches_nothing_every_check_of_every_site_says_what_to_do(
    customers: Customers,
) -> None:
    """The whole command, as a process: no check breaks, no secret is shown, and nothing is left behind."""
    before = {path: path.read_bytes() for path in customers.folder.rglob("*") if path.is_file()}
    seen: dict[str, set[str]] = {}
    for stack in ("aww", "lotteimall"):
        words = [sys.executable, "-m", "xgen_infra.cli", "-C", str(customers.folder), "preflight", stack]
        environment = {
            "PYTHONPATH": str(ROOT),
            "PATH": "/nowhere",
            "HOME": str(customers.folder.parent),
            "AWS_EC2_METADATA_DISABLED": "true",
            **SECRETS,
        }
        done = subprocess.run(
            [*words, "--json", "--seconds", "1", "--skip", "aws-permissions"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == ""
        told = json.loads(done.stdout)["checks"]
        seen[stack] = {one["name"] for one in told}
        for one in told:
            assert one["results"]
            assert all(result["mend"] for result in one["results"] if result["level"] != Level.OK)
        for secret in SECRETS.values():
            assert secret not in done.stdout
    assert {"aws-identity", "management-network", "images", "postgres"} <= seen["aww"] - seen[
        "lotteimall"
    ] | {"images"}
    assert {"cluster", "storage-class", "ingress-class", "metrics", "nodes"} <= seen["lotteimall"] - seen[
        "aww"
    ]
    after = {path: path.read_bytes() for path in customers.folder.rglob("*") if path.is_file()}
    assert after == before
