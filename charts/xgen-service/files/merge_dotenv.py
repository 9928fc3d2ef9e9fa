# ruff: noqa: INP001
"""Merge environment variables into a copy of an image's .env file.

Usage: merge_dotenv.py SOURCE TARGET KEY...

Every statement of SOURCE that sets one of the keys is given the variable's value, keys that no statement
sets are appended, and all else stays byte for byte. The result is read back before the exit status says 0.
Values never reach a message. Python's standard library only, 3.8 or newer: it runs in the service's own image.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ANY_SPACE = re.compile(r"\s*")
EXPORT = re.compile(r"(?:export[^\S\r\n]+)?")
KEY = re.compile(r"'(?P<quoted>[^']+)'|(?P<bare>(?!')[^=#\s]+)")
ASSIGN = re.compile(r"[^\S\r\n]*=[^\S\r\n]*")
VALUE = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?!['"])[^\r\n]*""", re.DOTALL)
TAIL = re.compile(r"[^\S\r\n]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")
REST = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


class Refused(Exception):  # noqa: N818
    """The file cannot be made. One line per key; names keys, never values."""


class Statement(NamedTuple):
    """A piece of the file: `lead` (blank lines, `export `), then `text`; `key` is None where it sets nothing."""

    lead: str
    key: str | None
    text: str

    @property
    def newline(self) -> str:
        """How the statement ends: a line break of any kind, or nothing at the file's end."""
        return self.text[len(self.text.rstrip("\r\n")) :]


def statements(text: str) -> Iterator[Statement]:
    """Cut a .env file where python-dotenv does. All leads and texts joined are the file."""
    at = 0
    while at < len(text):
        start = _after(EXPORT, text, _after(ANY_SPACE, text, at))
        key, end = _statement(text, start)
        yield Statement(text[at:start], key, text[start:end])
        at = end


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _statement(text: str, start: int) -> tuple[str | None, int]:
    """Return the key that is set from `start` on, if it can be read, and where the statement ends."""
    key, here = None, start
    if not text.startswith("#", start):
        name = KEY.match(text, start)
        if not name:
            return None, _after(REST, text, start)
        key, here = name.group("quoted") or name.group("bare"), name.end()
        assign = ASSIGN.match(text, here)
        if assign:
            value = VALUE.match(text, assign.end())
            if not value:
                return None, _after(REST, text, assign.end())
            here = value.end()
    tail = TAIL.match(text, here)
    return (key, tail.end()) if tail else (None, _after(REST, text, here))


def encode(value: str) -> str:
    r"""Write a value so that every python-dotenv since 0.15 reads it back.

    Unquoted text is taken as it stands, up to white space before a `#`. Between single quotes only `\\` and
    `\'` are escapes. Releases before 1.2.3 take a backslash before the closing quote for an escape, whatever
    stands before it, so a quoted value that ends in one ends in an expansion of nothing, with the backslash
    as its default.
    """
    if not re.search(r"[\s#]", value) and not value.startswith(("'", '"')):
        return value
    body = value.replace("\\", "\\\\").replace("'", "\\'")
    if value.endswith("\\"):
        body = body[:-2] + "${:-\\\\}"
    return "'" + body + "'"


def merge(text: str, values: dict[str, str]) -> str:
    """Return the file with every key set to its value.

    Raises Refused where another statement of the file would swallow one of them.
    """
    lines = {key: key + "=" + encode(value) for key, value in values.items()}
    pieces: list[str] = []
    found: set[str] = set()
    for statement in statements(text):
        key = statement.key
        if key in lines:
            found.add(key)
            pieces.append(statement.lead + lines[key] + statement.newline)
        else:
            pieces.append(statement.lead + statement.text)
    merged = "".join(pieces)
    newline = "\r\n" if "\r\n" in text else "\n"
    missing = [line for key, line in lines.items() if key not in found]
    if missing and merged and not merged.endswith(("\n", "\r")):
        merged += newline
    merged += "".join(line + newline for line in missing)
    last = {statement.key: statement.text.rstrip("\r\n") for statement in statements(merged)}
    _refuse_lost([key for key, line in lines.items() if last.get(key) != line])
    return merged


def _refuse_lost(keys: list[str]) -> None:
    why = "another statement of the image's file swallows it: look there for a quote that is never closed"
    _refuse([key + ": " + why for key in keys])


def _refuse(reasons: list[str]) -> None:
    if reasons:
        raise Refused("\n".join(reasons))


def _problem(key: str, raw: bytes | None) -> str | None:
    """Say why no .env line can carry a variable, without its value; None where one can."""
    if not NAME.fullmatch(key):
        return "expected a name of letters, digits and underscores, no digit first"
    if raw is None:
        return "expected in the environment, but it is not set there"
    if b"\n" in raw or b"\r" in raw:
        return "the value has a line break, which this file cannot carry: take it out"
    if b"${" in raw:
        return "the value has '${', which python-dotenv would expand: choose another value"
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "the value is not UTF-8, the encoding in which the application reads the file"
    return None


def environment(keys: list[str]) -> dict[str, str]:
    """Return the keys' values; raises Refused for all that no .env line can carry."""
    raw = {key: os.environb.get(key.encode()) for key in keys}
    problems = {key: _problem(key, value) for key, value in raw.items()}
    _refuse([key + ": " + problem for key, problem in problems.items() if problem])
    return {key: value.decode() for key, value in raw.items() if value is not None}


def read_back(path: Path, values: dict[str, str]) -> None:
    """Read the file as the application will, where this interpreter has python-dotenv; raises Refused."""
    try:
        from dotenv import dotenv_values  # noqa: PLC0415

        read = dotenv_values(path, encoding="utf-8")
    except (ImportError, UnicodeError):
        return
    _refuse_lost([key for key, value in values.items() if read.get(key) != value])


def main(source: Path, target: Path, keys: list[str]) -> None:
    """Write TARGET whole, or leave it as it is and raise Refused or OSError."""
    values = environment(keys)
    merged = merge(source.read_bytes().decode("utf-8", "surrogateescape"), values)
    made = target.with_name(target.name + ".new")
    made.write_bytes(merged.encode("utf-8", "surrogateescape"))
    read_back(made, values)
    made.chmod(0o444)
    made.replace(target)


if __name__ == "__main__":
    if len(sys.argv) < 4:  # noqa: PLR2004
        sys.exit("usage: merge_dotenv.py SOURCE TARGET KEY...")
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    except Refused as error:
        sys.exit("\n".join("merge_dotenv: " + line for line in str(error).split("\n")))
    except OSError as error:
        sys.exit("merge_dotenv: " + str(error))
