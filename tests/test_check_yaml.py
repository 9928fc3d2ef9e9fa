"""Texts that are no customer's file: YAML's own mistakes, by line and column; and what YAML values mean."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from checking import HERE, findings, folder_with, sample
from hypothesis import example, given
from hypothesis import strategies as st

from xgen_infra.findings import Position, Refused
from xgen_infra.folder import check_folder
from xgen_infra.yaml_scalars import Date, scalar
from xgen_infra.yamlfile import Document

BROKEN = {
    "an empty file": ("@@", "an empty file"),
    "only a comment": ("@@# nothing yet\n", "an empty file"),
    "a list": ("@@- config\n", "a list"),
    "a word": ("@@config\n", "a plain value"),
    "a second document": ("config: {}\n@@---\nconfig: {}\n", "a second document"),
    "a second document after its end": ("config: {}\n...\n@@---\nconfig: {}\n", "a second document"),
    "a duplicate key": ("config: {}\n@@config: {}\n", "the key 'config' a second time"),
    "a duplicate key in flow style": ("config: {a: 1, b: 2, @@a: 3}\n", "the first one is at line 1"),
    "a key twice, in quotes": ('config:\n  a: 1\n  @@"a": 2\n', "the first one is at line 2"),
    "a tab as indentation": ("config:\n@@\ta: 1\n", "YAML indents with spaces"),
    "a quote that is never closed": ('config:\n  a: "b\n  c: d\n@@', "unexpected end"),
    "a bracket that is never closed": ("config:\n  a: [b\nc@@: d\n", "did not find expected ',' or ']'"),
    "a brace that is never closed": ("config: {a: b\n@@", "expected ',' or '}'"),
    "a wrong indentation": ("config:\n  a: 1\n @@b: 2\n", "did not find expected key"),
    "a colon within a text": ("config:\n  a: b@@: c\n", "needs quotes around it"),
    "an alias without anchor": ("config: @@*site\n", "undefined alias"),
    "an at sign": ("config:\n  a: @@@b\n", "put a text that begins with '@' in quotes"),
    "a backtick": ("config:\n  a: @@`b`\n", "put a text that begins with '`' in quotes"),
    "a percent sign": ("config:\n  a: @@%b\n", "put a text that begins with '%' in quotes"),
    "a tag": ("config:\n  a: @@!!python/object b\n", "the tag !!python/object"),
    "a tag on a text": ("config:\n  a: @@!!int '5'\n", "the tag !!int"),
    "a list as key": ("config:\n  ? @@[a, b]\n  : c\n", "a key that is a list"),
    "a merge of a text": ("config:\n  <<: @@a\n", "'<<' with something else"),
    "a control character": ("config:\n  a: b@@\x07\n", "the character U+0007"),
    "an anchor within itself": ("config: &a\n  b: @@*a\n", "nested too deep"),
}


def refused(text: str) -> tuple[str, int, int]:
    with pytest.raises(Refused) as caught:
        Document.read(text, "Pulumi.x.yaml")
    (one,) = caught.value.findings
    return one.message, one.line, one.column


@pytest.mark.parametrize(("marked", "says"), BROKEN.values(), ids=BROKEN)
def test_broken_yaml_is_refused_at_its_place(marked: str, says: str) -> None:
    before, _, after = marked.partition(HERE)
    message, line, column = refused(before + after)
    assert says in message
    if "nested too deep" not in says:
        assert (line, column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


@pytest.mark.parametrize(("marked", "says"), BROKEN.values(), ids=BROKEN)
def test_the_quick_reading_refuses_what_the_exact_one_refuses(marked: str, says: str) -> None:
    with pytest.raises(Refused) as caught:
        Document.read_quickly(marked.replace(HERE, "", 1), "Pulumi.x.yaml")
    assert says in caught.value.findings[0].message


def test_every_duplicate_key_is_told() -> None:
    with pytest.raises(Refused) as caught:
        Document.read("a: 1\nb: {c: 1, c: 2}\na: 3\n", "Pulumi.x.yaml")
    assert [(one.line, one.column, one.path) for one in caught.value.findings] == [
        (2, 11, "b.c"),
        (3, 1, "a"),
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "? " * 100_000, "{a: " * 50_000])
def test_nesting_without_end_ends_in_a_finding(text: str) -> None:
    with pytest.raises(Refused):
        Document.read(text, "Pulumi.x.yaml")


def test_anchors_that_multiply_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    message, _, _ = refused("\n".join(lines))
    assert "anchors that multiply" in message


def test_a_file_of_more_than_a_mebibyte_is_refused() -> None:
    assert "1 MiB" in refused("a: " + "x" * 1_100_000)[0]


def test_a_file_that_is_not_utf8_is_refused_at_its_line(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {})
    (folder / "Pulumi.x.yaml").write_bytes(b"config:\n  a: \xff\n")
    (one,) = check_folder(folder).findings
    assert (one.line, one.expected) == (2, "text in UTF-8")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert findings(tmp_path, {"vendors": "\ufeff" + sample("vendors")}) == ()


MEANINGS = {
    "": None, "~": None, "null": None, "true": True, "FALSE": False, "yes": "yes", "off": "off", "y": "y",
    "12": 12, "+12": 12, "-7": -7, "0x1F": 31, "0o17": 15, "017": 15, "0b101": 5, "1_000": 1000, "089": 89.0,
    "1.5": 1.5, ".5": 0.5, "1e3": 1000.0, "1.34": 1.34, "12:30": "12:30", "1.2.3": "1.2.3", "10.0.0.0/8": "10.0.0.0/8",
    "2026-01-31": Date("2026-01-31"), "2026-13-31": "2026-13-31", "100m": "100m", "1e400": "1e400", "-": "-",
    "99999999999999999999": 1e20,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), MEANINGS.items())
def test_an_unquoted_value_means_what_the_engine_reads(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.parametrize(("text", "sign"), [(".inf", 1), ("-.INF", -1), ("+.Inf", 1)])
def test_infinity_is_a_number(text: str, sign: int) -> None:
    assert scalar(text) == math.copysign(math.inf, sign)


WORDS = st.text(alphabet="0123456789_+-.eExXoOabB:~nulTRUEfs", min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=4))
@example(["0b1"])
@example(["1_0"])
@example(["NULL", "True"])
def test_the_quick_reading_gives_what_the_exact_one_gives(words: list[str]) -> None:
    text = "".join(f"k{n}: {word}\n" for n, word in enumerate(words))
    try:
        exact = Document.read(text, "x")
    except Refused:
        with pytest.raises(Refused):
            Document.read_quickly(text, "x")
        return
    quick = Document.read_quickly(text, "x")
    assert repr(quick.data) == repr(exact.data)


@given(st.lists(st.sampled_from("ab:{}[],-?&*!|>'\"% \n\t#~1<"), max_size=60).map("".join))
def test_no_text_ends_in_anything_but_a_document_or_a_refusal_within_it(text: str) -> None:
    for read in (Document.read, Document.read_quickly):
        lines: list[int] = []
        try:
            assert isinstance(read(text, "x").data, dict)
        except Refused as refusal:
            lines = [one.line for one in refusal.findings]
        assert all(1 <= line <= text.count("\n") + 2 for line in lines)


def test_a_value_is_found_where_it_is_written() -> None:
    text = "a:\n  b: &x {c: 1}\n  d: *x\n  e:\n    <<: *x\n    f: [10, {g: 2}]\n  h:\n    - 1\n"
    document = Document.read(text, "x")
    assert document.data["a"]["e"] == {"c": 1, "f": [10, {"g": 2}]}
    places = {
        ("a",): (1, 1),
        ("a", "b"): (2, 6),
        ("a", "b", "c"): (2, 13),
        ("a", "d"): (3, 3),
        ("a", "e", "f", 0): (6, 9),
        ("a", "e", "f", 1, "g"): (6, 17),
        ("a", "e", "f", 7): (6, 8),
        ("a", "h"): (7, 3),
        ("a", "h", 0): (8, 7),
        ("a", "nowhere", "below"): (1, 1),
        ("nowhere",): (1, 1),
    }
    assert {path: document.where(path) for path in places} == {
        path: Position(*at) for path, at in places.items()
    }
    assert document.where(("a", "b"), key=True) == Position(2, 3)
    assert document.written(("a", "b", "c")) == "1"
    assert document.written(("a", "b")) is None
