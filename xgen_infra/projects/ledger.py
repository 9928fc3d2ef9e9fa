"""What became of each value of an imported file: nothing of it gets lost without being told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from xgen_infra.findings import KeyPath, Position, dotted, keeps_secret, shown
from xgen_infra.yamlfile import Document

Fate = Literal["carried", "derived", "left"]
UNKNOWN = "a customer's file has nothing like it: docs/file.md lists what there is"


@dataclass(frozen=True)
class Entry:
    """One value: `carried` to a place of the new file, `derived` since it follows from others, or `left` behind.

    `about` is the place in the new file, or why; `value` is as people wrote it, without secrets.
    """

    fate: Fate
    file: str
    position: Position
    path: str
    value: str
    about: str

    @property
    def text(self) -> str:
        """One line for a terminal."""
        at = f"{self.file}:{self.position.line}:{self.position.column}"
        return f"{at}: {self.path} ({self.value}): {self.about}"


class Ledger:
    """The fate of every value of one document. A value that nobody spoke of is left behind, and told."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._fates: dict[KeyPath, dict[Fate, str]] = {}

    def carried(self, path: KeyPath, to: KeyPath | str) -> None:
        """Note that a value, with all below it, stands in the new file."""
        self._note("carried", path, to if isinstance(to, str) else dotted(to))

    def derived(self, path: KeyPath, why: str) -> None:
        """Note that a value need not stand in the new file: the program comes to the same."""
        self._note("derived", path, why)

    def left(self, path: KeyPath, why: str) -> None:
        """Note that a value could not be carried over."""
        self._note("left", path, why)

    def _note(self, fate: Fate, path: KeyPath, about: str) -> None:
        for leaf in leaves(_at(self._document.data, path), path):
            self._fates.setdefault(leaf, {})[fate] = about

    def entries(self) -> list[Entry]:
        """Return an entry for every value of the document; of two fates the worst one."""
        return [self._entry(leaf) for leaf in leaves(self._document.data, ())]

    def _entry(self, leaf: KeyPath) -> Entry:
        fates = self._fates.get(leaf, {"left": UNKNOWN})
        fate: Fate = next(one for one in ("left", "carried", "derived") if one in fates)
        hidden = any(keeps_secret(part) for part in leaf)
        value = "not shown" if hidden else shown(_at(self._document.data, leaf))
        position = self._document.where(leaf)
        return Entry(fate, self._document.name, position, dotted(leaf), value, fates[fate])


def leaves(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the path of everything that holds nothing else."""
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    below = [leaf for key, item in items for leaf in leaves(item, (*path, key))]
    yield from below or [path]


def _at(data: Any, path: KeyPath) -> Any:
    for key in path:
        data = data[key]
    return data
