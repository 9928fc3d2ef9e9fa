"""One archive of redacted files, with a manifest; never written where a known secret is in it."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.secrecy import Leak, Search, redact

MANIFEST = "manifest.json"


class BundleError(Exception):
    """The bundle was not written; the text says why, and names places, never values."""


@dataclass(frozen=True)
class Missing:
    """What was not collected, and why."""

    what: str
    why: str


@dataclass
class Bundle:
    """What was collected so far. `without` are patterns (fnmatch) of paths that are left out.

    `known` are the secrets to search for before anything is written, by what they are; `public` are values that
    count as none.
    """

    stack: str
    without: Sequence[str] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    unsearched: list[Missing] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict, repr=False)
    public: set[str] = field(default_factory=set)

    def add(self, path: str, about: str, content: Any) -> None:
        """Add a file: a text as it is, anything else as JSON. What it holds has to be redacted already."""
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in self.without):
            self.lack(path, "left out by --without")
            return
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
        self.files[path] = text.encode(errors="replace")
        self.about[path] = about

    def lack(self, what: str, why: object) -> None:
        """Note what is missing."""
        self.missing.append(Missing(what, redact.text(" ".join(str(why).split()))))

    def not_searched(self, what: str, why: object) -> None:
        """Note which secrets could not be read, so that nothing was searched for them."""
        self.unsearched.append(Missing(what, redact.text(" ".join(str(why).split()))))

    def manifest(self, search: Search) -> dict[str, Any]:
        """Return what the archive says of itself."""
        return {
            "stack": self.stack,
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "files": [
                {
                    "path": path,
                    "what": self.about[path],
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for path, content in sorted(self.files.items())
            ],
            "missing": [asdict(one) for one in self.missing],
            "searchedFor": {
                "secrets": len(search.secrets) - len(search.short),
                "tooShort": list(search.short),
                "notReadable": [asdict(one) for one in self.unsearched],
            },
        }

    def write(self, target: Path) -> Search:
        """Write the archive, readable by its owner alone; return the search that it stood.

        Raises BundleError, with nothing written, where a secret is found in it or the file is there already.
        """
        first: dict[str, str] = {}
        for name, value in self.known.items():
            first.setdefault(value, name)
        search = Search({name: value for value, name in first.items() if value not in self.public})
        manifest = json.dumps(self.manifest(search), indent=2, ensure_ascii=False).encode()
        whole = {**self.files, MANIFEST: manifest}
        found = [
            leak
            for path, content in whole.items()
            for leak in (*search.in_text(f"the name {path}", path), *search.in_bytes(path, content))
        ]
        if found:
            raise BundleError(_refusal(self.stack, found))
        _save(target, _packed(f"support-{self.stack}", whole))
        return search


def _refusal(stack: str, found: list[Leak]) -> str:
    places = sorted({leak.place for leak in found})
    listed = "\n".join(f"  {place}: {_secrets(place, found)}" for place in places)
    first = places[0].split(" ")[0]
    return (
        f"the support bundle of {stack} was not written, because secrets are in it:\n{listed}\n"
        "Whoever reads that place where it comes from reads the secret too: replace the secret once it is mended. "
        f"To send the rest: --without '{first}'"
    )


def _secrets(place: str, found: list[Leak]) -> str:
    return ", ".join(sorted({f"{leak.secret} ({leak.encoding})" for leak in found if leak.place == place}))


def _packed(folder: str, files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{path}")
            entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _save(target: Path, content: bytes) -> None:
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BundleError(f"{target} is there already: name another file by --output") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
