"""The customer's file and the vendor's: which keys they may hold, and where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from xgen_infra.findings import Finding, KeyPath, Position, Refused, dotted
from xgen_infra.secrets_catalog import BY_KEY, SECRETS
from xgen_infra.yamlfile import Document

SITE_KEY = "xgen-infra:site"
VENDOR_KEY = "xgen-infra:vendor"
PROJECT_FILE = "Pulumi.yaml"
_STACK_NAME = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")
_ENGINE_KEYS = ("config", "encryptionsalt", "secretsprovider", "encryptedkey")
_SEALED = re.compile(r"v1:[A-Za-z0-9+/]+=*:[A-Za-z0-9+/]+=*")


def stack_of(path: Path) -> str:
    """Return the stack's name: what stands between `Pulumi.` and `.yaml`.

    Raises ValueError for any other file name.
    """
    found = _STACK_NAME.fullmatch(path.name)
    if not found:
        raise ValueError(f"{path.name} is no stack file: expected Pulumi.<stack>.yaml")
    return found["stack"]


def _read_text(path: Path) -> str:
    """Read a file; raises Refused where it is missing or not UTF-8."""
    name = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        found = f"no readable file ({error.strerror})"
        raise Refused([Finding(name, 1, 1, "", found, "a YAML file", rule="yaml")]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}"
        raise Refused([Finding(name, line, 1, "", found, "text in UTF-8", rule="yaml")]) from None


@dataclass(frozen=True)
class StackFile:
    """`Pulumi.<stack>.yaml`: `data` is its plain content, `site` the value of `xgen-infra:site`."""

    path: Path
    stack: str
    document: Document

    @classmethod
    def read(cls, path: Path) -> StackFile:
        """Read a customer's file; raises Refused where it is not one YAML mapping.

        Which keys it holds is judged by `problems`, so that a wrong key hides no other finding.
        """
        return cls._of(path, Document.read(_read_text(path), str(path)))

    @classmethod
    def read_quickly(cls, path: Path) -> StackFile:
        """Read a file that is probably right. What is then found wrong in it is worth a second look at `exact`."""
        return cls._of(path, Document.read_quickly(_read_text(path), str(path)))

    @classmethod
    def _of(cls, path: Path, document: Document) -> StackFile:
        found = _STACK_NAME.fullmatch(path.name)
        return cls(path, found["stack"] if found else path.stem, document)

    @property
    def exact(self) -> StackFile:
        """The same file as `read` reads it; raises Refused where that cannot be done."""
        return replace(self, document=self.document.exact) if self.document.quick else self

    @property
    def name(self) -> str:
        """The file's name as findings show it."""
        return self.document.name

    @property
    def data(self) -> dict[str, Any]:
        """The file's content."""
        return self.document.data

    @property
    def config(self) -> dict[str, Any]:
        """The configuration keys; empty where there are none."""
        config = self.data.get("config")
        return config if isinstance(config, dict) else {}

    @property
    def site(self) -> Any:
        """The value of `xgen-infra:site`; None where it is missing."""
        return self.config.get(SITE_KEY)

    @cached_property
    def secure(self) -> frozenset[str]:
        """The configuration keys whose value is encrypted."""
        return frozenset(key for key, value in self.config.items() if is_secure(value))

    @cached_property
    def nested_secrets(self) -> tuple[KeyPath, ...]:
        """The places inside the site at which an encrypted value stands, where none may."""
        if self.document.text.count("secure") == len(self.secure):
            return ()
        return tuple(secure_paths(self.site))

    def where(self, path: KeyPath, *, key: bool = False) -> Position:
        """Return where a value of the site, or its key, stands; the nearest parent where it is not written."""
        return self.document.where(("config", SITE_KEY, *path), key=key)

    def written(self, path: KeyPath) -> str | None:
        """Return a scalar of the site as it is written."""
        return self.document.written(("config", SITE_KEY, *path))

    def problems(self) -> list[Finding]:
        """Return what is wrong with the file's keys, and with secrets that stand where none may."""
        config = self.data.get("config")
        if config is not None and not isinstance(config, dict):
            found = self.document.finding(
                ("config",), "no mapping", expected=f"configuration keys, {SITE_KEY} among them", rule="keys"
            )
            return [*self._top_level(), found]
        return [*self._top_level(), *self._config_keys(), *self._secure_values(), *self._nested_secrets()]

    def _top_level(self) -> Iterator[Finding]:
        for key in self.data:
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
            yield self.document.finding(
                (key,), f"the unknown key '{key}'", key=True, expected=expected, mend=mend, rule="keys"
            )

    def _config_keys(self) -> Iterator[Finding]:
        if SITE_KEY not in self.config:
            mend = f"write the customer's values below 'config:' as '{SITE_KEY}:'"
            yield self.document.finding(("config",), f"no {SITE_KEY}", mend=mend, rule="keys")
        for key, value in self.config.items():
            path = ("config", key)
            if key == SITE_KEY:
                if is_secure(value):
                    found = "the whole site encrypted"
                    mend = "write it in plain: secrets have keys of their own"
                    yield self._config(path, found, mend=mend)
            elif key in BY_KEY:
                if not is_secure(value):
                    mend = f"remove this line, replace that password, then: {BY_KEY[key].command}"
                    yield self._config(path, "a secret in plain text", expected="secure: ...", mend=mend)
            elif key != "pulumi:tags":
                yield self._config(path, f"the unknown key '{key}'", key=True, mend=_mend_config_key(key))

    def _secure_values(self) -> Iterator[Finding]:
        sealed_here = "encryptionsalt" in self.data or "encryptedkey" in self.data
        if self.secure and not sealed_here:
            first = next(key for key in self.config if key in self.secure)
            yield self._config(
                ("config", first),
                "encrypted values, but neither encryptionsalt nor secretsprovider with encryptedkey",
                mend="the engine can decrypt them only where its backend keeps the key",
                severity="warning",
            )
        if "secretsprovider" in self.data and not sealed_here:
            yield self._config(
                ("secretsprovider",), "no encryptedkey", mend="run: pulumi stack change-secrets-provider"
            )
        for key in self.config if sealed_here else ():
            if key in self.secure and key in BY_KEY and not _SEALED.fullmatch(self.config[key]["secure"]):
                mend = f"if it is the secret itself, replace that secret; then: {BY_KEY[key].command}"
                found = "a value that the engine did not encrypt"
                expected = "v1:<nonce>:<ciphertext>"
                yield self._config(("config", key, "secure"), found, expected=expected, mend=mend)

    def _nested_secrets(self) -> Iterator[Finding]:
        for path in self.nested_secrets:
            mend = "remove it here; the secret keys are " + ", ".join(secret.key for secret in SECRETS)
            yield Finding(
                self.name,
                *_place(self.where(path)),
                dotted(path),
                "an encrypted value inside the site",
                "secrets as configuration keys of their own",
                mend,
                rule="keys",
            )

    def _config(self, path: KeyPath, found: str, **more: Any) -> Finding:
        finding = self.document.finding(path, found, **{"rule": "keys", **more})
        shown = finding.path.removeprefix("config.")
        return replace(finding, path=shown)


