"""The customer's file for a rehearsal: the file itself, with every `secure:` value replaced by a canary.

The customer's secrets cannot be decrypted here and are not needed; what takes their place is unique, so that
it can be searched for wherever a secret must not be.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from xgen_infra.passphrase import Vault

SEALS = ("encryptionsalt", "secretsprovider", "encryptedkey")
_SPECIAL = "/+&\\|'\"#$="
"""Characters that occur in real keys and passwords, and that naive templates corrupt."""


@dataclass(frozen=True)
class RehearsalFile:
    """A stack file that the rehearsal's passphrase opens, and the canaries in it by configuration key."""

    path: Path
    canaries: Mapping[str, str]
    shared: Canaries = field(repr=False)

    def become(self, source: Path) -> RehearsalFile:
        """Write another revision of the customer's file in its place: what is sealed alike keeps its canary."""
        return prepare(source, self.path, self.shared)

    def value(self, path: tuple[str, ...], default: object = None) -> object:
        """Return one value below `xgen-infra:site`."""
        part = yaml.safe_load(self.path.read_text())["config"]["xgen-infra:site"]
        for key in path:
            part = part.get(key, default) if isinstance(part, dict) else default
        return part

    def change(self, path: tuple[str, ...], value: object) -> None:
        """Set one value below `xgen-infra:site`."""
        document = yaml.safe_load(self.path.read_text())
        part = document["config"]["xgen-infra:site"]
        for key in path[:-1]:
            part = part.setdefault(key, {})
        part[path[-1]] = value
        _write(self.path, document)


class Canaries:
    """Canaries that several revisions of one file share: the same key sealed as the same text keeps its canary."""

    def __init__(self, passphrase: str) -> None:
        self.vault = Vault.new(passphrase)
        self._given: dict[tuple[str, str], str] = {}

    def of(self, key: str, sealed: str) -> str:
        """Return the canary of a `secure:` value."""
        return self._given.setdefault((key, sealed), canary())

    @property
    def all(self) -> tuple[str, ...]:
        """Every canary that was given out."""
        return tuple(self._given.values())


def prepare(source: Path, target: Path, shared: Canaries) -> RehearsalFile:
    """Write the rehearsal's copy of a customer's file; the source stays as it is."""
    document = yaml.safe_load(source.read_text())
    vault = shared.vault
    canaries: dict[str, str] = {}
    for key, value in document.get("config", {}).items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            canaries[key] = shared.of(key, str(value["secure"]))
            document["config"][key] = {"secure": vault.encrypt(canaries[key])}
    for seal in SEALS:
        document.pop(seal, None)
    document["encryptionsalt"] = vault.encryption_salt
    _write(target, document)
    return RehearsalFile(target, canaries, shared)


def seal(source: Path) -> tuple[str, ...]:
    """Return what a stack file's secrets are sealed with."""
    document = yaml.safe_load(source.read_text())
    return tuple(str(document.get(key)) for key in SEALS)


def canary() -> str:
    """Return a value that occurs nowhere else, with the characters that templates corrupt."""
    return f"canary-{secrets.token_hex(12)}{_SPECIAL}{secrets.token_hex(4)}"


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
