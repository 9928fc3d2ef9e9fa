"""Every verb of `xgen` by use: its help, the calls that it refuses, and that none of them ends in a fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from authoring.folder import ROOT, folder_of, xgen_here

from xgen_infra.cli import VERBS

SITES = ("aww", "lotteimall", "main")
NO_ENGINE = "there is no pulumi on PATH: install the Pulumi engine"
NO_STACK = "error: no stack named"
NO_FILE = "Pulumi.awww.yaml: did you mean 'aww'?"
NO_SITE = "there is no site 'awww': did you mean 'aww'?"
LOGIN = {"XGEN_REGISTRY_USERNAME": "x", "XGEN_REGISTRY_PASSWORD": "x"}
Call = tuple[str, int, str]

CALLS: list[Call] = [
    ("check awww", 2, "there is no Pulumi.awww.yaml: did you mean 'aww'?"),
    ("explain awww", 2, NO_FILE),
    ("explain aww xgen-core POSTGRES_HOST --from infra", 2, "leave SERVICE and VAR out"),
    ("new aww --kind k3s --no-input", 2, "Pulumi.aww.yaml is there already"),
    ("new A_B --kind k3s --no-input", 2, "'A_B': expected a stack's name"),
    ("import nowhere.yaml", 1, "nowhere.yaml"),
    ("preflight awww", 2, NO_FILE),
    ("preflight aww --only secnd", 2, "secnd"),
    ("bootstrap awww --gitlab g/x/y", 2, NO_FILE),
    ("bootstrap aww", 2, "name one of --gitlab and --principal"),
    ("bootstrap aww --gitlab g", 2, "expected HOST/GROUP/PROJECT"),
    ("bootstrap lotteimall --gitlab g/x/y", 1, "lotteimall is not on EKS: its state needs no AWS"),
    ("preview", 2, "Missing argument 'SITE'"),
    ("preview awww", 2, NO_FILE),
    ("preview aww --against HEAD", 1, "git"),
    ("rehearse awww", 2, NO_FILE),
    ("rehearse aww --delivery ftp", 2, "'ftp' is not one of"),
    ("render awww", 2, NO_FILE),
    ("mirror awww", 2, NO_FILE),
    ("mirror aww --dry-run", 1, "there is no credential for the customer's Git: set XGEN_GIT_PASSWORD"),
    ("wait awww", 2, NO_FILE),
    ("wait lotteimall --kubeconfig nowhere", 1, "the kubeconfig of lotteimall (nowhere) cannot be used"),
    ("wait aww --timeout -1", 2, "greater than or equal to 0"),
    ("runbook aww --json", 2, "--json and --kubeconfig go with --check"),
    ("runbook aww --outputs nowhere.json", 1, "nowhere.json: No such file or directory"),
    ("handover awww", 2, NO_FILE),
    ("handover aww --timeout 0", 2, "greater than or equal to 1"),
    ("images awww", 2, NO_FILE),
    ("destroy aww --yes", 1, NO_ENGINE),
    ("recover aww", 1, NO_ENGINE),
    ("rotate-keys awww", 2, NO_FILE),
    ("rotate-keys lotteimall", 1, "lotteimall is not on EKS"),
    ("drift awww", 2, NO_FILE),
    ("support-bundle awww", 2, NO_FILE),
    ("sites nowhere", 2, "unexpected extra argument"),
    ("build-plan --site awww", 2, "awww"),
    ("build-plan --service xgen-cor", 2, "'xgen-cor' is not one of"),
    ("registry-login awww", 2, NO_SITE),
    ("promote awww", 2, NO_SITE),
    ("promote aww nobody", 1, "there is no service 'nobody': the services are xgen-frontend,"),
    ("promote aww --commit --push", 2, "choose one of --dry-run, --commit and --push"),
    ("affected", 2, "Missing option '--against'"),
    ("affected --against nowhere", 1, "git"),
    ("pipeline awww", 2, "did you mean 'aww'"),
    ("pipeline --kind nothing", 2, "'nothing' is not one of"),
    ("comment", 2, "Missing argument 'FILE'"),
    ("comment nowhere.md", 1, "nowhere.md: No such file or directory"),
]
DONE: list[Call] = [
    ("check", 0, "3 files, 0 errors, 0 warnings"),
    ("render aww", 0, "POSTGRES_HOST"),
    ("images lotteimall", 0, "valkey"),
    ("sites", 0, "lotteimall"),
    ("build-plan --site lotteimall --service xgen-core", 0, "xgen/lotteimall/xgen-core"),
    ("pipeline --kind drift --output child.yml", 0, "3 of 3 customers"),
    ("rehearse aww --stop nowhere", 0, "nothing was running"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return folder_of(tmp_path, *SITES)


def call(folder: Path, words: str, status: int, says: str) -> None:
    done = xgen_here(
        folder, *words.split(), PATH=str(folder / "bin"), KUBECONFIG=str(folder / "none"), **LOGIN
    )
    shown = done.stdout + done.stderr
    assert says in shown, shown
    assert done.returncode == status, shown
    assert "Traceback" not in shown
    assert "bug in xgen" not in shown


def test_every_verb_is_called() -> None:
    assert {words.split()[0] for words, _, _ in CALLS} == set(VERBS)


@pytest.mark.parametrize(("words", "status", "says"), CALLS, ids=[words for words, _, _ in CALLS])
def test_a_call_that_cannot_be_is_refused_in_words(words: str, status: int, says: str, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    call(folder, words, status, says)
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(("words", "status", "says"), DONE, ids=[words for words, _, _ in DONE])
def test_a_verb_that_needs_no_server_does_its_work(words: str, status: int, says: str, folder: Path) -> None:
    call(folder, words, status, says)


@pytest.mark.parametrize("verb", VERBS)
def test_a_misspelt_option_is_refused(verb: str, folder: Path) -> None:
    call(folder, f"{verb} --no-such-option", 2, "No such option: --no-such-option")


def engine(folder: Path, script: str) -> None:
    """Put a program called pulumi in the place of the engine."""
    program = folder / "bin" / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize("words", ["destroy aww --yes", "recover aww", "drift aww", "rotate-keys aww"])
def test_what_the_engine_says_reaches_whoever_asked(words: str, folder: Path) -> None:
    engine(folder, "echo \"error: no stack named 'aww' found\" >&2; exit 255")
    call(folder, words, 1, NO_STACK)


@pytest.mark.parametrize(("answer", "status"), [(b"aww\n", 0), (b"lotteimall\n", 1), (b"", 1)])
def test_destroy_goes_on_where_the_site_is_named_and_not_otherwise(
    answer: bytes, status: int, folder: Path
) -> None:
    engine(folder, """echo '{"deployment": {"resources": []}}'""")
    done = xgen_here(folder, "destroy", "aww", given=answer, PATH=str(folder / "bin"))
    assert "This removes 0 resources. The site's name, to go on: " in done.stdout
    assert done.returncode == status
    assert ("network: 0 removed" in done.stdout or "network: nothing left" in done.stdout) == (status == 0)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_reads_well(verb: str) -> None:
    shown = xgen_here(ROOT, verb, "--help").stdout
    usage, _, rest = shown.partition("\n\n")
    assert usage.startswith(f"Usage: xgen {verb} [OPTIONS]")
    assert not re.findall(r"\{[a-z]+\}|[a-z]+\.\.\.", usage)
    sentence = rest.strip().split("\n\n")[0]
    assert re.match(r"[A-Z]", sentence)
    assert sentence.endswith((".", "?"))
    options = rest.partition("Options:\n")[2]
    flags = re.findall(r"^  (?:-\w, )?(--[\w-]+[^\n]*)(?:\n {4,}(\S[^\n]*))?", options, re.MULTILINE)
    assert flags
    assert [flag for flag, below in flags if not re.search(r"  +\S", flag) and not below] == []


def test_the_list_of_verbs_cuts_no_sentence_off() -> None:
    words = " ".join(xgen_here(ROOT, "--help", COLUMNS="80").stdout.split())
    assert [verb.summary for verb in VERBS.values() if verb.summary not in words] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_how_to_complete(shell: str) -> None:
    done = xgen_here(ROOT, _XGEN_COMPLETE=f"source_{shell}")
    assert f"_XGEN_COMPLETE=complete_{shell}" in done.stdout
    assert done.returncode == 0
