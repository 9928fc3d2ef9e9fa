"""A new file before and when it is written: checked together with all others, never over one that is there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xgen_infra.authoring.answers import AnswerError
from xgen_infra.authoring.sealing import Sealed, placeholder
from xgen_infra.authoring.text import stack_text
from xgen_infra.findings import Finding
from xgen_infra.folder import check_folder, stack_files, vendor_in
from xgen_infra.secrets_catalog import SECRETS
from xgen_infra.site import Site, with_defaults
from xgen_infra.site.base import Matching
from xgen_infra.stackfile import StackFile
from xgen_infra.yamlfile import Document

_STACK = Matching(
    r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
    "a stack's name: lower-case letters, digits and single hyphens, a letter first, at most 40 characters",
    "aww",
    max_length=40,
)


@dataclass(frozen=True)
class Draft:
    """A customer's file that is not written yet. `site` is the plain value of `xgen-infra:site`."""

    folder: Path
    stack: str
    site: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where it will stand."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    def text(self, sealed: Sealed) -> str:
        """Return its text."""
        return stack_text(self.site, sealed.secrets, sealed.engine)

    def file(self, sealed: Sealed | None = None) -> StackFile:
        """Return it as if it were written; without secrets, with placeholders for those that it needs."""
        if sealed is None:
            site = self.model()
            needed = [one.config_key for one in SECRETS if site is not None and one.needed_when(site)]
            sealed = placeholder(needed)
        return StackFile(self.path, self.stack, Document.read(self.text(sealed), str(self.path)))

    def model(self) -> Site | None:
        """Return the site; None where the models refuse it."""
        data = with_defaults(dict(self.site), self.stack, vendor_in(self.folder))
        try:
            return Site.model_validate(data, by_alias=True, by_name=False)
        except ValueError:
            return None

    def findings(self, beside: Sequence[StackFile] = (), sealed: Sealed | None = None) -> tuple[Finding, ...]:
        """Return what `xgen check` would say of it, together with all files that are there, and `beside`."""
        proposed = [*beside, self.file(sealed)]
        return check_folder(self.folder, (self.stack,), proposed=proposed).findings

    def write(self, sealed: Sealed) -> None:
        """Write it whole or not at all; raises AnswerError where a file is there."""
        create(self.path, self.text(sealed))


def refuse_taken(folder: Path, stack: str) -> None:
    """Raise AnswerError where the name is none for a stack, or a file has it."""
    if not _STACK.fits(stack):
        raise AnswerError(f"'{stack}': expected {_STACK.expected}, such as '{_STACK.example}'")
    known = stack_files(folder).get(stack)
    if known:
        raise AnswerError(f"{known} is there already: choose another name, or edit that file")


def create(path: Path, text: str) -> None:
    """Write a new file whole or not at all; raises AnswerError where one is there, even one made this moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(stream.fileno(), 0o666 & ~mask)
        os.link(name, path)
    except FileExistsError:
        raise AnswerError(f"{path} is there already: nothing was written") from None
    finally:
        Path(name).unlink(missing_ok=True)
