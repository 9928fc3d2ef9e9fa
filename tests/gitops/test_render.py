"""`xgen render`: the same file gives the same bytes, made of that file alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from xgen_infra import catalog
from xgen_infra.delivery import services
from xgen_infra.folder import read_site
from xgen_infra.mirror.content import chart_files, content
from xgen_infra.mirror.folder import FolderError, write

from .conftest import ROOT, Customers

STACKS = ("aww", "lotteimall", "main")


def rendered(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_two_runs_give_the_same_bytes_without_network_engine_or_credential(
    customers: Customers, tmp_path: Path
) -> None:
    customers.environment.clear()
    for name in ("one", "two"):
        done = customers.xgen(
            "render",
            "aww",
            "--out",
            str(tmp_path / name),
            PATH="",
            PYTHONHASHSEED=str(len(name) + ord(name[0])),
        )
        assert done.returncode == 0, done.stderr
    assert rendered(tmp_path / "one") == rendered(tmp_path / "two")
    assert rendered(tmp_path / "one") == content(read_site(customers.folder, "aww")[1])


def test_without_a_folder_the_values_are_shown(customers: Customers) -> None:
    done = customers.xgen("render", "aww")
    shown = list(yaml.safe_load_all(done.stdout))
    assert [values["name"] for values in shown] == list(catalog.NAMES)
    assert {values["global"]["registry"]["site"] for values in shown} == {"aww"}


def test_a_second_rendering_takes_the_place_of_the_first(tmp_path: Path) -> None:
    files = content(read_site(ROOT, "aww")[1])
    write({**files, "values/xgen-gone.yaml": b"name: xgen-gone\n"}, tmp_path / "out")
    write(files, tmp_path / "out")
    assert rendered(tmp_path / "out") == files


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    before = rendered(tmp_path)
    with pytest.raises(FolderError, match=r"letters\.txt"):
        write(content(read_site(ROOT, "aww")[1]), tmp_path)
    assert rendered(tmp_path) == before


def test_what_lies_about_in_the_charts_folder_is_not_published(tmp_path: Path) -> None:
    chart = tmp_path / "xgen-service"
    shutil.copytree(ROOT / "charts" / "xgen-service", chart)
    before = chart_files(chart)
    for name in (
        ".DS_Store",
        "notes.md",
        "templates/deployment.yaml.orig",
        "files/__pycache__/x.pyc",
        ".env",
    ):
        (chart / name).parent.mkdir(exist_ok=True)
        (chart / name).write_text("secret")
    assert chart_files(chart) == before


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", catalog.NAMES)
def test_every_value_goes_one_way_by_git_or_with_the_stack(stack: str, service: catalog.ServiceName) -> None:
    site = read_site(ROOT, stack)[1]
    by_git = services.from_git(site, service)
    with_stack = services.overlay(site, service, {})
    assert not by_git.keys() & with_stack.keys()
    assert with_stack.keys() <= set(services.WITH_THE_STACK)
    assert services.whole(site, service, {}) == by_git | with_stack


@pytest.mark.parametrize("stack", STACKS)
def test_what_goes_by_git_knows_no_output_and_no_secret(stack: str) -> None:
    file, site = read_site(ROOT, stack)
    published = b"".join(content(site).values())
    outputs = services.output_env(site, {})
    plain = {key: value for key, value in outputs.items() if len(str(value)) > 5}
    values = b"".join(data for path, data in content(site).items() if path.startswith("values/"))
    assert not [key for key, value in plain.items() if f"{key}: {value}".encode() in values]
    secure = [line.split()[1] for line in file.path.read_text().splitlines() if "secure:" in line]
    assert secure
    assert not [value for value in secure if value.encode() in published]
