"""The documents are true: what they name exists, what is generated is fresh, the example is a right file."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from xgen_infra.cli import VERBS, application
from xgen_infra.passphrase import Vault
from xgen_infra.reference import DOCUMENTS, renewed
from xgen_infra.secrets_catalog import SECRETS

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
EXAMPLE = re.compile(r"```yaml\n# (Pulumi\.\w+\.yaml)\n(.*?)```", re.DOTALL)
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_of(name: str) -> list[str]:
    """Return every line of a block, and every code span, of a page."""
    text = text_of(name)
    blocks = [line for found in FENCED.finditer(text) for line in found[3].splitlines()]
    rest = FENCED.sub("", text)
    indented = [line for line in rest.splitlines() if line.startswith("    ")]
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", rest)]
    return [line.strip() for line in (*blocks, *indented, *spans)]


def commands(name: str, program: str) -> list[list[str]]:
    """Return the words of each command of a program that a page names, `$(xgen …)` included."""
    found = []
    for line in code_of(name):
        for part in re.split(r"\$\(|&&|\|", line.split("  #")[0]):
            words = part.strip().strip('")').split()
            if words and words[0].removeprefix(".venv/bin/") == program:
                found.append(words[1:])
    return found


@lru_cache
def help_of(*verb: str) -> str:
    shown = CliRunner().invoke(
        application(), [*verb, "--help"], env={"COLUMNS": "200"}, catch_exceptions=False
    )
    assert shown.exit_code == 0, shown.output
    return shown.output


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_generated_parts_are_fresh(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "<!-- generated: " in text
    assert text == renewed(text), "run: python -m xgen_infra.reference"


def test_the_secrets_page_names_every_key() -> None:
    assert [
        secret.config_key for secret in SECRETS if secret.config_key not in text_of("docs/secrets.md")
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_verbs_and_options_that_a_page_names_exist(name: str) -> None:
    wrong = []
    for words in commands(name, "xgen"):
        verb = words[0] if words and not words[0].startswith("-") else None
        if verb is not None and verb not in VERBS:
            wrong.append(f"no verb {verb}")
            continue
        known = set(re.findall(r"(?<![\w-])--?[A-Za-z][a-z-]*", help_of(*([verb] if verb else []))))
        wrong += [
            f"{verb}: no option {word}"
            for word in words
            if re.match(r"--?[a-zA-Z]", word) and word not in known
        ]
    assert wrong == []


def test_the_pages_are_read_for_commands() -> None:
    assert ["rehearse", "aww", "--env"] in commands("docs/tasks/rehearse.md", "xgen")
    assert ["check", "example"] in commands("docs/tasks/add-a-customer.md", "xgen")
    assert ["rehearse"] in [words[:1] for words in commands("README.md", "make")]


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_that_a_page_names_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", text_of("Makefile"), re.MULTILINE))
    asked = {words[0] for words in commands(name, "make") if words}
    assert asked <= targets


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_page_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", FENCED.sub("", text_of(name)))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_files_and_modules_that_a_page_names_exist(name: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", FENCED.sub("", text_of(name)))
    paths = [
        span
        for span in spans
        if re.fullmatch(r"(docs|tests|tools|xgen_infra|charts|bench|ci|schemas)/[\w./-]+", span)
    ]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    modules = re.findall(r"python -m (xgen_infra[\w.]*|bench)", text_of(name))
    files = [ROOT / module.replace(".", "/") for module in modules]
    assert [
        file for file in files if not (file.with_suffix(".py").is_file() or (file / "__main__.py").is_file())
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_yaml_on_a_page_is_yaml(name: str) -> None:
    for _, language, body in FENCED.findall(text_of(name)):
        if language == "yaml":
            assert isinstance(yaml.safe_load(body), dict)


def test_the_example_of_the_readme_is_a_right_file(tmp_path: Path) -> None:
    (found,) = EXAMPLE.findall(text_of("README.md"))
    vault = Vault.new("example")
    sealed = "".join(
        f"  {key}: {{secure: '{vault.encrypt('example')}'}}\n"
        for key in (secret.config_key for secret in SECRETS)
        if key.partition(":")[2]
        in {"registryPassword", "gitPassword", "postgresPassword", "redisPassword", "qdrantApiKey"}
    )
    (tmp_path / "Pulumi.yaml").write_text(text_of("Pulumi.yaml"))
    (tmp_path / found[0]).write_text(f"{found[1]}{sealed}encryptionsalt: {vault.encryption_salt}\n")
    checked = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(tmp_path), "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout + checked.stderr == "1 file, 0 errors, 0 warnings\n"
    assert checked.returncode == 0


def test_the_index_leads_to_every_page() -> None:
    linked = {
        (ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", text_of("docs/README.md"))
    }
    assert {page.relative_to(ROOT).as_posix() for page in set((ROOT / "docs").rglob("*.md")) - linked} == {
        "docs/README.md"
    }


def test_decisions_are_numbered_without_gap() -> None:
    numbers = sorted(int(page.name[:4]) for page in (ROOT / "docs" / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    for page in (ROOT / "docs" / "adr").glob("*.md"):
        assert page.read_text(encoding="utf-8").startswith(f"# {int(page.name[:4])}. ")


def test_the_map_of_the_house_shows_every_package() -> None:
    house = text_of("CONTRIBUTING.md").partition("## The map of the house")[2].partition("## How to add")[0]
    packages = [init.parent.name for init in (ROOT / "xgen_infra").glob("*/__init__.py")]
    assert [package for package in packages if f"{package}/" not in house] == []
    rows = [
        re.split(r"\s{2,}", line.strip())[0]
        for line in house.splitlines()
        if re.match(r"\s*[\w/.]+( |/)", line)
    ]
    named = {word for row in rows for word in row.split() if re.fullmatch(r"[\w-]+/|\w+\.py", word)}
    present = {f"{path.name}/" if path.is_dir() else path.name for path in ROOT.glob("xgen_infra/**/*")}
    top = {f"{path.name}/" for path in ROOT.iterdir()} | {"__main__.py", "xgen-service/"}
    assert len(named) > 30
    assert named - present - top == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_carries_nothing_of_one_machine(name: str) -> None:
    assert re.findall(r"/(?:root|work|tmp)/|/home/\w+", text_of(name)) == []
