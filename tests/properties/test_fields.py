"""No field of a customer's file is silently ignored: each changes something that is rendered, registered or told.

`make test-explain` tries every field, a usual run some of them: tests/draw.py says how to choose.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from draw import EVERY, SEED

from xgen_infra import catalog
from xgen_infra.explain.changes import variations
from xgen_infra.explain.fields import leaf_paths
from xgen_infra.explain.inputs import STACK, Inputs
from xgen_infra.explain.stack import Resources
from xgen_infra.findings import KeyPath, dotted
from xgen_infra.platform_images import charts, images
from xgen_infra.site import Site
from xgen_infra.stackfile import StackFile
from xgen_infra.vendor.plan import target_json
from xgen_infra.vendor.targets import target_of
from xgen_infra.yamlfile import Document

from .sites import SAMPLES, bases

SOME = 10


def told(site: Site) -> list[Any]:
    """What the vendor's side and people are told of a site, without cloud or cluster."""
    file = StackFile(SAMPLES / "x", site.stack, Document.read("{}", "x"))
    return [target_json(target_of([(file, site)])), images(site), charts(site)]


def pattern(path: KeyPath) -> str:
    return re.sub(r"vars\.\w+$", "vars.*", re.sub(r"^services\.[\w-]+", "services.*", dotted(path)))


def places() -> dict[str, list[tuple[Inputs, KeyPath]]]:
    found: dict[str, list[tuple[Inputs, KeyPath]]] = {}
    for base in bases():
        for path in leaf_paths(base):
            if path != STACK:
                found.setdefault(pattern(path), []).append((base, path))
    return found


def effects(base: Inputs, path: KeyPath, known: dict[int, Resources]) -> Iterator[bool]:
    """Whether another value of a field shows somewhere, the cheapest look first."""
    assert base.site
    others = [one for one in variations(base, path) if one.site]
    for one in others:
        assert one.site
        yield any(base.values(name) != one.values(name) for name in catalog.NAMES)
        yield told(base.site) != told(one.site)
    for one in others:
        assert one.site
        if id(base) not in known:
            known[id(base)] = Resources.of(base.site)
        try:
            yield bool(known[id(base)].changed(Resources.of(one.site)))
        except ValueError:
            yield True  # the program itself refuses it


def test_every_field_shows_somewhere() -> None:
    known: dict[int, Resources] = {}
    tried = sorted(places().items())
    if not EVERY:
        tried = random.Random(SEED).sample(tried, SOME)  # noqa: S311 - which fields are tried
    silent = [
        name for name, where in tried if not any(found for at in where for found in effects(*at, known))
    ]
    assert silent == [], f"XGEN_SEED={SEED}"
