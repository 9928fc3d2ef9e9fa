"""A search that finds nothing is worth something only if it finds what is there."""

from __future__ import annotations

import gzip
import html
import io
import json
import tarfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from xgen_infra.rehearsal.canary import canary
from xgen_infra.secrecy import Search
from xgen_infra.secrecy.search import SHORTEST

CANARY = canary()
WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON in JSON": lambda value: json.dumps(json.dumps({"inner": value})),
    "JSON as Go writes it": lambda value: json.dumps(value).replace("&", "\\u0026"),
    "URL": lambda value: quote(value, safe=""),
    "URL with slashes": quote,
    "a form": quote_plus,
    "HTML": html.escape,
    "YAML": lambda value: yaml.safe_dump({"key": value}, width=10_000),
    "Python": repr,
    "hexadecimal": lambda value: value.encode().hex(),
}


def base64_of(value: str, before: str, after: str = "") -> str:
    return b64encode(f"{before}{value}{after}".encode()).decode()


def helm_record(value: str) -> bytes:
    """A release as Helm keeps it: JSON, gzip, base64; and base64 again, as the API shows a Secret's data."""
    packed = b64encode(gzip.compress(json.dumps({"config": {"password": value}}).encode()))
    return json.dumps({"data": {"release": b64encode(packed).decode()}}).encode()


def archive(value: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name in ("empty", "logs/pod.log"):
            content = value.encode() if "log" in name else b""
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def found(content: bytes, value: str = CANARY) -> bool:
    return bool(Search({"the canary": value}).in_bytes("here", content))


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("around", [("", ""), ("before", "after"), ('{"password": "', '"}\n')])
def test_a_value_is_found_however_it_is_written(way: str, around: tuple[str, str]) -> None:
    text = f"{around[0]}{WRITTEN[way](CANARY)}{around[1]}"
    assert found(text.encode())
    assert not found(text.encode(), canary())


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_value_is_found_in_base64_wherever_it_begins(before: str, after: str) -> None:
    once = base64_of(CANARY, before, after)
    assert found(once.encode())
    assert found(urlsafe_b64encode(f"{before}{CANARY}{after}".encode()))
    assert found(quote(once, safe="").encode()) or "%" in quote(once, safe="")
    for offset in range(3):
        assert found(base64_of(once, "-" * offset, after).encode()), f"twice, at {offset}"


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=SHORTEST),
    st.text(max_size=5),
)
@example("p/+&|'\"# a$b c", "")
@example("ÄÖÜ-geheim", "ä")
def test_any_value_is_found(value: str, before: str) -> None:
    for text in (
        f"{before}{value}",
        json.dumps(f"{before}{value}"),
        json.dumps(f"{before}{value}", ensure_ascii=False),
        quote(f"{before}{value}", safe=""),
        base64_of(value, before),
    ):
        assert found(text.encode(), value)


def test_a_value_is_found_in_folded_lines() -> None:
    text = base64_of(CANARY, "x")
    folded = "\n  ".join(text[at : at + 16] for at in range(0, len(text), 16))
    assert found(folded.encode())
    assert found(f"{CANARY[:20]}\n{CANARY[20:]}".encode())


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (helm_record(CANARY), "here (unpacked) (unpacked) (unpacked)"),
        (gzip.compress(CANARY.encode()), "here (unpacked)"),
        (archive(CANARY), "here (unpacked)/logs/pod.log"),
        (
            archive(helm_record(CANARY).decode()),
            "here (unpacked)/logs/pod.log (unpacked) (unpacked) (unpacked)",
        ),
        (gzip.compress(CANARY.encode() * 9)[:-8], "here (unpacked)"),
    ],
    ids=["Helm's record", "gzip", "an archive", "Helm's record in an archive", "gzip that was cut off"],
)
def test_a_value_is_found_in_what_is_packed_and_the_place_is_named(content: bytes, where: str) -> None:
    leaks = Search({"the canary": CANARY, "another": canary()}).in_bytes("here", content)
    assert where in {leak.place for leak in leaks}
    assert {leak.secret for leak in leaks} == {"the canary"}


def test_a_leak_is_told_without_the_value() -> None:
    (leak,) = Search({"xgen-infra:postgresPassword": CANARY}).in_text("the log", f"x{CANARY}")
    assert str(leak) == "the log: xgen-infra:postgresPassword (plain)"
    assert CANARY not in repr(leak) + repr(Search({"a": CANARY}))


def test_a_file_is_searched_by_content_and_by_name(tmp_path: Path) -> None:
    value = "canary-1234567890"
    (tmp_path / f"{value}.txt").write_text("nothing")
    search = Search({"the canary": value})
    assert search.in_file(tmp_path / f"{value}.txt")
    assert not search.in_file(tmp_path / "gone")


def test_what_is_too_short_to_search_for_is_said() -> None:
    search = Search({"pin": "12345", "word": "123456"})
    assert search.short == ("pin",)
    assert search.in_text("here", "123456")


@pytest.mark.parametrize(
    "noise", [b"H4sIAAAAAAAA" + b"A" * 33, b"SDRzS" + b"x" * 21, b"\x1f\x8b\x00garbage", b""]
)
def test_what_only_looks_packed_is_no_error(noise: bytes) -> None:
    assert Search({"the canary": CANARY}).in_bytes("here", noise) == []
