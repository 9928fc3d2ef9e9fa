"""Every value of every sample, turned wrong: refused at its line, under its path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from checking import SAMPLES, findings, sample
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xgen_infra.findings import KeyPath, dotted, errors
from xgen_infra.outline import everywhere
from xgen_infra.site import Site

STACKS = tuple(sorted(path.suffixes[0][1:] for path in SAMPLES.glob("Pulumi.*.yaml")))
SITE = "xgen-infra:site"


def _site(text: str) -> Node:
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    assert isinstance(root, MappingNode)
    config = next(value for key, value in root.value if key.value == "config")
    site: Node = next(value for key, value in config.value if key.value == SITE)
    return site


def _nodes(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    yield path, node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _nodes(value, (*path, key.value))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _nodes(value, (*path, index))


@cache
def _all(stack: str) -> tuple[tuple[KeyPath, Node], ...]:
    return tuple(_nodes(_site(sample(stack))))


SCALARS = [
    pytest.param(stack, path, id=f"{stack}-{dotted(path)}")
    for stack in STACKS
    for path, node in _all(stack)
    if isinstance(node, ScalarNode) and node.style != "|"
]
MAPPINGS = [
    pytest.param(stack, path, id=f"{stack}-{dotted(path) or 'site'}")
    for stack in STACKS
    for path, node in _all(stack)
    if isinstance(node, MappingNode) and node.value
]


def _node(stack: str, path: KeyPath) -> Node:
    return next(node for at, node in _all(stack) if at == path)


def _spliced(text: str, node: Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def test_there_are_more_than_two_hundred_wrong_files() -> None:
    assert len(SCALARS) + len(MAPPINGS) > 200


def test_the_samples_show_every_field_of_the_models() -> None:
    shown = {
        _any_service(tuple(part for part in path if part != 0)) for stack in STACKS for path, _ in _all(stack)
    }
    known = {_any_service(tuple(path.split("."))) for paths in everywhere(Site).values() for path in paths}
    left_out = {("registry", "caCertificate")}  # contradicts plainHttp, which the sample shows
    assert known - shown == left_out


def _any_service(path: KeyPath) -> KeyPath:
    return ("services", "any", *path[2:]) if path[0:1] == ("services",) and len(path) > 1 else path


@pytest.mark.parametrize(("stack", "path"), SCALARS)
def test_a_mapping_where_a_value_belongs_is_refused_at_its_line(
    tmp_path: Path, stack: str, path: KeyPath
) -> None:
    node = _node(stack, path)
    found = errors(findings(tmp_path, {stack: _spliced(sample(stack), node, "{oops: 1}")}))
    line = node.start_mark.line + 1
    near = [one for one in found if one.line == line]
    assert any(one.path in {dotted(path), dotted((*path, "oops"))} for one in near), [
        one.text for one in found
    ]


@pytest.mark.parametrize(("stack", "path"), SCALARS)
def test_a_list_where_a_value_belongs_is_refused_at_its_line(
    tmp_path: Path, stack: str, path: KeyPath
) -> None:
    node = _node(stack, path)
    found = errors(findings(tmp_path, {stack: _spliced(sample(stack), node, "[[1]]")}))
    assert any(one.line == node.start_mark.line + 1 and one.path == dotted(path) for one in found)


@pytest.mark.parametrize(("stack", "path"), MAPPINGS)
def test_an_unknown_key_is_refused_at_its_place(tmp_path: Path, stack: str, path: KeyPath) -> None:
    text, node = sample(stack), _node(stack, path)
    first = node.value[0][0].start_mark
    flow = text[node.start_mark.index] == "{"
    key = "zzz-unknown: 1" + (", " if flow else "\n" + " " * first.column)
    changed = text[: first.index] + key + text[first.index :]
    found = errors(findings(tmp_path, {stack: changed}))
    expected = (first.line + 1, first.column + 1, dotted((*path, "zzz-unknown")))
    assert expected in {(one.line, one.column, one.path) for one in found}, [one.text for one in found]


@pytest.mark.parametrize(("stack", "path"), MAPPINGS)
def test_a_key_written_twice_is_refused_at_the_second(tmp_path: Path, stack: str, path: KeyPath) -> None:
    text, node = sample(stack), _node(stack, path)
    name = node.value[0][0]
    if text[node.start_mark.index] == "{":
        first, second = f"{name.value}: 1, ", name.start_mark
    else:
        first, second = f"{name.value}: 1\n" + " " * name.start_mark.column, name.start_mark
    changed = text[: second.index] + first + text[second.index :]
    at = changed[: second.index + len(first)]
    found = findings(tmp_path, {stack: changed})
    assert [(one.line, one.column, one.path) for one in found] == [
        (at.count("\n") + 1, len(at) - at.rfind("\n"), dotted((*path, name.value)))
    ]
    assert "a second time" in found[0].found
    assert f"line {second.line + 1}" in found[0].mend


@pytest.mark.parametrize(("stack", "path"), SCALARS)
def test_a_value_left_out_ends_in_findings_of_the_file_or_in_none(
    tmp_path: Path, stack: str, path: KeyPath
) -> None:
    text, node = sample(stack), _node(stack, path)
    lines = text.count("\n") + 1
    for one in findings(tmp_path, {stack: _spliced(text, node, "")}):
        assert 1 <= one.line <= lines
        assert one.column >= 1
