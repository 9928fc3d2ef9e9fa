"""Credentials that a new installation gets: strong, and of letters that no file, shell or URL reads otherwise."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from xgen_infra.secrets_catalog import Secret

_LETTERS = string.ascii_letters + string.digits
_PASSWORD = 40
_ACCESS_KEY = 20
"""The length of an access key of AWS, which S3-compatible stores take (3 to 128 letters)."""


@dataclass(frozen=True)
class Generated:
    """A made-up value; `public` is what the other side has to be given, where that is not the value itself."""

    value: str
    public: str = ""


def generate(secret: Secret, comment: str) -> Generated:
    """Make up the value of a secret that may be made up; some 238 bits for a password, Ed25519 for a key pair."""
    if secret.made == "sshKey":
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return Generated(private, f"{public} {comment}")
    length = _ACCESS_KEY if secret.made == "accessKey" else _PASSWORD
    return Generated("".join(secrets.choice(_LETTERS) for _ in range(length)))
