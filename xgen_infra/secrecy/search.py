"""Finds a secret in any text or file, in any encoding in which it may have got there, packed or not."""

from __future__ import annotations

import html
import io
import json
import re
import tarfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""Characters below which a value is not searched for: it would be found in anything."""
_DEPTH = 8
WHITE = b" \t\r\n"
"""Counts for nothing, so that a value is found in lines that were folded."""
_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_PACKED = re.compile(rb"(?:H4sI|SDRzS)[A-Za-z0-9+/]{12,}={0,2}")
"""Base64 of a gzip stream, once or twice: how Helm keeps a release in a Secret."""
_TAR_MAGIC = slice(257, 262)


@dataclass(frozen=True, order=True)
class Leak:
    """A secret in a place where none belongs. Its text names the secret, never the value."""

    place: str
    secret: str
    encoding: str

    def __str__(self) -> str:
        return f"{self.place}: {self.secret} ({self.encoding})"


@dataclass(frozen=True)
class Search:
    """A search for named secrets; values shorter than SHORTEST characters are left out and listed in `short`."""

    secrets: Mapping[str, str] = field(repr=False)
    short: tuple[str, ...] = field(init=False, default=())
    _needles: tuple[tuple[str, str, bytes], ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        long = {name: value for name, value in self.secrets.items() if len(value) >= SHORTEST}
        needles = [
            (name, encoding, needle)
            for name, value in long.items()
            for encoding, needle in encodings(value).items()
        ]
        object.__setattr__(self, "_needles", tuple(needles))
        object.__setattr__(self, "short", tuple(sorted(self.secrets.keys() - long.keys())))

    def in_bytes(self, place: str, content: bytes) -> list[Leak]:
        """Return what is found in some bytes, each secret once for each encoding, and in what is packed in them.

        White space counts for nothing, so that a value is found in lines that were folded.
        """
        found = []
        for within, layer in layers(content):
            bare = layer.translate(None, WHITE)
            found += [
                Leak(f"{place}{within}", name, encoding)
                for name, encoding, needle in self._needles
                if needle in bare
            ]
        return sorted(set(found))

    def in_text(self, place: str, text: str) -> list[Leak]:
        """Return what is found in a text."""
        return self.in_bytes(place, text.encode(errors="surrogateescape"))

    def in_file(self, path: Path, place: str = "") -> list[Leak]:
        """Return what is found in a file and in its name; one that has gone meanwhile holds nothing."""
        name = place or path.name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        return self.in_text(f"the name of {name}", name) + self.in_bytes(name, content)


def encodings(value: str) -> dict[str, bytes]:
    """Return the ways in which a value is written, by name; a way that writes it as another does is left out.

    Base64 (RFC 4648) of a text that contains the value depends on where in it the value begins: three ways, each
    without the characters that the neighbours of the value share. What is encoded twice, as a password in a
    Docker configuration in a Secret, is searched for in nine. None contains white space.
    """
    raw = value.encode()
    once = dict(_base64("base64", raw))
    written = {
        "plain": raw,
        **dict(_escaped(value)),
        **once,
        **{
            name.replace("base64", "base64url"): text.translate(bytes.maketrans(b"+/", b"-_"))
            for name, text in once.items()
        },
        **{
            name: twice for outer, text in once.items() for name, twice in _base64(f"base64 of {outer}", text)
        },
        "hexadecimal": raw.hex().encode(),
    }
    different: dict[bytes, str] = {}
    for name, text in written.items():
        different.setdefault(text.translate(None, WHITE), name)
    return {name: text for text, name in different.items() if len(text) >= SHORTEST}


def _escaped(value: str) -> Iterator[tuple[str, bytes]]:
    quoted = json.dumps(value)[1:-1]
    as_go = quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    yield "JSON-escaped", quoted.encode()
    yield "JSON-escaped, as Go writes it", as_go.encode()
    yield "JSON-escaped, not ASCII", json.dumps(value, ensure_ascii=False)[1:-1].encode()
    yield "JSON in JSON", json.dumps(quoted)[1:-1].encode()
    yield "JSON in JSON, as Go writes it", json.dumps(as_go)[1:-1].encode()
    yield "URL-escaped", quote(value, safe="").encode()
    yield "URL-escaped, slashes kept", quote(value).encode()
    yield "URL-escaped, as in a form", quote_plus(value).encode()
    yield (
        "URL-escaped, in lower case",
        re.sub("%..", lambda hit: hit[0].lower(), quote(value, safe="")).encode(),
    )
    yield "HTML-escaped", html.escape(value).encode()
    yield (
        "HTML-escaped, as Go writes it",
        html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;").encode(),
    )
    yield "quoted in Python", repr(value)[1:-1].encode()
    yield "quoted in YAML", value.replace("'", "''").encode()
    yield "quoted in a shell", value.replace("'", "'\"'\"'").encode()


def _base64(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    for offset in range(3):
        text = b64encode(b"\0" * offset + raw)
        first, last = (0, 2, 3)[offset], (offset + len(raw)) * 8 // 6
        yield f"{name} at offset {offset}", text[first:last]


def layers(content: bytes, within: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, bytes]]:
    """Yield some bytes, then what is packed in them: gzip, tar, base64 of gzip; with a word on where it was."""
    yield within, content
    if not depth:
        return
    if content[:2] == _GZIP:
        unpacked = _gunzip(content)
        if unpacked:
            yield from layers(unpacked, f"{within} (unpacked)", depth - 1)
    elif content[_TAR_MAGIC] == b"ustar":
        for name, member in _members(content):
            yield f"{within}/{name}", name.encode()
            yield from layers(member, f"{within}/{name}", depth - 1)
    else:
        for hit in _PACKED.finditer(content):
            text = hit[0].rstrip(b"=")
            text = text[:-1] if len(text) % 4 == 1 else text
            yield from layers(b64decode(text + b"=" * (-len(text) % 4)), f"{within} (unpacked)", depth - 1)


def _gunzip(content: bytes) -> bytes:
    """Return what a gzip stream holds; one that was cut off holds what came before the cut."""
    stream, unpacked = zlib.decompressobj(wbits=31), b""
    with suppress(zlib.error):
        for start in range(0, len(content), _CHUNK):
            unpacked += stream.decompress(content[start : start + _CHUNK])
    return unpacked


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            yield member.name, stream.read() if stream else member.linkname.encode()
