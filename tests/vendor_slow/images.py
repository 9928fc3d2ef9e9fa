"""Small images in the form in which Docker saves them, made without Docker."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path


def save(path: Path, content: str, platform: str = "linux/amd64") -> Path:
    """Write an image of one layer with one file; its digest depends on content and platform alone."""
    system, arch = platform.split("/")
    layer = _tar({"content": content.encode()})
    config = {
        "os": system,
        "architecture": arch,
        "config": {"Cmd": ["/content"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "test"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}]
    files = {
        "manifest.json": json.dumps(manifest).encode(),
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer,
    }
    path.write_bytes(_tar(files))
    return path


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
