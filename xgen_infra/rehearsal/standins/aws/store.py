"""A JSON file for what the emulator does not know: EKS add-ons, access entries, pod identities."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Item = dict[str, Any]
Items = dict[str, Item]


class Store:
    """Items by kind and id, in one file that is read afresh each time and replaced whole.

    Another process may take an item away (drift): the next `get` does not find it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_suffix(".lock")

    def get(self, kind: str, key: str) -> Item | None:
        """Give the item, or None when there is none of that id."""
        return self._load().get(kind, {}).get(key)

    def all(self, kind: str) -> Items:
        """Give every item of the kind by its id."""
        return self._load().get(kind, {})

    def put(self, kind: str, key: str, item: Item) -> None:
        """Write the item, new or not."""
        with self._changing() as content:
            content.setdefault(kind, {})[key] = item

    def drop(self, kind: str, key: str) -> bool:
        """Take the item away; False when it was not there."""
        with self._changing() as content:
            return content.get(kind, {}).pop(key, None) is not None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Items]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self._load()
            yield content
            beside = self._path.with_suffix(".new")
            with beside.open("w", encoding="utf-8") as file:
                json.dump(content, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)

    def _load(self) -> dict[str, Items]:
        try:
            content: dict[str, Items] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return content
