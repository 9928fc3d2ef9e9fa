"""What is wrong with a customer's file, said once: where, what was found, what was expected, what to do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text file; lines and columns count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend. `path` is the value's place in words (`cluster.nodes.max`), empty for the whole file.

    `found` and `expected` are phrases, `mend` a sentence; any of them may be empty. None carries a secret.
    """

    file: str
    line: int
    column: int
    path: str
    found: str
    expected: str = ""
    mend: str = ""
    severity: Severity = field(default="error", compare=False)
    rule: str = field(default="model", compare=False)

    @property
    def message(self) -> str:
        """Return the finding without its place: `found ...; expected ...; <mend>`."""
        expected = f"expected {self.expected}" if self.expected else ""
        return "; ".join(part for part in (f"found {self.found}", expected, self.mend) if part)

    @property
    def text(self) -> str:
        """Return one line for a terminal: `file:line:column: [warning:] path: message`."""
        warning = "warning: " if self.severity == "warning" else ""
        path = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {warning}{path}{self.message}"


class Refused(Exception):  # noqa: N818
    """A customer's file that cannot be used. `findings` has at least one error; its text has one line for each."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("\n".join(finding.text for finding in self.findings))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return those findings that refuse a file."""
    return [finding for finding in findings if finding.severity == "error"]


def as_json(findings: Sequence[Finding], *, files: int) -> str:
    """Return the findings as JSON: `{"files": n, "errors": n, "warnings": n, "findings": [Finding...]}`."""
    wrong = len(errors(findings))
    return json.dumps(
        {
            "files": files,
            "errors": wrong,
            "warnings": len(findings) - wrong,
            "findings": [asdict(finding) for finding in findings],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_code_quality(findings: Sequence[Finding]) -> str:
    """Return the findings as a GitLab code quality report (GitLab documentation, "Code Quality report format")."""
    seen: dict[str, int] = {}
    return json.dumps([_quality(finding, seen) for finding in findings], indent=2, ensure_ascii=False)


def _quality(finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    # The line is no part of the fingerprint: a finding that moves stays the same finding.
    identity = f"{finding.file}\0{finding.path}\0{finding.rule}\0{finding.message}"
    seen[identity] = seen.get(identity, 0) + 1
    digest = hashlib.sha256(f"{identity}\0{seen[identity]}".encode()).hexdigest()
    path = f"{finding.path}: " if finding.path else ""
    return {
        "description": path + finding.message,
        "check_name": finding.rule,
        "fingerprint": digest,
        "severity": "major" if finding.severity == "error" else "minor",
        "location": {"path": finding.file, "lines": {"begin": finding.line}},
    }


def dotted(path: KeyPath) -> str:
    """Return a path in words: `cluster.apiAccess[0]`; a key that holds dots or spaces stands in quotes."""
    words = ""
    for key in path:
        if isinstance(key, int):
            words += f"[{key}]"
        elif re.fullmatch(r"[\w:-]+", key):
            words += f".{key}" if words else key
        else:
            words += f"['{key}']"
    return words


_SHOWN = 60
_LOGIN = re.compile(r"(?<=://)[^/?#\s]+@")
_SECRET_NAME = re.compile(r"(?i)passw|secret|token|credential|private|api_?key|access_?key|_key$")


def keeps_secret(name: str | int) -> bool:
    """Whether a key's name says that its value is nobody's to read."""
    return isinstance(name, str) and bool(_SECRET_NAME.search(name))


def without_login(text: str) -> str:
    """Return a text whose URLs name no user and no password."""
    return _LOGIN.sub("***@", text)


def shown(value: Any) -> str:
    """Return a value of the file as people wrote it, shortened, without a URL's login."""
    if isinstance(value, str):
        text = without_login(value.replace("\n", " "))
        return f"'{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}'"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, (dict, list)):
        kind = "mapping" if isinstance(value, dict) else "list"
        return f"a {kind} of {len(value)}" if value else f"an empty {kind}"
    return str(value)
