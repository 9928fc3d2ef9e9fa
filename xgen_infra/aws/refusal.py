"""Refusals that only AWS' answers can tell, as the engine shows them: a sentence, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pulumi

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def told(judge: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
    """Return what a pure function returns. Raises RunError, with its words, where it raises ValueError."""
    try:
        return judge(*args, **kwargs)
    except ValueError as refused:
        raise pulumi.RunError(str(refused)) from None
