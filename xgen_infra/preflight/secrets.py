"""The site's secrets for one run: from the environment, else from the stack's own `secure:` values."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xgen_infra.engine import Engine, EngineError
from xgen_infra.preflight.check import StopError, warn
from xgen_infra.secrecy import opened
from xgen_infra.secrets_catalog import BY_KEY

_HIDDEN = "[secret]"
_SHORTEST = 4


class UnreadableError(Exception):
    """The engine does not open the stack's secrets."""


def variable(key: str) -> str:
    """Return the environment variable of a secret: `postgresPassword` is XGEN_POSTGRES_PASSWORD."""
    return f"XGEN_{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', key).upper()}"


@dataclass
class Secrets:
    """Asks the engine once, when the first secret that no variable holds is wanted; for several threads."""

    stack: str
    engine: Engine
    environ: Mapping[str, str] = field(repr=False)
    _opened: dict[str, str] | None = field(default=None, repr=False)
    _refusal: str = field(default="", repr=False)
    _given: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def read(self, key: str) -> str:
        """Return a secret by its key, such as `postgresPassword`; raises UnreadableError."""
        value = self._from_environment(key) or self._stored().get(BY_KEY[f"xgen-infra:{key}"].config_key)
        if value is None:
            raise UnreadableError(f"the stack {self.stack} holds no xgen-infra:{key}")
        self._given.add(value)
        opened.note(value)
        return value

    def _from_environment(self, key: str) -> str | None:
        """Return what a variable holds, or the file that XGEN_..._FILE names."""
        file = self.environ.get(f"{variable(key)}_FILE")
        if self.environ.get(variable(key)) or not file:
            return self.environ.get(variable(key))
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise UnreadableError(f"{variable(key)}_FILE names {file}: {why}") from None

    def source(self, key: str) -> str:
        """Return in words where a secret comes from."""
        names = (variable(key), f"{variable(key)}_FILE")
        return next((name for name in names if self.environ.get(name)), "the stack")

    def need(self, key: str) -> str:
        """Return a secret, or end the check that needs it."""
        try:
            return self.read(key)
        except UnreadableError:
            raise StopError(
                warn(
                    f"not looked at: xgen-infra:{key} cannot be read",
                    f"see the check secrets, or set {variable(key)}",
                )
            ) from None

    def hide(self, text: str) -> str:
        """Return a text without any secret that was read."""
        for value in sorted(self._given, key=len, reverse=True):
            if len(value) >= _SHORTEST:
                text = text.replace(value, _HIDDEN)
        return text

    def _stored(self) -> Mapping[str, str]:
        with self._lock:
            if self._opened is None and not self._refusal:
                self._ask()
            if self._opened is None:
                raise UnreadableError(self._refusal)
            return self._opened

    def _ask(self) -> None:
        # Without a log: the answer is the secrets.
        quiet = Engine(self.engine.project, self.engine.binary, self.engine.environment)
        try:
            told = json.loads(quiet.run("config", "--show-secrets", "--json", "--stack", self.stack))
        except (EngineError, OSError, ValueError) as error:
            self._refusal = (str(error).strip().splitlines() or ["it failed"])[-1]
            return
        self._opened = {key: str(one["value"]) for key, one in told.items() if "value" in one}
