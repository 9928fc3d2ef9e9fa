"""What is installed or built has one exact version, in one place, and Renovate finds every one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xgen_infra import versions
from xgen_infra.licences import go_modules, pinned_images
from xgen_infra.versions import Chart, Image

ROOT = Path(__file__).parents[2]
RENOVATE = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))
SOURCE = (ROOT / "xgen_infra" / "versions.py").read_text(encoding="utf-8")
EXACT = r"v?\d+(\.\d+)+"
DIGEST = r"@sha256:[0-9a-f]{64}"


def found() -> Iterator[tuple[str, str]]:
    """Yield (dependency, version) as Renovate's custom managers read versions.py."""
    for manager in RENOVATE["customManagers"]:
        if not any("versions" in place for place in manager["managerFilePatterns"]):
            continue
        (pattern,) = manager["matchStrings"]
        for match in re.finditer(pattern.replace("(?<", "(?P<"), SOURCE):
            groups = match.groupdict()
            template = manager.get("depNameTemplate", "{{depName}}")
            name = re.sub(r"{{(\w+)}}", lambda word, said=groups: said[word[1]], template)
            yield name, groups["currentValue"]


def test_renovate_reads_every_pin_of_versions_and_nothing_else() -> None:
    charts = [one.version for one in vars(versions).values() if isinstance(one, Chart)]
    images = [one.tag.partition("@")[0] for one in vars(versions).values() if isinstance(one, Image)]
    eks = [
        value
        for minor in versions.EKS.values()
        for value in (minor.kube_proxy, minor.coredns, minor.autoscaler_tag)
    ]
    pins = versions.EksPins("", "", "")
    addons = [pins.vpc_cni, pins.pod_identity_agent, pins.ebs_csi_driver, pins.metrics_server]
    seen = list(found())
    assert sorted(value for _, value in seen) == sorted([*charts, *images, *eks, *addons])
    assert len({name for name, _ in seen}) == len(seen)
    literals = re.findall(r'"(v?\d+\.\d+[^"]*)"', SOURCE)
    minors = list(versions.EKS)
    assert sorted(literals) == sorted([*charts, *images, *eks, *addons, *minors]), (
        "a pin outside of any marker"
    )


def test_every_marker_outside_of_versions_is_read() -> None:
    (manager,) = [
        one for one in RENOVATE["customManagers"] if ".gitlab-ci" in "".join(one["managerFilePatterns"])
    ]
    (pattern,) = manager["matchStrings"]
    read = {}
    for name in (".gitlab-ci.yml", "bench/check.py"):
        assert any(re.search(place.strip("/"), name) for place in manager["managerFilePatterns"])
        text = (ROOT / name).read_text(encoding="utf-8")
        matches = list(re.finditer(pattern.replace("(?<", "(?P<"), text))
        assert len(matches) == text.count("# renovate:")
        read |= {match["depName"]: (match["datasource"], match["currentValue"]) for match in matches}
    assert read.keys() == {"python", "jsonschema-cli"}
    assert all(re.fullmatch(EXACT, version) for _, version in read.values())


def test_markers_name_the_source_that_the_pin_has() -> None:
    pattern = RENOVATE["customManagers"][0]["matchStrings"][0].replace("(?<", "(?P<")
    by_version = {match["currentValue"]: match for match in re.finditer(pattern, SOURCE)}
    for one in vars(versions).values():
        if isinstance(one, Chart):
            match = by_version[one.version]
            assert (match["datasource"], match["depName"]) == ("helm", one.name)
            assert match["registryUrl"] == one.repository
        elif isinstance(one, Image):
            match = by_version[one.tag.partition("@")[0]]
            assert match["datasource"] == "docker"
            short = one.repository.removeprefix("library/")
            assert match["depName"] == (
                short if one.registry == "docker.io" else f"{one.registry}/{one.repository}"
            )


