"""The places in which a rehearsal looks for secrets, kind by kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.world import World
from xgen_infra.secrecy.known import HELM_RELEASE

PREVIEWS = "previews"
"""The folder of a rehearsal's root that holds a preview as JSON and an update plan."""
_OWN_KINDS = {
    "events": "Kubernetes events",
    "configmaps": "ConfigMaps",
    "applications": "Applications",
    "appprojects": "AppProjects",
}
ENGINE_LOG = "engine.log"
_LOGS = {ENGINE_LOG: "the engine's log", "xgen.log": "xgen's logs", "destroy.log": "xgen's logs"}
_NOT_THERE = frozenset({404, 405, 503})


@dataclass(frozen=True)
class Place:
    """One text or file: its kind, its name, and what it holds."""

    kind: str
    name: str
    content: bytes


@dataclass(frozen=True)
class Kept:
    """A Kubernetes Secret: `owner` is "kind name", and a release's record is a packed manifest."""

    name: str
    type: str
    content: bytes


def files(world: World) -> Iterator[Place]:
    """Yield what the engine, xgen and the servers wrote, and the customer's Git."""
    root = world.root
    for path in _below(root / "state"):
        yield _file("state files", path, root)
    for path in _below(root / PREVIEWS):
        yield _file("update plans" if path.name.startswith("plan") else "previews as JSON", path, root)
    for path in _below(root / "logs"):
        kind = _LOGS.get(path.name, "servers' logs")
        yield _file(kind, path, root)
    yield from _texts(root / "logs" / ENGINE_LOG)
    yield _file("the record of provider calls", world.journal, root)
    for path in _below(root / "pulumi-home"):
        if path.suffix in {".json", ".log", ".yaml"}:
            yield _file("the engine's own folder", path, root)
    for path in (world.file.path, root / "Pulumi.yaml"):
        yield _file("the customer's file", path, root)
    for path in sorted(Path(tempfile.gettempdir()).glob("xgen-*.log")):
        yield Place("xgen's logs of bugs", path.name, path.read_bytes())
    _, site = read_site(root, world.stack)
    for name, text in content(site).items():
        yield Place("chart and values for Git", name, text)
    if world.git:
        yield from _git(world.git.repository)


def objects(api: Api) -> Iterator[Place | Kept]:
    """Yield every object that the API server lists, of whatever kind; Secrets as what they are."""
    for path in _listable(api):
        for item in _get(api, path).get("items") or ():
            metadata, plural = item["metadata"], path.rpartition("/")[2]
            name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
            packed = json.dumps(item).encode()
            if path == "/api/v1/secrets":
                yield Kept(name, item.get("type", ""), packed)
            else:
                yield Place(_OWN_KINDS.get(plural, "other Kubernetes objects"), f"{plural} {name}", packed)


def records(kept: list[Kept]) -> Iterator[Place]:
    """Yield the records of Helm releases, which hold values and manifest, packed."""
    for secret in kept:
        if secret.type == HELM_RELEASE:
            yield Place("Helm's records of releases", secret.name, secret.content)


def documents(world: World, verbs: dict[str, tuple[str, ...]]) -> Iterator[Place]:
    """Run verbs that write something for people, and yield what each said and the files that it made."""
    for kind, words in verbs.items():
        with tempfile.TemporaryDirectory(prefix="xgen-") as made:
            folder = Path(made)
            for source in (world.file.path, world.root / "Pulumi.yaml"):
                (folder / source.name).write_bytes(source.read_bytes())
            before = set(_below(folder))
            status, said = _xgen(world, folder, words)
            yield Place(kind, f"xgen {words[0]}: status {status}", said)
            for path in _below(folder):
                if path not in before:
                    yield Place(kind, path.name, path.read_bytes())


def _xgen(world: World, folder: Path, words: tuple[str, ...]) -> tuple[int, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "xgen_infra.cli", "-C", str(folder), *words],
        cwd=world.project,
        env={**os.environ, **world.environment},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _listable(api: Api) -> list[str]:
    """Return the paths of all kinds that can be listed, each in its preferred version."""
    groups = [group["preferredVersion"]["groupVersion"] for group in _get(api, "/apis").get("groups") or ()]
    return [
        f"{base}/{resource['name']}"
        for base in ("/api/v1", *(f"/apis/{group}" for group in groups))
        for resource in _get(api, base).get("resources") or ()
        if "list" in resource["verbs"] and "/" not in resource["name"]
    ]


def _get(api: Api, path: str) -> dict[str, Any]:
    """Return what a path lists; nothing where its server is not there or does not list it."""
    try:
        return api.get(path)
    except httpx.HTTPStatusError as error:
        if error.response.status_code in _NOT_THERE:
            return {}
        raise


def _git(repository: Path) -> Iterator[Place]:
    listed = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout
    every = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=repository, input=listed, capture_output=True, check=True
    ).stdout
    yield Place("Git objects", f"{len(listed.split())} objects", every)


def _file(kind: str, path: Path, root: Path) -> Place:
    return Place(kind, str(path.relative_to(root)), path.read_bytes() if path.exists() else b"")


def _texts(log: Path) -> Iterator[Place]:
    """Yield the previews that the engine wrote as text: they are in its log."""
    for number, part in enumerate(log.read_bytes().split(b"$ pulumi ")):
        if part.startswith(b"preview") and b"--json" not in part.splitlines()[0]:
            yield Place("previews as text", f"the {number}. operation of {log.name}", part)


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def every(world: World) -> tuple[list[Place], list[Kept]]:
    """Return all places that are there already, and the Kubernetes Secrets."""
    places: list[Place] = list(files(world))
    kept: list[Kept] = []
    api = Api(world.kubeconfig)
    try:
        for one in objects(api):
            if isinstance(one, Kept):
                kept.append(one)
            else:
                places.append(one)
    finally:
        api.close()
    return [*places, *records(kept)], kept
