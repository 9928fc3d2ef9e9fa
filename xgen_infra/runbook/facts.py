"""A stack's outputs as steps read them: by name, and knowing what was asked for and was not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xgen_infra.runbook import shape
from xgen_infra.secrets_catalog import SECRET_OUTPUTS

HIDDEN = "[secret]"
"""What `pulumi stack output` writes in place of a secret (Pulumi documentation, "pulumi stack output")."""
_NOTHING: tuple[Any, ...] = (None, "", [], {})


class RunbookError(Exception):
    """The outputs are none, or not all that a step needs. Its text is for the user."""


class MissingOutputError(RunbookError):
    """One output, named by `path`, is not there or empty."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the output {path} is not there")
        self.path = path


class Facts:
    """One mapping of outputs, and those below it. Each name that is asked for and missing is noted in `missing`.

    An output that is there and empty counts as false; only to write it out makes it missing. Secret outputs are
    never there.
    """

    def __init__(
        self, values: Mapping[str, Any], path: tuple[str, ...] = (), missing: list[str] | None = None
    ) -> None:
        self._values = values
        self._path = path
        self.missing: list[str] = [] if missing is None else missing

    def __getitem__(self, name: str) -> Any:
        path = (*self._path, name)
        if name not in self._values or self._secret(name):
            return _Missing(".".join(path), self.missing, there=False)
        value = self._values[name]
        if isinstance(value, Mapping) and value:
            return Facts(value, path, self.missing)
        if value in _NOTHING:
            return _Missing(".".join(path), self.missing, there=True)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, *path: str) -> Any:
        """Return a value below these names as plain data, None where there is none; nothing is noted."""
        value: Any = self._values
        for name in path:
            if not isinstance(value, Mapping) or value.get(name) == HIDDEN or name in SECRET_OUTPUTS:
                return None
            value = value.get(name)
        return value

    def text(self, *path: str) -> str:
        """Return a value below these names as text. Raises MissingOutputError where there is none."""
        value = self.get(*path)
        if value in _NOTHING:
            raise MissingOutputError(".".join(path))
        return str(value)

    @property
    def namespace(self) -> str:
        """Namespace of the six services."""
        return self.text("namespace")

    @property
    def delivery(self) -> str:
        """`argocd` or `helm`."""
        return self.text("delivery")

    def _secret(self, name: str) -> bool:
        return self._values[name] == HIDDEN or (not self._path and name in SECRET_OUTPUTS)


class _Missing:
    """Stands where an output is not, or is empty: false, without parts, and noted when it is needed."""

    def __init__(self, path: str, missing: list[str], *, there: bool) -> None:
        self._path, self._missing, self._there = path, missing, there

    def __getitem__(self, name: str) -> _Missing:
        return _Missing(f"{self._path}.{name}", self._missing, there=False)

    def __add__(self, _other: object) -> _Missing:
        return self

    def __bool__(self) -> bool:
        return self._asked(wanted=False)

    def __iter__(self) -> Iterator[Any]:
        self._asked(wanted=False)
        return iter(())

    def __len__(self) -> int:
        return int(self._asked(wanted=False))

    def __eq__(self, other: object) -> bool:
        return self._asked(wanted=False)

    def __hash__(self) -> int:
        return hash(self._path)

    def __str__(self) -> str:
        self._asked(wanted=True)
        return ""

    def _asked(self, *, wanted: bool) -> bool:
        if (wanted or not self._there) and self._path not in self._missing:
            self._missing.append(self._path)
        return False


def facts_of(outputs: Any, source: str) -> Facts:
    """Return a stack's outputs; `source` is what messages call where they came from.

    Raises RunbookError where these are no outputs of this program's stack.
    """
    if not isinstance(outputs, Mapping) or not all(isinstance(name, str) for name in outputs):
        raise RunbookError(
            f"{source}: expected one JSON object, as `pulumi stack output --json --stack SITE` prints it"
        )
    if not outputs:
        raise RunbookError(f"{source}: the stack has no outputs: `pulumi up` makes them")
    absent = [name for name in ("stack", "kind", "delivery", "namespace") if not _is_text(outputs, name)]
    if absent:
        raise RunbookError(
            f"{source}: no output {', '.join(absent)}: this is not a stack of xgen-infra, or its last `pulumi up` was "
            "by a version before runbooks. `pulumi up` with this version adds what is missing"
        )
    if found := list(shape.wrong(outputs)):
        raise RunbookError("\n".join(f"{source}: {one}" for one in found))
    return Facts(outputs)


def _is_text(outputs: Mapping[str, Any], name: str) -> bool:
    return isinstance(outputs.get(name), str) and bool(outputs[name])


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
