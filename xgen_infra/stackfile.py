"""The customer's file and the vendor's: which keys they may hold, and where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from xgen_infra.findings import Finding, KeyPath, Position, Refused
from xgen_infra.yamlfile import Document

SITE_KEY = "xgen-infra:site"
VENDOR_KEY = "xgen-infra:vendor"
PROJECT_FILE = "Pulumi.yaml"
_STACK_NAME = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")


def stack_of(path: Path) -> str:
    """Return the stack's name: what stands between `Pulumi.` and `.yaml`.

    Raises ValueError for any other file name.
    """
    found = _STACK_NAME.fullmatch(path.name)
    if not found:
        raise ValueError(f"{path.name} is no stack file: expected Pulumi.<stack>.yaml")
    return found["stack"]


def read_text(path: Path) -> str:
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
    def read(cls, path: Path, *, quick: bool = False) -> StackFile:
        """Read a customer's file; raises Refused where it is not one YAML mapping.

        `quick` is for files that are probably right: what is then found wrong is worth a second look at `exact`.
        """
        reader = Document.read_quickly if quick else Document.read
        try:
            document = reader(read_text(path), str(path))
        except Refused as refused:
            raise Refused(map(_shortened, refused.findings)) from None
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

    def finding(self, path: KeyPath, found: str, **more: Any) -> Finding:
        """Return a finding at a path of the file, such as ("config", "xgen-infra:redisPassword")."""
        return _shortened(self.document.finding(path, found, **{"rule": "keys", **more}))


def _shortened(finding: Finding) -> Finding:
    """Return a finding whose path begins where people begin to count: within the site, or at its key."""
    path = finding.path.removeprefix("config.").removeprefix(f"{SITE_KEY}.")
    return replace(finding, path=path)


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
        return cls(Document.read(read_text(path), str(path)))

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
