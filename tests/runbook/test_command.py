"""`xgen runbook` as people and pipelines call it: outputs piped in or read, pages, checks, exit status, refusals."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from authoring.folder import XGEN, environment, xgen_here

from .cluster_stub import APPS, SPACE, kubeconfig, serving, well

Outputs = Callable[[str], dict[str, Any]]
NOWHERE = "http://127.0.0.1:9"


def runbook(
    folder: Path, *words: str, given: Any = None, status: int = 0, process: bool = False, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it where no customer's file is; `given` (bytes, or data as JSON) is its standard input.

    `process`: as a program of its own, between the ends of real pipes.
    """
    told = given if isinstance(given, bytes) else json.dumps(given).encode() if given is not None else b""
    place = {"HOME": str(folder), "KUBECONFIG": str(folder / "none"), "AWS_EC2_METADATA_DISABLED": "true"}
    if process:
        command = [XGEN, "runbook", *words]
        found = subprocess.run(
            command, cwd=folder, input=told, capture_output=True, check=False, env=environment(**place)
        )
        code, out, err = found.returncode, found.stdout.decode(), found.stderr.decode()
        done = subprocess.CompletedProcess(command, code, out, err)
    else:
        done = xgen_here(folder, "runbook", *words, given=told, **place, **variables)
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    assert "bug in xgen" not in done.stderr
    return done


def test_outputs_that_are_piped_in_become_markdown_on_standard_output(
    outputs: Outputs, tmp_path: Path
) -> None:
    done = runbook(tmp_path, "-", given=outputs("aww"), process=True)
    assert done.stdout.startswith("# Runbook: aww\n")
    assert "kubectl --context xgen-aww get nodes" in done.stdout
    assert "<svg" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_site_that_is_named_takes_its_own_outputs_and_refuses_anothers(
    outputs: Outputs, tmp_path: Path
) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps(outputs("lotteimall")))
    piped = runbook(tmp_path, "lotteimall", "--outputs", "-", given=outputs("lotteimall"))
    assert piped.stdout == runbook(tmp_path, "lotteimall", "--outputs", "outputs.json").stdout
    refused = runbook(tmp_path, "aww", "--outputs", "-", given=outputs("lotteimall"), status=1)
    assert "standard input: these are the outputs of the stack lotteimall, not of aww" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize("name", ["aww.html", "aww.HTM"])
def test_a_page_is_one_html_file_and_nothing_beside_it(name: str, outputs: Outputs, tmp_path: Path) -> None:
    done = runbook(tmp_path, "-", "--output", name, given=outputs("aww"))
    assert (done.stdout, done.stderr) == ("", f"{name} is written\n")
    assert [file.name for file in tmp_path.iterdir()] == [name]
    page = (tmp_path / name).read_text()
    assert page.startswith("<!doctype html>")
    assert page == runbook(tmp_path, "-", "--format", "html", given=outputs("aww")).stdout


def test_markdown_in_a_file_has_its_drawing_beside_it(outputs: Outputs, tmp_path: Path) -> None:
    runbook(tmp_path, "-", "--output", "aww.md", given=outputs("aww"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aww.md", "aww.svg"]
    assert "![Architecture of aww](aww.svg)" in (tmp_path / "aww.md").read_text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_another_shell_redirected_is_read_all_the_same(
    encoding: str, outputs: Outputs, tmp_path: Path
) -> None:
    given = outputs("aww") | {"description": "본점 플랫폼"}
    done = runbook(tmp_path, "-", given=json.dumps(given, ensure_ascii=False).encode(encoding))
    assert "본점 플랫폼. Ask: platform@aww.example." in done.stdout


NO_OUTPUTS = [
    (b"", "standard input: found nothing; expected what `pulumi stack output --json --stack SITE` prints"),
    (b'{"stack": "aww",\n  "kind" "eks"}', "standard input:2:10: found no JSON"),
    (b"error: no stack named 'aww' found", "standard input:1:1: found no JSON"),
    (b'{"stack": "\xff\xfe"}', "standard input: found no JSON"),
    (b"[" * 100_000, "standard input: found no JSON"),
    (b"[1]", "standard input: expected one JSON object"),
    (b"{}", "standard input: the stack has no outputs: `pulumi up` makes them"),
    (b'{"url": "https://example.com"}', "no output stack, kind, delivery, namespace"),
]


@pytest.mark.parametrize(("given", "says"), NO_OUTPUTS)
def test_what_are_no_outputs_is_refused_with_the_place(given: bytes, says: str, tmp_path: Path) -> None:
    done = runbook(tmp_path, "-", given=given, status=1)
    assert says in done.stderr
    assert done.stdout == ""
    (tmp_path / "given.json").write_bytes(given)
    read = runbook(tmp_path, "aww", "--outputs", "given.json", status=1)
    assert read.stderr == done.stderr.replace("standard input", "given.json")


@pytest.mark.parametrize("words", [[], ["--output", "aww.html"], ["--output", "aww.md"], ["--check"]])
def test_an_output_that_is_missing_refuses_the_whole_and_is_named(
    words: list[str], outputs: Outputs, tmp_path: Path
) -> None:
    given = outputs("aww")
    del given["bucket"]
    done = runbook(tmp_path, "-", *words, given=given, status=1)
    assert "  restore-a-document: bucket" in done.stderr.splitlines()
    assert "`pulumi up` with this version of xgen-infra makes every output" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"generations": "two"}, "the output generations is 'two'; expected an object"),
        ({"domain": 7}, "the output domain is 7; expected text"),
        ({"certificate": ["arn"]}, "the output certificate is a list; expected an object"),
    ],
)
def test_an_output_of_another_kind_is_refused_by_name(
    change: dict[str, Any], says: str, outputs: Outputs, tmp_path: Path
) -> None:
    done = runbook(tmp_path, "-", given=outputs("aww") | change, status=1)
    assert f"standard input: {says}" in done.stderr


