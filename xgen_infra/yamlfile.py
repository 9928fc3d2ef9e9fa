"""One YAML document with the place of every value, read as Pulumi's engine reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import ryaml
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xgen_infra.findings import Finding, KeyPath, Position, Refused, dotted
from xgen_infra.yaml_scalars import scalar

_PLAIN = "plain"
_TAG = "tag:yaml.org,2002:"
_MAX_SIZE = 1024 * 1024
_MAX_DEPTH = 64
_MAX_VALUES = 100_000
_START = Position(1, 1)


class _Parser(yaml.CBaseLoader):
    """libyaml's parser, with every unquoted scalar left for `scalar` to read."""

    def resolve(self, kind: type[Node], _value: str | None, implicit: Any) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else f"{_TAG}str"
        return f"{_TAG}seq" if kind is SequenceNode else f"{_TAG}map"

    def descend_resolver(self, _node: Node, _index: Any) -> None:
        """Do nothing: no tag depends on where a node stands."""

    def ascend_resolver(self) -> None:
        """Do nothing: no tag depends on where a node stands."""


_READ_OTHERWISE = re.compile(r"[\s\[{,][-+]?(?:0[0-9xXoObB]|[0-9.eE+-]*_|[0-9]{4}-[0-9])")
"""Unquoted numbers and dates that the quick parser reads otherwise than the engine; tags and merges it does too."""


class Document:
    """The one document of a YAML text. `data` is plain; `where` says where a value stands."""

    def __init__(self, text: str, name: str, data: dict[str, Any] | None = None) -> None:
        self.text = text
        self.name = name
        self.quick = data is not None
        self._tables: dict[int, dict[str, tuple[Node, Node]]] = {}
        if data is not None:
            self.__dict__["data"] = data  # what the cached property would have found

    @classmethod
    def read(cls, text: str, name: str) -> Document:
        """Read a text; raises Refused, with every duplicate key, where it is not one YAML mapping."""
        document = cls(text, name)
        _ = document.data
        return document

    @classmethod
    def read_quickly(cls, text: str, name: str) -> Document:
        """Read a text as `read` does, without places until one is asked for.

        The parser refuses duplicate keys and a second document too; whatever it refuses, or might read otherwise
        than the engine, is left to `read`. Data that is then found wrong is worth a second look at `exact`.
        """
        alike = "!" not in text and "<<" not in text and not _READ_OTHERWISE.search(text)
        if alike and len(text) <= _MAX_SIZE:
            try:
                data = ryaml.loads(text)
            except (ryaml.InvalidYamlError, ValueError, TypeError, RecursionError):
                data = None
            if isinstance(data, dict) and all(
                isinstance(key, str) for key in (*data, *_keys(data.get("config")))
            ):
                return cls(text, name, data)
        return cls.read(text, name)

    @cached_property
    def exact(self) -> Document:
        """The same document, read as the engine reads it; raises Refused where that cannot be done."""
        return Document.read(self.text, self.name) if self.quick else self

    @cached_property
    def _root(self) -> Node | None:
        self._within_bounds()
        parser = _Parser(self.text)
        try:
            root: Node | None = parser.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise Refused([self._syntax(error)]) from None
        except yaml.reader.ReaderError as error:
            raise Refused([self._character(error)]) from None
        finally:
            parser.dispose()
        return root

    @cached_property
    def data(self) -> dict[str, Any]:
        """The document as plain values."""
        root = self._root
        if root is None:
            raise Refused([self.finding((), "an empty file", expected="a mapping", rule="yaml")])
        reader = _Reader(self)
        data = reader.value(root, ())
        if reader.findings:
            raise Refused(reader.findings)
        if not isinstance(data, dict):
            found = "a list" if isinstance(root, SequenceNode) else "a plain value"
            raise Refused([self.at(root, (), found, expected="a mapping of keys to values", rule="yaml")])
        return data

    def where(self, path: KeyPath, *, key: bool = False) -> Position:
        """Return where a value stands: the value itself, or its key where it is a block; else the nearest parent.

        With `key`, where the value's key stands.
        """
        node, position = self._root, _START
        for part in path:
            step = self._step(node, part)
            if step is None:
                break
            owner, node = step
            position = _position(owner, owner if key else node)
        return position

    def written(self, path: KeyPath) -> str | None:
        """Return a scalar's text as it is written, without quotes; None where no scalar stands there."""
        node = self._root
        for key in path:
            step = self._step(node, key)
            if step is None:
                return None
            node = step[1]
        return str(node.value) if isinstance(node, ScalarNode) else None

    def _step(self, node: Node | None, key: str | int) -> tuple[Node, Node] | None:
        """Return (what names it, value) for one key or index of a node."""
        if isinstance(node, MappingNode):
            table = self._tables.get(id(node))
            if table is None:
                table = self._tables[id(node)] = _table(node)
            return table.get(str(key))
        if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
            return node.value[key], node.value[key]
        return None

    def finding(self, path: KeyPath, found: str, *, key: bool = False, **more: Any) -> Finding:
        """Return a finding at a value of the document, or at its key."""
        position = self.where(path, key=key) if path else _START
        return Finding(self.name, position.line, position.column, dotted(path), found, **more)

    def at(self, node: Node, path: KeyPath, found: str, **more: Any) -> Finding:
        """Return a finding at a node of the document."""
        mark = node.start_mark
        return Finding(self.name, mark.line + 1, mark.column + 1, dotted(path), found, **more)

    def _within_bounds(self) -> None:
        """Refuse what would exhaust libyaml's recursion: its composer has no limit of its own."""
        if len(self.text) > _MAX_SIZE:
            found = f"{len(self.text) // 1024} KiB"
            raise Refused([self.finding((), found, expected="a file of at most 1 MiB", rule="yaml")])
        if sum(map(self.text.count, "[{-?")) < _MAX_VALUES // 20 and " " * 500 not in self.text:
            return
        depth = 0
        try:
            for event in yaml.parse(self.text, Loader=yaml.CBaseLoader):
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if depth > _MAX_DEPTH:
                    line, column = (mark.line, mark.column) if (mark := event.start_mark) else (0, 0)
                    raise Refused([_deep(self.name, line + 1, column + 1)])
        except yaml.MarkedYAMLError as error:
            raise Refused([self._syntax(error)]) from None

    def _syntax(self, error: yaml.MarkedYAMLError) -> Finding:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        lines = self.text.splitlines() or [""]
        rest = lines[line][column:] if line < len(lines) else ""
        found, expected, mend = error.problem or "text that is no YAML", "YAML", ""
        if error.context == "expected a single document in the stream":
            found, expected = "a second document ('---')", "one document in a file"
            mend = "remove the '---' line, or move what follows to a file of its own"
        elif rest.startswith("\t") or lines[min(line, len(lines) - 1)].lstrip(" ").startswith("\t"):
            found, mend = "a tab", "YAML indents with spaces: replace the tab"
        elif "undefined alias" in found:
            mend = "define it above with '&', or put the text in quotes"
        elif rest[:1] in set("@`%"):
            mend = f"put a text that begins with '{rest[0]}' in quotes"
        elif "mapping values are not allowed" in found:
            mend = "a ': ' inside a text needs quotes around it; otherwise check the line's indentation"
        context = f" {error.context}" if error.context and expected == "YAML" and not mend else ""
        return Finding(
            self.name,
            line + 1,
            column + 1,
            "",
            found.removeprefix("found ") + context,
            expected,
            mend,
            rule="yaml",
        )

    def _character(self, error: yaml.reader.ReaderError) -> Finding:
        before = self.text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        code = f"U+{error.character:04X}" if isinstance(error.character, int) else "a control character"
        mend = "remove the character, or write it as an escape in double quotes"
        return Finding(
            self.name, line, column, "", f"the character {code}", "printable text", mend, rule="yaml"
        )