def _place(position: Position) -> tuple[int, int]:
    return position.line, position.column


def _mend_config_key(key: str) -> str:
    namespace, _, name = key.partition(":")
    if not name:
        known = f"xgen-infra:{key}"
        return f"write '{known}'" if known in {SITE_KEY, *BY_KEY} else "keys begin with 'xgen-infra:'"
    if namespace == "aws":
        return "it would be ignored, for every resource names its provider: write cluster.region and cluster.account"
    if namespace == "kubernetes":
        return "it would be ignored, for every resource names its provider: write cluster.context"
    if key == VENDOR_KEY:
        return f"the vendor's values stand in {PROJECT_FILE}; what differs here goes under '{SITE_KEY}:'"
    if namespace != "xgen-infra":
        return "it would be ignored, for every resource names its provider: remove it"
    close = get_close_matches(key, (SITE_KEY, *BY_KEY), 1, 0.75)
    return f"did you mean '{close[0]}'?" if close else f"remove it, or indent it below '{SITE_KEY}:'"


def is_secure(value: Any) -> bool:
    """Whether a configuration value is an encrypted one."""
    return isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)


def secure_paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every encrypted value below a plain one."""
    if path and isinstance(value, dict) and set(value) == {"secure"}:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from secure_paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secure_paths(item, (*path, index))


@dataclass(frozen=True)
class ProjectFile:
    """`Pulumi.yaml`: `vendor` is the value of `xgen-infra:vendor`, None where it has none."""

    document: Document

    @classmethod
    def read(cls, path: Path) -> ProjectFile:
        """Read the project's file; raises Refused where it is not one YAML mapping."""
        return cls(Document.read(_read_text(path), str(path)))

    @property
    def name(self) -> str:
        """The file's name as findings show it."""
        return self.document.name

    @cached_property
    def _entry(self) -> tuple[KeyPath, Any]:
        """Return the vendor's values and their path: below `value:` or `default:`, or the entry itself."""
        config = self.document.data.get("config")
        entry = config.get(VENDOR_KEY) if isinstance(config, dict) else None
        for form in ("value", "default"):
            if isinstance(entry, dict) and form in entry:
                return ("config", VENDOR_KEY, form), entry[form]
        return ("config", VENDOR_KEY), entry

    @property
    def vendor(self) -> Any:
        """The vendor's values, plain."""
        return self._entry[1]

    def where(self, path: KeyPath, *, key: bool = False) -> Position:
        """Return where one of the vendor's values, or its key, stands."""
        return self.document.where((*self._entry[0], *path), key=key)

    def written(self, path: KeyPath) -> str | None:
        """Return a scalar of the vendor's values as it is written."""
        return self.document.written((*self._entry[0], *path))
