"""Pulumi's passphrase secrets manager, as far as a stack file needs it: `encryptionsalt` and `secure:` values.

The format is the engine's own (Pulumi documentation, "Secrets": passphrase encryption): PBKDF2-SHA256 with
1,000,000 rounds, AES-256-GCM, `v1:<nonce>:<ciphertext>` in base64.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

_CHECK = b"pulumi"
_ROUNDS = 1_000_000
_NONCE = 12


class WrongPassphraseError(ValueError):
    """The passphrase does not fit the stack file's salt."""


@dataclass(frozen=True)
class Vault:
    """A key derived from a passphrase, with the `encryptionsalt` line that belongs to it."""

    key: bytes
    encryption_salt: str

    @classmethod
    def new(cls, passphrase: str) -> Vault:
        """Make a vault with a fresh salt."""
        salt = os.urandom(8)
        key = _derive(passphrase, salt)
        return cls(key, f"v1:{b64encode(salt).decode()}:{_seal(key, _CHECK)}")

    @classmethod
    def open(cls, passphrase: str, encryption_salt: str) -> Vault:
        """Open the vault of a stack file.

        Raises WrongPassphraseError where the passphrase does not fit, ValueError where the line has another form.
        """
        version, salt, check = encryption_salt.split(":", 2)
        if version != "v1":
            raise ValueError(f"encryptionsalt of version {version!r}: expected v1")
        key = _derive(passphrase, b64decode(salt))
        if _unseal(key, check) != _CHECK:
            raise WrongPassphraseError("the passphrase does not fit this stack file's encryptionsalt")
        return cls(key, encryption_salt)

    def encrypt(self, text: str) -> str:
        """Return the text as the value of a `secure:` key."""
        return _seal(self.key, text.encode())

    def decrypt(self, value: str) -> str:
        """Return the text of a `secure:` value; raises WrongPassphraseError where it was sealed by another key."""
        return _unseal(self.key, value).decode()


def _derive(passphrase: str, salt: bytes) -> bytes:
    return PBKDF2HMAC(SHA256(), 32, salt, _ROUNDS).derive(passphrase.encode())


def _seal(key: bytes, text: bytes) -> str:
    nonce = os.urandom(_NONCE)
    return f"v1:{b64encode(nonce).decode()}:{b64encode(AESGCM(key).encrypt(nonce, text, None)).decode()}"


def _unseal(key: bytes, value: str) -> bytes:
    version, nonce, sealed = value.split(":")
    if version != "v1":
        raise ValueError(f"secure value of version {version!r}: expected v1")
    try:
        return AESGCM(key).decrypt(b64decode(nonce), b64decode(sealed), None)
    except InvalidTag:
        raise WrongPassphraseError("this value was not encrypted with this passphrase") from None
