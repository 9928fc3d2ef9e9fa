"""A rendering in a folder of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xgen_infra.delivery.layout import CHART_FOLDER, VALUES_FOLDER

_OURS = (f"{CHART_FOLDER}/", f"{VALUES_FOLDER}/")


class FolderError(Exception):
    """The folder holds something else; nothing was written."""


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Make a folder hold exactly these files. It is new, empty, or an earlier rendering; else FolderError."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    strange = sorted(name for name in there if not name.startswith(_OURS))
    if strange:
        raise FolderError(
            f"{folder} holds {', '.join(strange[:3])}{' and more' if len(strange) > 3 else ''}, "  # noqa: PLR2004
            "which is no rendering: name a new or empty folder"
        )
    for name, path in there.items():
        if name not in files:
            path.unlink()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
