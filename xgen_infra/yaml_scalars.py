"""What an unquoted YAML scalar means to Pulumi's engine."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_FIRST = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}.*)?")
_OLD_OCTAL = re.compile(r"([-+]?)0([0-7]+)")


@dataclass(frozen=True)
class Date:
    """An unquoted date, which the engine would hand over in another form than the one written."""

    text: str

    def __str__(self) -> str:
        return f"the date {self.text}"


def scalar(text: str) -> Any:
    """Return what an unquoted scalar means to Pulumi's engine (gopkg.in/yaml.v3): `yes` and `on` are strings."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST:
        return text
    if _is_date(text):
        return Date(text)
    digits = text.replace("_", "") if text[0] != "." else re.sub(r"(?<=\d)_(?=\d)", "", text)
    if _INTEGER.fullmatch(digits):
        old = _OLD_OCTAL.fullmatch(digits)
        number = int(f"{old[1]}0o{old[2]}" if old else digits, 0)
        return number if -(2**63) <= number < 2**64 else float(number)
    if _FLOAT.fullmatch(digits) and not math.isinf(float(digits)):
        return float(digits)
    return text


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True
