"""Every licence is known, and allowed or waived by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xgen_infra import licences, versions
from xgen_infra.licences import (
    CHARTS,
    IMAGES,
    LOCKS,
    WAIVERS,
    Licence,
    allowed,
    go_modules,
    locked,
    pinned_images,
    spdx,
)
from xgen_infra.versions import Chart

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def listed() -> dict[str, Licence]:
    text = (ROOT / licences.DOCUMENT).read_text(encoding="utf-8")
    return {name: Licence(name, told.strip(), use.strip()) for name, told, use, _ in ROW.findall(text)}


def test_the_page_lists_all_that_is_locked_built_or_installed_and_nothing_else(
    listed: dict[str, Licence],
) -> None:
    packages = {name for lock in LOCKS.values() for name in locked(ROOT / lock)}
    images = {f"{image.registry}/{image.repository}" for image in pinned_images()}
    text = (ROOT / licences.DOCUMENT).read_text(encoding="utf-8")
    assert [lock for lock in licences.other_locks(ROOT) if f"`{lock}`" not in text] == [], (
        "run: make licences"
    )
    charts = {one.name for one in vars(versions).values() if isinstance(one, Chart)}
    assert set(listed) == packages | images | charts | set(go_modules(ROOT)), "run: make licences"


def test_packages_tell_the_licence_that_the_page_says(listed: dict[str, Licence]) -> None:
    here = licences.installed()
    assert len(here) > 100
    drifted = {
        name: told for name, told in here.items() if name in listed and listed[name].expression != told
    }
    assert drifted == {}, "run: make licences"


def test_nothing_is_unknown_or_forbidden(listed: dict[str, Licence]) -> None:
    assert {name: one.expression for name, one in listed.items() if not one.allowed} == {}


def test_a_waiver_is_for_something_that_is_there_and_needs_it(listed: dict[str, Licence]) -> None:
    assert [name for name in WAIVERS if name not in listed or allowed(listed[name].expression)] == []
    text = (ROOT / licences.DOCUMENT).read_text(encoding="utf-8")
    assert [name for name, why in WAIVERS.items() if why not in text] == []
    names = {f"{image.registry}/{image.repository}" for image in pinned_images()}
    assert set(IMAGES) == names
    assert set(CHARTS) == {one.name for one in vars(versions).values() if isinstance(one, Chart)}


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-2.0-or-later", True),
        ("MIT AND BSD-3-Clause", True),
        ("MIT AND GPL-3.0-only", False),
        ("LGPL-3.0-only", False),
        ("AGPL-3.0-only OR SSPL-1.0", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_one_side_of_a_choice_and_every_part_of_a_whole_has_to_be_allowed(
    expression: str, fits: bool
) -> None:
    assert allowed(expression) is fits
    assert Licence("something", expression, "program").allowed is fits


def test_classifiers_are_read_as_spdx() -> None:
    assert spdx("Apache Software License; BSD License") == "Apache-2.0 AND BSD-3-Clause"
    assert spdx("MIT License") == "MIT"
    assert spdx("Something of our own") == "Something of our own"


@pytest.mark.e2e
def test_the_tools_modules_bear_the_licence_that_the_page_says(listed: dict[str, Licence]) -> None:
    told = {one.name: one.expression for one in licences.go()}
    assert told == {name: listed[name].expression for name in go_modules(ROOT)}
    assert len(told) >= 8
