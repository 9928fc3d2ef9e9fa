"""The stacks of an older file as drafts of customers' files, with an account of every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra import catalog
from xgen_infra.authoring.answers import AnswerError, Asker
from xgen_infra.authoring.draft import Draft, refuse_taken
from xgen_infra.authoring.drafting import DraftRefusedError, Wish, drafted
from xgen_infra.findings import KeyPath, Position, Refused, errors
from xgen_infra.folder import vendor_in
from xgen_infra.projects.carry import Carried, Carrier, settle, unused, vendor_host
from xgen_infra.projects.ledger import Entry, Ledger
from xgen_infra.projects.model import Pair, Projects, pairs, read
from xgen_infra.stackfile import StackFile
from xgen_infra.validate import examine
from xgen_infra.yamlfile import Document


@dataclass(frozen=True)
class Moved:
    """Where the values of a new site stand in the older file: an Origin of findings."""

    document: Document
    places: Mapping[KeyPath, KeyPath]

    @property
    def name(self) -> str:
        """The older file's name."""
        return self.document.name

    def place(self, path: KeyPath) -> KeyPath | None:
        """Return the older path of a place of the site; None where it does not come from that file."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.places:
                return (*self.places[path[:depth]], *path[depth:])
        return None

    def where(self, path: KeyPath, *, key: bool = False) -> Position:
        """Return where a value stood."""
        found = self.place(path)
        return self.document.where(found, key=key) if found else Position(1, 1)

    def written(self, path: KeyPath) -> str | None:
        """Return a scalar as it was written."""
        found = self.place(path)
        return self.document.written(found) if found else None


@dataclass(frozen=True)
class Brought:
    """One stack: its draft, the secrets that stood in the older file, and what is worth a look."""

    draft: Draft
    secrets: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Import:
    """What becomes of an older file."""

    brought: tuple[Brought, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Order:
    """What is imported: a file; only one environment, under another name, where the command says so."""

    folder: Path
    path: Path
    flags: Mapping[str, Any]
    environment: str | None = None
    name: str | None = None


def bring(order: Order, ask: Asker | None, tell: Callable[[str], None]) -> Import:
    """Return the drafts of a file's stacks, each right beside all others; nothing is written.

    Raises Refused, at places of the older file, or AnswerError, where something is wrong or missing.
    """
    document, projects = read(order.path)
    ledger = Ledger(document)
    site = projects.site or order.name or _from_file_name(order.path, projects)
    chosen = _chosen(projects, site, order)
    for pair in chosen:
        refuse_taken(order.folder, pair.stack)
    carrier = Carrier(document, ledger, vendor_host(vendor_in(order.folder)), dict(order.flags))
    brought: list[Brought] = []
    for pair in chosen:
        made = carrier.carry(pair, site)
        beside = [one.draft.file() for one in brought]
        draft = _drafted(order, pair, made, document, ask, tell, beside, several=len(chosen) > 1)
        model = draft.model()
        assert model is not None  # noqa: S101
        settle(made, model, document, ledger)
        brought.append(Brought(draft, made.secrets, tuple(_notes(made, draft))))
    for name in projects.environments:
        if name not in {pair.environment for pair in chosen}:
            ledger.left(("environments", name), "another environment was chosen")
    unused(document, {pair.destination for pair in chosen if pair.destination}, ledger)
    return Import(tuple(brought), tuple(ledger.entries()))


def _from_file_name(path: Path, projects: Projects) -> str:
    name = path.stem.removeprefix(f"{projects.project.name or 'xgen'}-")
    if name == projects.project.name:
        raise AnswerError(f"{path} names no site: write `site:` into it, or --name")
    return name


def _chosen(projects: Projects, site: str, order: Order) -> list[Pair]:
    if order.environment not in {None, *projects.environments}:
        known = ", ".join(projects.environments)
        raise AnswerError(f"--environment: {order.path} has no '{order.environment}'; it has {known}")
    chosen = pairs(projects, site, order.environment)
    if order.name is None:
        return chosen
    if len(chosen) > 1:
        stacks = ", ".join(pair.stack for pair in chosen)
        raise AnswerError(f"--name: the file makes several stacks ({stacks}): choose one by --environment")
    return [Pair(order.name, chosen[0].environment, chosen[0].destination)]


def _drafted(order: Order, pair: Pair, made: Carried, document: Document, ask: Asker | None,
             tell: Callable[[str], None], beside: list[StackFile], *, several: bool) -> Draft:  # fmt: skip
    read_answers = frozenset(made.answers) - set(order.flags)
    answers = {**made.answers, **order.flags}
    if several:
        made.site.setdefault("source", {})["path"] = pair.stack
    wish = Wish(order.folder, pair.stack, answers, made.site, only_missing=True, read=read_answers)
    try:
        return drafted(wish, ask, tell, beside)
    except DraftRefusedError as refused:
        draft, moved = refused.draft, Moved(document, made.places)
        _, found = examine(dict(draft.site), draft.stack, vendor_in(order.folder), moved)
        own = [one for one in errors(found) if (one.line, one.column) != (1, 1)]
        if own:
            raise Refused(own) from None
        raise


def _notes(made: Carried, draft: Draft) -> list[str]:
    notes = []
    lacking = [name for name in catalog.NAMES if name not in made.site.get("services", {})]
    if lacking:
        notes.append(f"not in the file, so with defaults: {', '.join(lacking)}")
    if draft.site.get("registry", {}).get("kind") == "nexus":
        spoken = "HTTP" if draft.site["registry"].get("plainHttp") else "HTTPS"
        notes.append(f"the registry is taken to speak {spoken}: --plain-http, --no-plain-http")
    if "path" in draft.site.get("source", {}):
        notes.append(
            f"it has the folder {draft.site['source']['path']} of the repository to itself: source.path"
        )
    cluster = draft.site.get("cluster", {})
    if not cluster.get("adopt") and cluster.get("kind") == "k3s":
        notes.append("taken for a cluster without the platform: --adopt where it runs there already")
    if cluster.get("kind") == "eks" and not cluster.get("bucket", {}).get("adopt"):
        notes.append("the bucket will be made: --adopt-bucket where it is there already")
    return notes