WRONG_USAGE = [
    ([], 2, "Missing argument 'SITE|-'"),
    (["-", "--json"], 2, "--json and --kubeconfig go with --check"),
    (["-", "--kubeconfig", "x"], 2, "--json and --kubeconfig go with --check"),
    (["-", "--format", "pdf"], 2, "'pdf' is not one of"),
    (["-", "--outptu", "x"], 2, "No such option: --outptu"),
    (["aww", "--outputs", "nowhere.json"], 1, "nowhere.json: No such file or directory"),
    (["-", "--output", "nowhere/aww.html"], 1, "nowhere/aww.html: No such file or directory"),
    (["-", "--output", "."], 2, ". is a folder: name a file in it"),
]


@pytest.mark.parametrize(("words", "status", "says"), WRONG_USAGE)
def test_a_wrong_call_says_what_is_wrong(
    words: list[str], status: int, says: str, outputs: Outputs, tmp_path: Path
) -> None:
    done = runbook(tmp_path, *words, given=outputs("aww"), status=status)
    assert says in done.stderr
    assert done.stdout == ""


def test_without_the_engine_it_says_what_to_install(tmp_path: Path) -> None:
    done = runbook(tmp_path, "aww", status=1, PATH=str(tmp_path))
    assert done.stderr.startswith("xgen: there is no pulumi on PATH: install the Pulumi engine")


def test_a_cluster_in_good_order_ends_a_check_with_status_zero(outputs: Outputs, tmp_path: Path) -> None:
    given = outputs("lotteimall")
    with serving(well(given), tmp_path) as file:
        done = runbook(tmp_path, "-", "--check", "--kubeconfig", str(file), given=given, process=True)
    *steps, told = done.stdout.splitlines()
    assert "ok       reach-the-cluster: 1 node, all Ready" in steps
    assert re.fullmatch(rf"{len(steps) - 1} ok, 1 not run", told)
    (idle,) = (line for line in steps if line.startswith("not run"))
    assert idle.startswith("not run  the-state-is-locked: the outputs came from elsewhere")


def test_a_step_that_would_fail_ends_a_check_with_status_one_and_marks_the_page(
    outputs: Outputs, tmp_path: Path
) -> None:
    given = outputs("lotteimall")
    objects = well(given)
    objects[f"{APPS}{SPACE}/deployments"][2]["status"]["readyReplicas"] = 0
    words = ("-", "--check", "--json", "--output", "mart.html")
    with serving(objects, tmp_path) as file:
        done = runbook(tmp_path, *words, "--kubeconfig", str(file), given=given, status=1, process=True)
    told = json.loads(done.stdout)
    assert told["stack"] == "lotteimall"
    steps = {one["step"]: one for one in told["steps"]}
    assert steps["see-the-services"]["state"] == "failed"
    assert "xgen-core" in steps["see-the-services"]["saw"]
    assert steps["reach-the-cluster"]["state"] == "ok"
    page = (tmp_path / "mart.html").read_text()
    for state in ("ok", "failed"):
        marks = page.count(f'class="state {state}"')
        assert marks == sum(one["state"] == state for one in told["steps"]) > 0


def test_a_cluster_that_does_not_answer_fails_once(outputs: Outputs, tmp_path: Path) -> None:
    silent = kubeconfig(tmp_path, NOWHERE)
    words = ("-", "--check", "--kubeconfig", str(silent))
    done = runbook(tmp_path, *words, given=outputs("lotteimall"), status=1)
    states = [line[:8].strip() for line in done.stdout.splitlines()[:-1]]
    assert states == ["failed", *["not run"] * (len(states) - 1)]
    assert "does not answer" in done.stdout
    absent = runbook(tmp_path, *words[:3], "absent", given=outputs("lotteimall"), status=1)
    assert "the kubeconfig of lotteimall (absent) cannot be used" in absent.stdout


def test_a_secret_that_is_piped_in_is_in_nothing_that_is_written(outputs: Outputs, tmp_path: Path) -> None:
    given = outputs("aww") | {"kubeconfig": "canary-kubeconfig"}
    shown = runbook(tmp_path, "-", given=given).stdout
    shown += runbook(tmp_path, "-", "--format", "html", given=given).stdout
    assert "canary-kubeconfig" not in shown
    assert len(shown) > 10_000
