"""The keys of a customer's file: which there may be, and which values are secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from xgen_infra.findings import Finding
from xgen_infra.secrets_catalog import BY_KEY, SECRETS
from xgen_infra.stackfile import PROJECT_FILE, SITE_KEY, VENDOR_KEY, StackFile, is_secure

_ENGINE_KEYS = ("config", "encryptionsalt", "secretsprovider", "encryptedkey")
_INSTEAD = {"aws": "write cluster.region and cluster.account", "kubernetes": "write cluster.context"}
_SEALED = re.compile(r"v1:[A-Za-z0-9+/]+=*:[A-Za-z0-9+/]+=*")
"""How the engine writes what it encrypted with a passphrase or a cloud's key."""


def key_problems(file: StackFile) -> list[Finding]:
    """Return what is wrong with the file's keys, and with secrets that stand where none may."""
    config = file.data.get("config")
    if config is not None and not isinstance(config, dict):
        found = file.finding(("config",), "no mapping", expected=f"configuration keys, {SITE_KEY} among them")
        return [*_top_level(file), found]
    return [*_top_level(file), *_config_keys(file), *_secure_values(file), *_nested_secrets(file)]


def _top_level(file: StackFile) -> Iterator[Finding]:
    for key in file.data:
        if key in _ENGINE_KEYS:
            continue
        if key == "environment":
            mend = "remove it: its values would reach the program unseen by this file's checks"
        elif ":" in key or key in {"site", "vendor"}:
            mend = "indent it below 'config:'"
        else:
            close = get_close_matches(key, _ENGINE_KEYS, 1)
            mend = f"did you mean '{close[0]}'?" if close else "remove it"
        expected = "one of " + ", ".join(_ENGINE_KEYS)
        yield file.finding((key,), f"the unknown key '{key}'", key=True, expected=expected, mend=mend)


def _config_keys(file: StackFile) -> Iterator[Finding]:
    if SITE_KEY not in file.config:
        mend = f"write the customer's values below 'config:' as '{SITE_KEY}:'"
        yield file.finding(("config",), f"no {SITE_KEY}", mend=mend)
    for key, value in file.config.items():
        path = ("config", key)
        if key == SITE_KEY:
            if is_secure(value):
                found = "the whole site encrypted"
                mend = "write it in plain: secrets have keys of their own"
                yield file.finding(path, found, mend=mend)
        elif key in BY_KEY:
            if not is_secure(value):
                mend = f"remove this line, replace that password, then: {BY_KEY[key].command}"
                yield file.finding(path, "a secret in plain text", expected="secure: ...", mend=mend)
        elif key != "pulumi:tags":
            yield file.finding(path, f"the unknown key '{key}'", key=True, mend=_mend_config_key(key))


def _secure_values(file: StackFile) -> Iterator[Finding]:
    sealed_here = "encryptionsalt" in file.data or "encryptedkey" in file.data
    if file.secure and not sealed_here:
        first = next(key for key in file.config if key in file.secure)
        yield file.finding(
            ("config", first),
            "encrypted values, but neither encryptionsalt nor secretsprovider with encryptedkey",
            mend="the engine can decrypt them only where its backend keeps the key",
            severity="warning",
        )
    if "secretsprovider" in file.data and not sealed_here:
        yield file.finding(
            ("secretsprovider",), "no encryptedkey", mend="run: pulumi stack change-secrets-provider"
        )
    for key in file.config if sealed_here else ():
        if key in file.secure and key in BY_KEY and not _SEALED.fullmatch(file.config[key]["secure"]):
            mend = f"if it is the secret itself, replace that secret; then: {BY_KEY[key].command}"
            found = "a value that the engine did not encrypt"
            expected = "v1:<nonce>:<ciphertext>"
            yield file.finding(("config", key, "secure"), found, expected=expected, mend=mend)


def _nested_secrets(file: StackFile) -> Iterator[Finding]:
    for path in file.nested_secrets:
        mend = "remove it here; the secret keys are " + ", ".join(secret.key for secret in SECRETS)
        expected = "secrets as configuration keys of their own"
        at = ("config", SITE_KEY, *path)
        yield file.finding(at, "an encrypted value inside the site", expected=expected, mend=mend)


def _mend_config_key(key: str) -> str:
    namespace, _, name = key.partition(":")
    if not name:
        known = f"xgen-infra:{key}"
        return f"write '{known}'" if known in {SITE_KEY, *BY_KEY} else "keys begin with 'xgen-infra:'"
    if key == VENDOR_KEY:
        return f"the vendor's values stand in {PROJECT_FILE}; what differs here goes under '{SITE_KEY}:'"
    if namespace != "xgen-infra":
        instead = _INSTEAD.get(namespace, "remove it")
        return f"it would be ignored, for every resource names its provider: {instead}"
    close = get_close_matches(key, (SITE_KEY, *BY_KEY), 1, 0.75)
    return f"did you mean '{close[0]}'?" if close else f"remove it, or indent it below '{SITE_KEY}:'"
