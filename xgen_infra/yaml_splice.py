"""Where a value stands in a YAML text, and the text with another value in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xgen_infra.findings import KeyPath, dotted

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]

_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_PLAIN = re.compile(r"[A-Za-z][\w./@+=-]*(:[\w./@+=-]+)*|[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?", re.ASCII)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_ALIAS = re.compile(r"\s*:\s*\*[^\s,\]}]+")
_AFTER_KEY = re.compile(r"\s*:")


class EditError(ValueError):
    """A change that cannot be made without touching more than was asked for; the message says where and why."""


@dataclass(frozen=True)
class _Found:
    """The deepest node of a path that exists, the key that names it, and the keys that are missing below it."""

    node: Node
    key: Node | None
    missing: KeyPath
    flow: bool
    column: int


class Splice:
    """One YAML text. `root` is its composed document; nothing but the value asked for changes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def set(self, root: MappingNode, path: KeyPath, value: Value) -> str:
        found = self._find(root, path)
        if not found.missing:
            return self._replace(found, value)
        for key in reversed(found.missing[1:]):
            value = {str(key): value}
        entry = {str(found.missing[0]): value}
        node = found.node
        if isinstance(node, MappingNode) and node.value:
            return self._extend(node, entry, found)
        if isinstance(node, MappingNode) or (isinstance(node, ScalarNode) and self._is_nothing(node)):
            return self._fill(found, entry)
        kind = "a list" if isinstance(node, SequenceNode) else "a plain value"
        done = path[: len(path) - len(found.missing)]
        raise EditError(f"{dotted(done)} is {kind}, so it cannot hold {found.missing[0]}")

    def remove(self, root: MappingNode, path: KeyPath) -> str:
        parent = self._find(root, path[:-1]).node if len(path) > 1 else root
        if not isinstance(parent, MappingNode):
            raise EditError(f"{dotted(path[:-1])} is a list: only whole lists are replaced")
        index = next(n for n, (key, _) in enumerate(parent.value) if key.value == str(path[-1]))
        key, value = parent.value[index]
        begin, end = key.start_mark.index, self._end(key, value)
        if parent.flow_style:
            if index + 1 < len(parent.value):
                end = parent.value[index + 1][0].start_mark.index
            elif index:
                begin = self._end(*parent.value[index - 1])
            return self.text[:begin] + self.text[end:]
        if self.text[self._line(begin) : begin].strip():
            raise EditError(f"{dotted(path)} begins a list's item: edit it by hand")
        return self.text[: self._line(begin)] + self.text[self._next_line(end) :]

    def _find(self, root: MappingNode, path: KeyPath) -> _Found:
        found = _Found(root, None, path, bool(root.flow_style), 0)
        for depth, step in enumerate(path):
            node = found.node
            if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                child = node.value[step]
                found = _Found(child, None, path[depth + 1 :], found.flow or _is_flow(node), found.column)
                continue
            pair = None
            if isinstance(node, MappingNode):
                pair = next(((k, v) for k, v in reversed(node.value) if k.value == str(step)), None)
            if pair is None:
                return found
            key, child = pair
            if child.start_mark.index < key.start_mark.index:
                raise EditError(f"{dotted(path[: depth + 1])} is an alias ('*'): write its value out first")
            flow = found.flow or _is_flow(node)
            found = _Found(child, key, path[depth + 1 :], flow, key.start_mark.column)
        return found

    def _replace(self, found: _Found, value: Value) -> str:
        node = found.node
        style = node.style if isinstance(node, ScalarNode) else None
        shown = one_line(value, flow=found.flow, quote=style if style in {"'", '"'} else None)
        if isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style:
            if found.key is None or found.flow:
                raise EditError("a list's item that is a block cannot be replaced: edit it by hand")
            colon = self._colon(found.key)
            first = self._line(node.start_mark.index)
            last = self._next_line(self._last(node))
            return f"{self.text[:colon]} {shown}{self.text[colon:first]}{self.text[last:]}"
        begin, end = node.start_mark.index, node.end_mark.index
        if style in {"|", ">"}:
            end = begin + len(self.text[begin:end].rstrip())
        if begin == end:
            shown = f" {shown}"
        return self.text[:begin] + shown + self.text[end:]

    def _extend(self, node: MappingNode, entry: Mapping[str, Value], found: _Found) -> str:
        """Add an entry behind the last one of a mapping."""
        end = self._end(*node.value[-1])
        if node.flow_style:
            inside = one_line(entry, flow=True)[1:-1]
            return f"{self.text[:end]}, {inside}{self.text[end:]}"
        column = node.value[0][0].start_mark.column
        step = column - found.column if found.key is not None and column > found.column else 2
        return self._insert_lines(self.text, end, _block(entry, column, step))

    def _fill(self, found: _Found, entry: Mapping[str, Value]) -> str:
        """Put an entry into an empty mapping, or where a key has no value."""
        node = found.node
        begin, end = node.start_mark.index, node.end_mark.index
        if found.flow or found.key is None:
            gap = " " if begin == end else ""
            return self.text[:begin] + gap + one_line(entry, flow=True) + self.text[end:]
        head = self.text[:begin].rstrip(" ") if begin != end else self.text[:begin]
        tail = self.text[end:]
        lines = _block(entry, found.column + 2, 2)
        return self._insert_lines(head + tail, len(head), lines)

    def _insert_lines(self, text: str, behind: int, lines: Sequence[str]) -> str:
        place = text.find("\n", behind) + 1
        added = self.newline.join(lines)
        if not place:
            ended = text.endswith("\n")
            return text + ("" if ended else self.newline) + added + (self.newline if ended else "")
        return text[:place] + added + self.newline + text[place:]

    def _is_nothing(self, node: ScalarNode) -> bool:
        return node.style is None and node.value in _NOTHING

    def _colon(self, key: Node) -> int:
        found = _AFTER_KEY.match(self.text, key.end_mark.index)
        if not found:
            raise EditError(f"line {key.start_mark.line + 1}: a key of this form is edited by hand")
        return found.end()

    def _end(self, key: Node, value: Node) -> int:
        """Return where an entry's last character ends: a block collection's own mark is behind comments."""
        if value.start_mark.index < key.start_mark.index:
            alias = _ALIAS.match(self.text, key.end_mark.index)
            return alias.end() if alias else int(key.end_mark.index)
        return self._last(value)

    def _last(self, node: Node) -> int:
        if isinstance(node, MappingNode) and not node.flow_style and node.value:
            return self._end(*node.value[-1])
        if isinstance(node, SequenceNode) and not node.flow_style and node.value:
            return self._last(node.value[-1])
        begin, end = int(node.start_mark.index), int(node.end_mark.index)
        if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
            body = self.text[begin:end]
            keeps = "+" in body.split("\n", 1)[0]
            return self._line(end) - 1 if keeps and end > begin else begin + len(body.rstrip())
        return end

    def _line(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _next_line(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1


def _is_flow(node: Node) -> bool:
    return isinstance(node, (MappingNode, SequenceNode)) and bool(node.flow_style)


def one_line(value: Value, *, flow: bool, quote: str | None = None) -> str:
    """Return a value on one line; inside braces a colon is quoted."""
    if isinstance(value, str):
        return _string(value, flow=flow, quote=quote)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        inside = (f"{_string(key, flow=True)}: {one_line(item, flow=True)}" for key, item in value.items())
        return "{" + ", ".join(inside) + "}"
    return "[" + ", ".join(one_line(item, flow=True) for item in value) + "]"


def _block(entry: Mapping[str, Value], column: int, step: int) -> list[str]:
    lines: list[str] = []
    for key, value in entry.items():
        head = " " * column + _string(key, flow=False)
        if isinstance(value, Mapping) and value:
            lines += [f"{head}:", *_block(value, column + step, step)]
        else:
            lines.append(f"{head}: {one_line(value, flow=False)}")
    return lines


def _string(value: str, *, flow: bool, quote: str | None = None) -> str:
    """Return a string that every YAML reader takes for one (YAML 1.1 and 1.2 disagree on plain words)."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not (flow and ":" in value)
    if plain and quote is None:
        return value
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(letter: str) -> str:
    """Return a letter as double quotes hold it: YAML has no surrogate pairs (YAML 1.2.2, "Escaped Characters")."""
    if letter in {'"', "\\"}:
        return f"\\{letter}"
    if letter.isprintable() and ord(letter) < 0x10000:  # noqa: PLR2004
        return letter
    return {"\n": "\\n", "\t": "\\t"}.get(letter, f"\\U{ord(letter):08x}")
