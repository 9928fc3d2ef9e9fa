"""Sealing a new file's secrets: by a passphrase here, by a key service through the engine."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xgen_infra.authoring.answers import AnswerError
from xgen_infra.authoring.credentials import read_secret
from xgen_infra.engine.cli import Engine
from xgen_infra.passphrase import Vault
from xgen_infra.secrecy import opened
from xgen_infra.stackfile import PROJECT_FILE, StackFile

PASSPHRASE = "passphrase"  # noqa: S105 - the provider's name
_URL = re.compile(r"(awskms|azurekeyvault|gcpkms|hashivault)://\S+")
_KEPT = ("secretsprovider", "encryptedkey")


@dataclass(frozen=True)
class Sealed:
    """Secrets as the file holds them, by configuration key, and what the engine keeps beside them to open them."""

    secrets: Mapping[str, str]
    engine: Mapping[str, str]


PLACEHOLDER = Sealed(
    {}, {"encryptionsalt": "v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
)


def placeholder(keys: list[str]) -> Sealed:
    """Return what stands in a draft in place of secrets that nobody was asked for yet."""
    return Sealed(
        dict.fromkeys(keys, "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), PLACEHOLDER.engine
    )


@dataclass(frozen=True)
class Passphrase:
    """The engine's passphrase provider. Every file gets a salt of its own."""

    passphrase: str = field(repr=False)

    def __post_init__(self) -> None:
        opened.note(self.passphrase)

    def seal(self, _stack: str, values: Mapping[str, str]) -> Sealed:
        """Encrypt the values."""
        vault = Vault.new(self.passphrase)
        secrets = {key: vault.encrypt(value) for key, value in values.items()}
        return Sealed(secrets, {"encryptionsalt": vault.encryption_salt})


@dataclass(frozen=True)
class KeyService:
    """A key of a key service, by its URL (Pulumi documentation, "Secrets": available encryption providers).

    The engine encrypts, in a folder and a backend made for the moment: nothing is left in the real backend, and
    each value reaches the engine on its standard input.
    """

    url: str
    binary: Path = Path("pulumi")

    def seal(self, stack: str, values: Mapping[str, str]) -> Sealed:
        """Encrypt the values; raises EngineError where the engine or the key service refuses, OSError without engine."""
        with tempfile.TemporaryDirectory(prefix="xgen-new-") as name:
            folder = Path(name)
            (folder / "state").mkdir()
            (folder / PROJECT_FILE).write_text("name: xgen-infra\nruntime: yaml\n", encoding="utf-8")
            engine = Engine(
                folder, self.binary, {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}?metadata=skip"}
            )
            engine.run("stack", "init", stack, "--no-select", "--secrets-provider", self.url)
            for key, value in values.items():
                engine.run("config", "set", "--secret", key, "--stack", stack, given=f"{value}\n")
            made = StackFile.read(folder / f"Pulumi.{stack}.yaml")
        secrets = {key: made.config[key]["secure"] for key in values}
        return Sealed(secrets, {key: made.data[key] for key in _KEPT})


Sealer = Passphrase | KeyService


def sealer(provider: str, ask: object = None) -> Sealer:
    """Return what seals for a secrets provider: `passphrase`, or a key's URL. Raises AnswerError for any other.

    The passphrase is the engine's own: PULUMI_CONFIG_PASSPHRASE, or the file that PULUMI_CONFIG_PASSPHRASE_FILE names;
    otherwise `ask`, a function without arguments, is called for it.
    """
    if _URL.fullmatch(provider):
        return KeyService(provider)
    if provider != PASSPHRASE:
        expected = "'passphrase', or a URL such as 'awskms://alias/xgen-example-state?region=ap-northeast-2'"
        raise AnswerError(f"--secrets-provider: found '{provider}'; expected {expected}")
    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    named = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE", "")
    if not passphrase and named:
        passphrase = read_secret(Path(named))
    if not passphrase and callable(ask):
        passphrase = ask()
    if not passphrase:
        raise AnswerError(
            "no passphrase to encrypt with: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or name a "
            "key by --secrets-provider"
        )
    return Passphrase(passphrase)
