"""Boxes with text that fits: what a drawing is made of, in SVG user units, y downwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

SIZE = 13.0
LINE = 18.0
PAD = 12.0
GAP = 16.0
_ADVANCE = 0.62
"""Width of a letter of a monospaced font, in sizes of the font; a wide (East Asian) one takes two. Names are set in
monospace, so that this is the width everywhere, whatever fonts a machine has."""
_BREAKS = re.compile(r"(?<=[/.:@_-])")


@dataclass(frozen=True)
class Text:
    """One line; `kind` is a class of the style sheet."""

    x: float
    y: float
    text: str
    kind: str = "name"


@dataclass(frozen=True)
class Box:
    """A rectangle; `kind` is a class of the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True)
class Arrow:
    """A line from one point to another; `both` has a head at each end."""

    x1: float
    y1: float
    x2: float
    y2: float
    both: bool = False


@dataclass
class Drawing:
    """What is drawn, the first at the bottom."""

    width: float
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def label(self, x: float, y: float, width: float, text: str, kind: str = "label") -> float:
        """Write text into a width from `y` (its top) down; return its height."""
        lines = wrapped(text, width)
        self.texts += [Text(x, y + SIZE + number * LINE, line, kind) for number, line in enumerate(lines)]
        return len(lines) * LINE


@dataclass(frozen=True)
class Card:
    """A title, and names below it, each of which is broken where it does not fit."""

    title: str
    names: Sequence[str]
    kind: str = "card"

    def lines(self, width: float) -> list[tuple[str, str]]:
        """Return (kind of text, text) line by line."""
        inner = width - 2 * PAD
        heads = [("title", line) for line in wrapped(self.title, inner)] if self.title else []
        return heads + [("name", line) for name in self.names if name for line in wrapped(name, inner)]

    def height(self, width: float) -> float:
        """Return the height that the card needs at a width."""
        return len(self.lines(width)) * LINE + 2 * PAD - (LINE - SIZE)

    def draw(self, drawing: Drawing, x: float, y: float, width: float, height: float | None = None) -> None:
        """Put the card at a place."""
        drawing.boxes.append(Box(x, y, width, height or self.height(width), self.kind))
        for number, (kind, text) in enumerate(self.lines(width)):
            drawing.texts.append(Text(x + PAD, y + PAD + SIZE - 2 + number * LINE, text, kind))


def grid(
    drawing: Drawing, cards: Sequence[Card], x: float, y: float, width: float, columns: int
) -> tuple[float, list[Box]]:
    """Draw cards in equal columns, those of a row equally high; return (height, their boxes)."""
    each = (width - (columns - 1) * GAP) / columns
    top, placed = y, list[Box]()
    for start in range(0, len(cards), columns):
        row = cards[start : start + columns]
        height = max(card.height(each) for card in row)
        for number, card in enumerate(row):
            card.draw(drawing, x + number * (each + GAP), top, each, height)
            placed.append(drawing.boxes[-1])
        top += height + GAP
    return top - y - (GAP if cards else 0), placed


def width_of(text: str) -> float:
    """Return the width of text, at most."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text) * SIZE * _ADVANCE


def wrapped(text: str, width: float) -> list[str]:
    """Break text into lines of a width: between words, then within a word after its separators, then anywhere."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(joined) <= width:
            lines[-1] = joined
        else:
            lines += _broken(word, width)
    return [line for line in lines if line]


def _broken(word: str, width: float) -> list[str]:
    lines = [""]
    for part in _BREAKS.split(word):
        if lines[-1] and width_of(lines[-1] + part) > width:
            lines.append("")
        for letter in part:
            if lines[-1] and width_of(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines
