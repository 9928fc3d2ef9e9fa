"""What `explain --from` says is exactly what changes in the objects that real Helm renders, for every field.

`make test-explain` tries every field of every sample file. A usual run tries some of them; others, or the ones that a
failure names again, by XGEN_SEED=NUMBER.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from draw import EVERY, SEED

from xgen_infra import catalog
from xgen_infra.delivery import services
from xgen_infra.delivery.schema import CHART
from xgen_infra.explain.changes import variations
from xgen_infra.explain.differences import pointer
from xgen_infra.explain.inputs import STACK
from xgen_infra.explain.reach import fields_at, follow
from xgen_infra.explain.subject import Subject
from xgen_infra.findings import KeyPath, dotted, errors
from xgen_infra.folder import read_site, vendor_in
from xgen_infra.site import Site, with_defaults
from xgen_infra.validate import examine

from .others import GONE, OTHERS, PARTS

Objects = dict[tuple[str, str], Any]
Places = set[tuple[str, str, str, str]]
"""(service, kind, name, JSON pointer)"""

SAMPLES = Path(__file__).parents[1] / "stackfiles"
STACKS = ("cloud", "onprem", "shared", "vendors")
SOME = 8
RENDERED = ("images", "tag")


class Renderer:
    """`helm template` of one service at a time, as a deployment runs it."""

    def __init__(self, helm: Path, folder: Path) -> None:
        self.helm = helm
        self.folder = folder
        self._run = cache(self._template)

    def __call__(self, values: Mapping[str, Any], namespace: str) -> Objects:
        return self._run(json.dumps(values, sort_keys=True), namespace)

    def _template(self, values: str, namespace: str) -> Objects:
        file = self.folder / f"{abs(hash((values, namespace)))}.json"
        file.write_text(values)
        command = [str(self.helm), "template", json.loads(values)["name"], str(CHART)]
        command += ["--namespace", namespace, "--values", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
        return {(one["kind"], one["metadata"]["name"]): one for one in made if one}


@pytest.fixture(scope="module")
def renderer(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    return Renderer(helm, tmp_path_factory.mktemp("values"))


@pytest.fixture(scope="module", params=STACKS)
def subject(request: pytest.FixtureRequest, helm: Path) -> Subject:
    return Subject.read(SAMPLES, request.param, helm)


def changed_files(subject: Subject, path: KeyPath) -> list[Site]:
    """Sites of the file with this field changed by hand; ones that check takes, where it takes any."""
    vendor = vendor_in(SAMPLES)
    found = []
    for other in _others(subject, vendor, path):
        site, findings = examine(other, subject.file.stack, vendor, subject.file)
        if site:
            found.append((site, not errors(findings)))
    good = [site for site, fine in found if fine]
    return good or [site for site, _ in found]


def _others(subject: Subject, vendor: Any, path: KeyPath) -> Iterator[Any]:
    raw = subject.file.site
    if path[-1] == "kind":
        yield from _other_kinds(subject, with_defaults(raw, "any", vendor), str(path[0]))
        return
    pattern = re.sub(r"^services\.[\w-]+", "services.*", dotted(path))
    for value in OTHERS[re.sub(r"vars\.\w+$", "vars.*", pattern)]:
        made = deepcopy(raw)
        part = made
        if path[0] == "registry" and "registry" not in made:
            made["registry"] = deepcopy(vendor["registry"])
        for key in path[:-1]:
            part = part.setdefault(key, {})
        if value is GONE and path[-1] not in part:
            continue
        part[path[-1]] = value
        if value is GONE:
            del part[path[-1]]
        yield made


def _other_kinds(subject: Subject, data: Any, where: str) -> Iterator[Any]:
    now = data.get(where, {})
    kinds = {name.split(":")[1]: part for name, part in PARTS.items() if name.startswith(f"{where}:")}
    for kind, part in kinds.items():
        if kind == getattr(subject.site, where).kind:
            continue
        alone = {**subject.file.site, where: {**now, "kind": kind}}
        kept = {key: now[key] for key in ("host", "bucket") if key in now and key in {*part, "bucket"}}
        fits = examine(alone, subject.file.stack, data, subject.file)[0]
        yield alone if fits else {**subject.file.site, where: part | kept}


def differences(one: Any, other: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Leaves that differ, by walking both values side by side."""
    if isinstance(one, dict) and isinstance(other, dict) and one and other:
        for key in {*one, *other}:
            yield from differences(one.get(key, GONE), other.get(key, GONE), (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and one and other:
        for index in range(max(len(one), len(other))):
            first, second = (items[index] if index < len(items) else GONE for items in (one, other))
            yield from differences(first, second, (*path, index))
    elif one != other:
        for value in (one, other):
            yield from _leaves(value, path)


def _leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for key, item in items for leaf in _leaves(item, (*path, key))]
    yield from below or ([] if value is GONE else [path])


def places(renderer: Renderer, before: Site, after: Site) -> Places:
    found: Places = set()
    for name in catalog.NAMES:
        values = [services.whole(site, name, {}) for site in (before, after)]
        if values[0] == values[1]:
            continue
        one, other = (renderer(each, before.namespace) for each in values)
        for kind, called in {*one, *other}:
            first, second = (objects.get((kind, called), GONE) for objects in (one, other))
            found |= {(name, kind, called, pointer(path)) for path in differences(first, second)}
    return found


def said(subject: Subject, path: KeyPath) -> Places:
    found: Any = {}
    for field in fields_at(subject, dotted(path)):
        follow(subject, variations(subject.inputs, field), found)
    return {
        (name, one.kind, one.name, pointer(place))
        for name, service in found.items()
        for one, paths in service.objects.items()
        for place in paths
    }


def chosen(subject: Subject) -> list[KeyPath]:
    """Every field, or one that reaches the chart and some more: one service stands for six."""
    fields = [path for path in subject.fields if path != STACK]
    if EVERY:
        return fields
    lot = random.Random(f"{SEED} {subject.file.stack}")  # noqa: S311 - which fields are tried
    service = lot.choice(catalog.NAMES)
    few = [path for path in fields if path[0] != "services" or path[1] == service]
    return [RENDERED, *lot.sample([path for path in few if path != RENDERED], SOME - 1)]


def test_what_is_said_to_change_is_exactly_what_helm_renders_differently(
    subject: Subject, renderer: Renderer
) -> None:
    fields = chosen(subject)
    tried = {path: changed_files(subject, path) for path in fields}
    with ThreadPoolExecutor(2) as pool:
        seen = {
            path: list(pool.map(lambda site: places(renderer, subject.site, site), sites))
            for path, sites in tried.items()
        }
    wrong = {}
    for path in fields:
        really, told = set[Any]().union(*seen[path]), said(subject, path)
        if really != told:
            wrong[f"{subject.file.stack} {dotted(path)}"] = (
                sorted(really - told)[:3],
                sorted(told - really)[:3],
            )
    assert not wrong, f"XGEN_SEED={SEED}: {json.dumps(wrong, indent=1)}"
    assert sum(any(found) for found in seen.values()) > (40 if EVERY else 0)


def test_another_name_of_the_file_changes_what_is_said_of_the_stack(
    subject: Subject, renderer: Renderer, tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.yaml").write_text((SAMPLES / "Pulumi.yaml").read_text())
    stack = subject.file.stack
    (tmp_path / "Pulumi.other.yaml").write_text((SAMPLES / f"Pulumi.{stack}.yaml").read_text())
    _, other = read_site(tmp_path, "other")
    assert said(subject, STACK) == places(renderer, subject.site, other)