def _keys(value: Any) -> Iterable[Any]:
    return value if isinstance(value, dict) else ()


def _deep(name: str, line: int, column: int) -> Finding:
    expected = f"at most {_MAX_DEPTH} levels"
    return Finding(name, line, column, "", "values nested too deep", expected, rule="yaml")


def _table(node: MappingNode) -> dict[str, tuple[Node, Node]]:
    """Return (what names it, value) by key of a mapping, merged ones included; of two alike the first."""
    own: dict[str, tuple[Node, Node]] = {}
    merged: dict[str, tuple[Node, Node]] = {}
    for name, value in node.value:
        if name.value == "<<" and name.tag == _PLAIN:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                merged = {**(_table(source) if isinstance(source, MappingNode) else {}), **merged}
        elif isinstance(name, ScalarNode):
            own.setdefault(name.value, (name, value))
    return {**merged, **own}


def _position(owner: Node, value: Node) -> Position:
    # An alias has its anchor's place: there, as for a block that begins a line below, people look for the key.
    aliased = value.start_mark.index < owner.start_mark.index
    block = isinstance(value, (MappingNode, SequenceNode)) and not value.flow_style
    mark = owner.start_mark if aliased or block else value.start_mark
    return Position(mark.line + 1, mark.column + 1)


class _Reader:
    """Turns nodes into plain values, collecting what no file of ours may hold."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.findings: list[Finding] = []
        self.count = 0

    def value(self, node: Node, path: KeyPath) -> Any:
        """Return a node's plain value."""
        self.count += 1
        if len(path) > _MAX_DEPTH:
            mark = node.start_mark
            raise Refused([_deep(self.document.name, mark.line + 1, mark.column + 1)])
        if self.count > _MAX_VALUES:
            found, expected = "anchors that multiply without end", f"at most {_MAX_VALUES} values"
            raise Refused([self.document.at(node, (), found, expected=expected, rule="yaml")])
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        if node.tag == _PLAIN:
            return scalar(node.value)
        if node.tag != f"{_TAG}str":
            tag = node.tag.replace(_TAG, "!!")
            self._refuse(node, path, f"the tag {tag}", "a plain value", "remove the tag")
        return node.value

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, int] = {}
        for name, value in node.value:
            if not isinstance(name, ScalarNode):
                self._refuse(name, path, "a key that is a list or a mapping", "a word as key", "")
                continue
            key = str(name.value)
            if key == "<<" and name.tag == _PLAIN:
                merged = self._merged(value, path)
                continue
            line = name.start_mark.line + 1
            if key in first:
                mend = f"the first one is at line {first[key]}: keep one of them"
                self._refuse(name, (*path, key), f"the key '{key}' a second time", "each key once", mend)
            else:
                first[key] = line
                result[key] = self.value(value, (*path, key))
        return {**merged, **result} if merged else result

    def _merged(self, value: Node, path: KeyPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for source in value.value if isinstance(value, SequenceNode) else [value]:
            if isinstance(source, MappingNode):
                merged = {**self._mapping(source, (*path, "<<")), **merged}
            else:
                self._refuse(
                    source, (*path, "<<"), "'<<' with something else", "'<<: *name' of a mapping", ""
                )
        return merged

    def _refuse(self, node: Node, path: KeyPath, found: str, expected: str, mend: str) -> None:
        self.findings.append(self.document.at(node, path, found, expected=expected, mend=mend, rule="yaml"))