def test_the_managers_are_told_of_files_that_exist() -> None:
    assert set(RENOVATE["enabledManagers"]) == {
        "pep621",
        "pip_requirements",
        "gomod",
        "npm",
        "maven",
        "custom.regex",
    }
    paths = [path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*/*.*"), ROOT / ".gitlab-ci.yml")]
    patterns = [*RENOVATE["pip_requirements"]["managerFilePatterns"]]
    patterns += [one for manager in RENOVATE["customManagers"] for one in manager["managerFilePatterns"]]
    for pattern in patterns:
        assert any(re.search(pattern.strip("/"), path) for path in paths), pattern
    for manager in RENOVATE["customManagers"]:
        assert manager["customType"] == "regex"
        groups = "".join(manager["matchStrings"])
        for field in ("depName", "datasource", "currentValue"):
            assert f"(?<{field}>" in groups or f"{field}Template" in manager


def test_every_tool_in_go_is_raised_by_renovate_though_go_calls_it_indirect() -> None:
    (rule,) = [one for one in RENOVATE["packageRules"] if one.get("matchDepTypes") == ["indirect"]]
    assert rule["enabled"] is True
    assert set(rule["matchPackageNames"]) == set(go_modules(ROOT))
    for module, (family, version) in go_modules(ROOT).items():
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), (module, family)


@pytest.mark.parametrize("image", pinned_images(), ids=lambda image: image.repository)
def test_an_image_has_a_digest_or_an_exact_version(image: Image) -> None:
    tag = image.tag
    assert re.fullmatch(rf"{EXACT}(-[a-z]+)?({DIGEST})?", tag), "a tag that moves"
    if not re.search(DIGEST, tag) and image.repository != "library/postgres":
        assert tag.count(".") == 2, "only PostgreSQL counts by two numbers"


def test_a_chart_and_an_add_on_have_an_exact_version() -> None:
    for one in vars(versions).values():
        if isinstance(one, Chart):
            assert re.fullmatch(r"\d+\.\d+\.\d+", one.version)
    for pins in versions.EKS.values():
        told = (pins.kube_proxy, pins.coredns, pins.vpc_cni, pins.pod_identity_agent, pins.ebs_csi_driver)
        for version in (*told, pins.metrics_server):
            assert re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", version)


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements/*.txt")), ids=lambda path: path.name)
def test_every_locked_package_has_one_version_and_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    assert len(entries) > 3
    for entry in entries:
        head, *rest = entry.split("\\\n")
        assert re.fullmatch(r"[a-z0-9._-]+(\[[a-z,-]+\])?==[\w.+!-]+( ; .+)?", head.strip(), re.IGNORECASE), (
            head
        )
        assert rest
        assert all(re.fullmatch(r"\s+--hash=sha256:[0-9a-f]{64}\s*", line) for line in rest), head


def test_pipelines_name_no_image_that_moves() -> None:
    image = re.compile(r"""^\s*(?:-\s*)?(?:image|docker|[A-Z_]*IMAGE):\s*["']?([\w./:@$-]+)""", re.MULTILINE)
    files = [path for path in (ROOT / "ci").rglob("*") if path.is_file()] + [ROOT / ".gitlab-ci.yml"]
    named = [(path.name, name) for path in files for name in image.findall(path.read_text(encoding="utf-8"))]
    exact = re.compile(rf"\$|:v?\d+(\.\d+){{2,}}[\w.-]*$|{DIGEST}$")
    assert (".gitlab-ci.yml", "$XGEN_IMAGE") in named
    assert any(name == ".gitlab-ci.yml" and "$" not in value for name, value in named)
    assert [pair for pair in named if not exact.search(pair[1])] == []


def test_no_pin_stands_outside_its_one_place() -> None:
    pinned = {one.reference for one in pinned_images()} | {
        f"{one.name} {one.version}" for one in vars(versions).values() if isinstance(one, Chart)
    }
    elsewhere: list[Any] = [
        (path.relative_to(ROOT).as_posix(), reference)
        for path in (ROOT / "xgen_infra").rglob("*.py")
        if path.name != "versions.py"
        for reference in pinned
        if reference in path.read_text(encoding="utf-8")
    ]
    assert elsewhere == []
