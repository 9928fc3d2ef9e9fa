"""A customer's file as text: the models' own words as comments, values as every YAML reader takes them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from xgen_infra.findings import KeyPath
from xgen_infra.outline import described
from xgen_infra.schema import PATH
from xgen_infra.site import Site
from xgen_infra.stackfile import SITE_KEY
from xgen_infra.yaml_splice import one_line

_WIDTH = 100
_SHORT = 60
_BLOCK = re.compile(r"[!-~][ -~]*(\n[!-~][ -~]*)+\n?")
"""Text of several lines that a literal block carries as it is."""


def stack_text(site: Mapping[str, Any], secrets: Mapping[str, str], engine: Mapping[str, str]) -> str:
    """Return the text of `Pulumi.<stack>.yaml`.

    `site` is the value of `xgen-infra:site`, plain; `secrets` are sealed values by configuration key; `engine` is
    what the engine keeps at the top level (`encryptionsalt`, or `secretsprovider` and `encryptedkey`).
    """
    lines = [f"# yaml-language-server: $schema={PATH.as_posix()}"]
    lines += _comment("What is left out here has a default that fits the kind of cluster: docs/file.md.", 0)
    lines += ["config:", f"  {SITE_KEY}:", *_Writer(site).mapping(site, (), 4)]
    for key, value in secrets.items():
        lines += [f"  {key}:", f"    secure: {one_line(value, flow=False)}"]
    lines += [f"{key}: {one_line(value, flow=False)}" for key, value in engine.items()]
    return "\n".join(lines) + "\n"


def _comment(words: str, column: int) -> list[str]:
    width = max(_WIDTH - column - 2, 20)
    return [f"{' ' * column}# {line}" for line in textwrap.wrap(words, width, break_long_words=False)]


class _Writer:
    """Writes a mapping of the site; what a key is for is said where the key stands first."""

    def __init__(self, site: Mapping[str, Any]) -> None:
        self._site = site
        self._said: set[str] = set()

    def mapping(self, value: Mapping[str, Any], path: KeyPath, column: int) -> Iterator[str]:
        for key, item in value.items():
            yield from self._entry(key, item, (*path, key), column)

    def _entry(self, key: str, value: Any, path: KeyPath, column: int) -> Iterator[str]:
        words = described(Site, self._site, path)
        if words not in self._said:
            self._said.add(words)
            yield from _comment(words, column)
        head = " " * column + one_line(key, flow=False)
        if isinstance(value, Mapping) and value and not _is_short(value):
            yield f"{head}:"
            yield from self.mapping(value, path, column + 2)
        elif isinstance(value, str) and _BLOCK.fullmatch(value):
            yield f"{head}: {'|' if value.endswith(chr(10)) else '|-'}"
            yield from (f"{' ' * (column + 2)}{line}" for line in value.removesuffix("\n").split("\n"))
        else:
            yield f"{head}: {one_line(value, flow=False)}"


def _is_short(value: Mapping[str, Any]) -> bool:
    """Whether a mapping reads better in one line, without comments: a host, requests and limits."""
    plain = not any(isinstance(item, (Mapping, list)) for item in value.values())
    return plain and len(one_line(dict(value), flow=True)) <= _SHORT and "kind" not in value
