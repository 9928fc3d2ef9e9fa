"""The secrets that this process has opened or was given: what it writes of its own mistakes is written without them."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from xgen_infra.findings import keeps_secret

_VALUES: set[str] = set()
_ANSWERS: dict[tuple[str, ...], str] = {}


def note(*values: str) -> None:
    """Remember values that were read from a file, typed, or taken from a cluster."""
    _VALUES.update(filter(None, values))


def answered(question: tuple[str, ...], answer: str) -> None:
    """Remember what the engine answered with --show-secrets; it is taken apart only where that is wanted."""
    _ANSWERS[question] = answer


def values() -> frozenset[str]:
    """Return every secret that this process knows, those in its environment included."""
    found = {*_VALUES, *_of_environment()}
    for question, answer in list(_ANSWERS.items()):
        # What has another form than the engine's own is passed over: this is called where something broke already.
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            found.update(_of_answer(question, answer))
    return frozenset(value for value in found if value.encode(errors="ignore").decode() == value)


def _of_environment() -> set[str]:
    """Return the values of variables that keep a secret by their names; of one that names a file, none."""
    return {
        value
        for name, value in os.environ.items()
        if (keeps_secret(name) or "PASSPHRASE" in name or "WEBHOOK" in name)
        and not name.endswith(("_FILE", "_ID"))
    }


def _of_answer(question: tuple[str, ...], answer: str) -> set[str]:
    from xgen_infra.secrecy import known  # noqa: PLC0415 - it imports the engine, which imports this

    read = {"config": known.of_config, "output": known.of_outputs}
    kind = next((word for word in question if word in read), "export")
    return set(read.get(kind, known.of_state)(json.loads(answer)).values())
