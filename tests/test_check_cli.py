"""The `xgen` command as people and pipelines call it: output, exit status, and never a traceback."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checking import SAMPLES, folder_with, sample
from test_check_fields import WRONG as WRONG_FIELDS
from test_check_keys import WRONG as WRONG_KEYS
from test_check_rules import REFUSED

from xgen_infra import cli
from xgen_infra.findings import Finding, Refused

XGEN = Path(sys.executable).with_name("xgen")
REPOSITORY = Path(__file__).parent.parent


def xgen(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "100"}
    return subprocess.run(
        [XGEN, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    text = (
        sample("cloud")
        .replace("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.40.0.0/8")
        .replace("max: 4\n", "max: 0\n")
    )
    return folder_with(tmp_path, {"cloud": text, "vendors": sample("vendors")})


def test_good_files_end_in_status_zero_and_one_line() -> None:
    result = xgen(SAMPLES, "check")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "4 files, 0 errors, 0 warnings\n"


def test_the_files_of_this_repository_are_good() -> None:
    assert xgen(REPOSITORY, "check").returncode == 0


def test_a_wrong_file_ends_in_status_one_and_a_line_for_each_finding(wrong: Path) -> None:
    result = xgen(wrong, "check")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        (
            "Pulumi.cloud.yaml:29:16: cluster.vpcCidr: found '10.40.0.0/8'; the address has bits set beyond its prefix: "
            "write '10.0.0.0/8'"
        ),
        "Pulumi.cloud.yaml:38:14: cluster.nodes.max: found the number 0; expected a whole number from 1 to 1000",
    ]
    assert result.stderr == "2 files, 2 errors, 0 warnings\n"


def test_a_check_of_a_right_site_is_not_failed_by_a_wrong_one(wrong: Path) -> None:
    assert xgen(wrong, "check", "vendors").returncode == 0
    assert xgen(wrong, "check", "cloud").returncode == 1


def test_warnings_leave_the_status_zero(tmp_path: Path) -> None:
    text = sample("cloud").replace("vpcCidr: 10.40.0.0/16", "vpcCidr: 192.168.0.0/16")
    result = xgen(folder_with(tmp_path, {"cloud": text}), "check")
    assert result.returncode == 0
    assert ": warning: cluster.vpcCidr: found" in result.stdout


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_has_every_finding_with_its_place(wrong: Path, option: list[str]) -> None:
    result = xgen(wrong, "check", *option)
    data = json.loads(result.stdout)
    assert (data["files"], data["errors"], data["warnings"]) == (2, 2, 0)
    assert [(one["file"], one["line"], one["path"]) for one in data["findings"]] == [
        ("Pulumi.cloud.yaml", 29, "cluster.vpcCidr"),
        ("Pulumi.cloud.yaml", 38, "cluster.nodes.max"),
    ]
    assert {one["severity"] for one in data["findings"]} == {"error"}


def test_gitlabs_report_names_file_line_and_a_fingerprint_that_moves_with_the_finding(wrong: Path) -> None:
    first = json.loads(xgen(wrong, "check", "--format", "gitlab").stdout)
    assert [one["location"] for one in first] == [
        {"path": "Pulumi.cloud.yaml", "lines": {"begin": line}} for line in (29, 38)
    ]
    assert {one["severity"] for one in first} == {"major"}
    assert all(one["description"] and one["check_name"] for one in first)
    file = wrong / "Pulumi.cloud.yaml"
    file.write_text("# one more line\n" + file.read_text())
    second = json.loads(xgen(wrong, "check", "--format", "gitlab").stdout)
    assert [one["location"]["lines"]["begin"] for one in second] == [30, 39]
    assert [one["fingerprint"] for one in second] == [one["fingerprint"] for one in first]
    assert len({one["fingerprint"] for one in first}) == 2


def test_every_wrong_file_of_these_tests_is_refused_by_the_command_at_its_line(tmp_path: Path) -> None:
    table = [*WRONG_FIELDS, *WRONG_KEYS, *(one for wrongs in REFUSED.values() for one in wrongs)]
    table = [one for one in table if "@@" in one.new]
    assert len(table) > 200
    files = {f"{one.stack}{number}": one.text for number, one in enumerate(table)}
    result = xgen(folder_with(tmp_path, files), "check", "--json")
    assert result.returncode == 1
    told = {(one["file"], one["line"], one["path"]) for one in json.loads(result.stdout)["findings"]}
    expected = {
        (f"Pulumi.{one.stack}{number}.yaml", one.place[0], one.path) for number, one in enumerate(table)
    }
    assert expected - told == set()


def test_another_folder_is_named_by_an_option() -> None:
    result = xgen(Path.cwd(), "-C", str(SAMPLES), "check", "cloud")
    assert (result.returncode, result.stderr) == (0, "1 file, 0 errors, 0 warnings\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "clowd"], "there is no Pulumi.clowd.yaml: did you mean 'cloud'?"),
        (["chekc"], "Did you mean 'check'?"),
        (["check", "--frmat", "json"], "No such option: --frmat"),
        (["check", "--format", "xml"], "'xml' is not one of"),
        (["-C", "/nowhere", "check"], "/nowhere: No such file or directory"),
    ],
)
def test_wrong_usage_ends_in_status_two(arguments: list[str], says: str) -> None:
    result = xgen(SAMPLES, *arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_customers_says_so(tmp_path: Path) -> None:
    result = xgen(folder_with(tmp_path, {}), "check")
    assert result.returncode == 2
    assert "there is no Pulumi.<stack>.yaml" in result.stderr


def test_a_folder_without_project_says_so_also_as_json(tmp_path: Path) -> None:
    result = xgen(tmp_path, "check", "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["findings"][0]["file"] == "Pulumi.yaml"


def test_two_files_of_one_stack_are_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"vendors": sample("vendors")})
    (folder / "Pulumi.vendors.yml").write_text(sample("vendors"))
    result = xgen(folder, "check")
    assert result.returncode == 1
    assert "the stack vendors a second time" in result.stdout


def test_help_lists_every_verb_and_needs_no_folder(tmp_path: Path) -> None:
    for arguments in (["--help"], []):
        result = xgen(tmp_path, *arguments)
        for name, verb in cli.VERBS.items():
            assert name in result.stdout + result.stderr
            assert verb.summary[:20] in result.stdout + result.stderr


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_of_the_table_exists(verb: str) -> None:
    module, _, attribute = cli.VERBS[verb].target.partition(":")
    found = importlib.util.find_spec(module)
    assert found
    assert found.origin
    body = ast.parse(Path(found.origin).read_text(encoding="utf-8")).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    names = {
        name.id
        for node in body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    assert attribute in functions | names


def test_a_check_imports_neither_the_engines_library_nor_a_clients() -> None:
    code = (
        "import sys; from xgen_infra.cli import main; sys.argv = ['xgen', 'check']\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print([name for name in ('pulumi', 'boto3', 'kubernetes', 'httpx', 'jinja2', 'rich') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=SAMPLES, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-2:] == ["0", "[]"]


def test_a_reader_who_has_seen_enough_ends_the_output_quietly(tmp_path: Path) -> None:
    text = "config:\n" + "".join(f"  aws:key{n}: x\n" for n in range(5000))
    folder = folder_with(tmp_path, {"x": text})
    with subprocess.Popen(
        [XGEN, "check"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


COMPLETED = [
    ("xgen che", ["check"]),
    ("xgen check cl", ["cloud"]),
    ("xgen explain on", ["onprem"]),
    ("xgen rehearse v", ["vendors"]),
    ("xgen new --sec", ["--secret-file", "--secrets-provider"]),
]


@pytest.mark.parametrize(("words", "completed"), COMPLETED)
def test_the_shell_completes_verbs_and_sites(words: str, completed: list[str]) -> None:
    environment = {**os.environ, "_XGEN_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(words.count(" "))
    result = subprocess.run([XGEN], cwd=SAMPLES, capture_output=True, text=True, check=False, env=environment)
    assert result.stdout.split() == completed


def _fails(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> object:
    def verb() -> None:
        raise error

    module = type(sys)("xgen_test_verb")
    module.verb = verb  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xgen_test_verb", module)
    monkeypatch.setitem(cli.VERBS, "fail", cli.Verb("xgen_test_verb:verb", "Fail."))
    monkeypatch.setattr(sys, "argv", ["xgen", "fail"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_a_bug_ends_in_one_sentence_and_a_log_with_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert _fails(monkeypatch, RuntimeError("boom")) == 1
    (log,) = tmp_path.iterdir()
    shown = capsys.readouterr().err
    assert "this is a bug in xgen (RuntimeError)" in shown
    assert str(log) in shown
    assert "Traceback" not in shown
    assert "RuntimeError: boom" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


EXPECTED = [
    (Refused([Finding("f", 3, 1, "p", "x")]), 1, "f:3:1: p: found x\n"),
    (
        PermissionError(13, "Permission denied", "Pulumi.x.yaml"),
        1,
        "xgen: Pulumi.x.yaml: Permission denied\n",
    ),
    (KeyboardInterrupt(), 130, ""),
]


@pytest.mark.parametrize(("error", "status", "says"), EXPECTED, ids=lambda value: type(value).__name__)
def test_an_expected_failure_is_told_by_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    says: str,
) -> None:
    assert _fails(monkeypatch, error) == status
    assert capsys.readouterr().err == says
