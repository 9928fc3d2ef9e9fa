"""The places in which a rehearsal looks for secrets, kind by kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from xgen_infra.engine import Result
from xgen_infra.folder import read_site
from xgen_infra.mirror.content import content
from xgen_infra.preview.markdown import markdown
from xgen_infra.preview.plan import plan_of
from xgen_infra.preview.site import SitePreview
from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.secrecy.kinds import Kind
from xgen_infra.rehearsal.world import World
from xgen_infra.secrecy import redact
from xgen_infra.secrecy.known import HELM_RELEASE

PREVIEWS = "previews"
"""The folder of a rehearsal's root that holds previews as JSON and as Markdown, and an update plan."""
_OWN_KINDS = {
    "events": Kind.EVENTS,
    "configmaps": Kind.CONFIG_MAPS,
    "applications": Kind.APPLICATIONS,
    "appprojects": Kind.PROJECTS,
}
ENGINE_LOG = "engine.log"
_LOGS = {
    ENGINE_LOG: Kind.ENGINE_LOG,
    "xgen.log": Kind.XGEN_LOGS,
    "runbook.log": Kind.XGEN_LOGS,
    "destroy.log": Kind.XGEN_LOGS,
}
_PREVIEWS = {".json": Kind.PREVIEWS_AS_JSON, ".md": Kind.PREVIEWS_AS_MARKDOWN}
_NOT_THERE = frozenset({404, 405, 503})
_CLI = "xgen_infra.cli"
_SHOWN = 300


@dataclass(frozen=True)
class Place:
    """One text or file: its kind, its name, and what it holds. `wrong` says why it is not what was to be searched."""

    kind: Kind
    name: str
    content: bytes
    wrong: str = ""


@dataclass(frozen=True)
class Kept:
    """A Kubernetes Secret: `owner` is "kind name", and a release's record is a packed manifest."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True)
class Document:
    """A command that writes something for people: the module that is run, its words, how it has to end."""

    kind: Kind
    words: tuple[str, ...]
    module: str = _CLI
    status: int = 0


def documents_of(stack: str) -> tuple[Document, ...]:
    """Return what writes the runbook, the support bundle, and, by a mistake made on purpose, the log of a bug."""
    return (
        Document(Kind.RUNBOOK, ("runbook", stack)),
        Document(Kind.BUNDLE, ("support-bundle", stack, "--no-preview")),
        Document(Kind.XGEN_LOGS, ("fail", stack), "xgen_infra.rehearsal.secrecy.bug", status=1),
    )


def files(world: World) -> Iterator[Place]:
    """Yield what the engine, xgen and the servers wrote, and the customer's Git."""
    root = world.root
    for path in _below(root / "state"):
        yield _file(Kind.STATE, path, root)
    for path in _below(root / PREVIEWS):
        yield _file(Kind.PLANS if path.name.startswith("plan") else _PREVIEWS[path.suffix], path, root)
    for path in _below(root / "logs"):
        yield _file(_LOGS.get(path.name, Kind.SERVER_LOGS), path, root)
    yield from _texts(root / "logs" / ENGINE_LOG)
    yield _file(Kind.CALLS, world.journal, root)
    for path in _below(root / "pulumi-home"):
        if path.suffix in {".json", ".log", ".yaml"}:
            yield _file(Kind.ENGINE_FOLDER, path, root)
    for path in (world.file.path, root / "Pulumi.yaml"):
        yield _file(Kind.FILE, path, root)
    yield from _bugs(world)
    _, site = read_site(root, world.stack)
    for name, text in content(site).items():
        yield Place(Kind.FOR_GIT, name, text)
    if world.git:
        yield from _git(world.git.repository)


def _bugs(world: World) -> Iterator[Place]:
    for path in sorted(world.temporary.glob("xgen-*.log")):
        log = path.read_bytes()
        meant = f" fail {world.stack}".encode() in log.partition(b"\n")[0]
        empty = meant and redact.HIDDEN.encode() not in log
        yield Place(Kind.BUGS, path.name, log, "no secret had to be left out of it" if empty else "")


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
                yield Place(_OWN_KINDS.get(plural, Kind.OBJECTS), f"{plural} {name}", packed)


def records(kept: list[Kept]) -> Iterator[Place]:
    """Yield the records of Helm releases, which hold values and manifest, packed."""
    for secret in kept:
        if secret.type == HELM_RELEASE:
            yield Place(Kind.RELEASES, secret.name, secret.content)


def commented(world: World, name: str, result: Result) -> None:
    """Keep what `xgen preview` would write into a merge request of one operation."""
    text = markdown([SitePreview(world.stack, "previewed", plan_of(result))])
    folder = world.root / PREVIEWS
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / f"{name}.md").write_text(text)


def documents(world: World, wanted: Sequence[Document]) -> list[Place]:
    """Run commands that write something for people, side by side; return what each said and the files that it made.

    The place of one that ends otherwise than it has to is wrong: what it says then is not what was to be searched.
    """
    with ThreadPoolExecutor(len(wanted)) as pool:
        return [place for made in pool.map(lambda one: _document(world, one), wanted) for place in made]


def _document(world: World, document: Document) -> list[Place]:
    with tempfile.TemporaryDirectory(prefix="xgen-") as made:
        folder = Path(made)
        for source in (world.file.path, world.root / "Pulumi.yaml"):
            (folder / source.name).write_bytes(source.read_bytes())
        before = set(_below(folder))
        done = subprocess.run(
            [sys.executable, "-m", document.module, "-C", made, *document.words],
            cwd=world.project,
            env={**os.environ, **world.environment},
            capture_output=True,
            check=False,
        )
        said, written = done.stdout + done.stderr, [path for path in _below(folder) if path not in before]
        wrong = "" if done.returncode == document.status else redact.text(_words(said))
        name = f"xgen {document.words[0]}: status {done.returncode}"
        return [
            Place(document.kind, name, said, wrong),
            *(Place(document.kind, path.name, path.read_bytes()) for path in written),
        ]


def _words(said: bytes) -> str:
    return " ".join(said.decode(errors="replace").split())[-_SHOWN:]


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
    yield Place(Kind.GIT, f"{len(listed.split())} objects", every)


def _file(kind: Kind, path: Path, root: Path) -> Place:
    return Place(kind, str(path.relative_to(root)), path.read_bytes() if path.exists() else b"")


def _texts(log: Path) -> Iterator[Place]:
    """Yield the previews that the engine wrote as text: they are in its log."""
    for number, part in enumerate(log.read_bytes().split(b"$ pulumi ")):
        if part.startswith(b"preview") and b"--json" not in part.splitlines()[0]:
            yield Place(Kind.PREVIEWS_AS_TEXT, f"the {number}. operation of {log.name}", part)


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
