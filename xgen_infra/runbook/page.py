"""From outputs to what is written down: chapters of rendered steps, as Markdown and as one HTML page."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from jinja2.meta import find_undeclared_variables
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from xgen_infra.aws.upgrade import minor
from xgen_infra.runbook.diagram import svg
from xgen_infra.runbook.facts import Facts, MissingOutputError, RunbookError, listed
from xgen_infra.runbook.results import Result
from xgen_infra.runbook.step import Command, Step, on_eks
from xgen_infra.runbook.steps import THEMES
from xgen_infra.versions import EKS

_TEXTS = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - shell and Markdown, never HTML
_PAGES = Environment(
    loader=PackageLoader("xgen_infra.runbook"),
    autoescape=select_autoescape(("html.j2", "svg.j2")),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_INLINE = MarkdownIt("js-default", {"linkify": False})
"""The js-default preset passes no HTML through."""
_SPACES = re.compile(r"(\s+)")
_SHORT = 24
"""Characters that fit beside each other on the narrowest phone."""
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Entry:
    """One step as it is written for one installation; `step` is where it came from."""

    step: Step
    title: str
    when: str
    commands: tuple[Command, ...]
    expect: str
    check: str
    check_command: str
    caution: str


@dataclass(frozen=True)
class Chapter:
    """The entries of one theme."""

    id: str
    title: str
    entries: tuple[Entry, ...]


def chapters(facts: Facts) -> tuple[Chapter, ...]:
    """Return the steps that apply, written with this installation's names.

    Raises RunbookError, with every step and every output that it lacks, where outputs are missing.
    """
    names = _names(facts)
    refused: dict[str, list[str]] = {}
    written = []
    for theme in THEMES:
        entries = []
        for step in theme.steps:
            facts.missing.clear()
            try:
                if step.applies(facts):
                    entries.append(_entry(step, names, facts))
            except MissingOutputError as error:
                facts.missing.append(error.path)
            if facts.missing:
                refused[step.id] = sorted(facts.missing)
        written.append(Chapter(theme.id, theme.title, tuple(entries)))
    if lacking := _lacking(facts):
        refused["every-command"] = lacking
    if refused:
        told = "\n".join(f"  {step}: {listed(missing)}" for step, missing in refused.items())
        raise RunbookError(
            f"outputs are missing or empty, so these steps cannot be written:\n{told}\n"
            "`pulumi up` with this version of xgen-infra makes every output"
        )
    return tuple(chapter for chapter in written if chapter.entries)


def _lacking(facts: Facts) -> list[str]:
    """Return what is missing of that which may be empty, and that every page needs: head and context."""
    facts.missing.clear()
    asked = [facts["description"], facts["owner"]]
    asked += [] if on_eks(facts) else [facts["cluster"]["context"]]
    return sorted(facts.missing) if sum(map(bool, asked)) < len(asked) else []


def kube_context(facts: Facts) -> str:
    """Return the context by which a person reaches the cluster; empty where it is the current one."""
    found = facts.get("clusterName") if facts.get("kind") == "eks" else facts.get("cluster", "context")
    return str(found or "")


def _names(facts: Facts) -> dict[str, Any]:
    context = kube_context(facts)
    quoted = shlex.quote(context)
    return {
        **{name: facts[name] for name in facts},
        "kube_context": context,
        "kubectl": f"kubectl --context {quoted}" if context else "kubectl",
        "helm": f"helm --kube-context {quoted}" if context else "helm",
        "next_minor": lambda version: f"1.{minor(str(version)) + 1}" if version else "",
        "knows_minor": lambda version: version in EKS,
    }


def _entry(step: Step, names: Mapping[str, Any], facts: Facts) -> Entry:
    def text(template: str) -> str:
        compiled, asked = _compiled(template)
        return compiled.render(names, **{name: facts[name] for name in asked - names.keys()})

    return Entry(
        step=step,
        title=text(step.title),
        when=text(step.when),
        commands=tuple(Command(text(one.text), text(one.why), one.language) for one in step.commands),
        expect=text(step.expect).strip(),
        check=text(step.check.says),
        check_command=text(step.check.command),
        caution=text(step.caution),
    )


@cache
def _compiled(template: str) -> tuple[Template, frozenset[str]]:
    """Return a text of a step, and the names that it asks for."""
    return _TEXTS.from_string(template), frozenset(find_undeclared_variables(_TEXTS.parse(template)))


def markdown(facts: Facts, picture: str, results: Mapping[str, Result] | None = None) -> str:
    """Return the runbook as Markdown (CommonMark); `picture` is the drawing, or what leads to it."""
    return _PAGES.get_template("runbook.md.j2").render(_page(facts, results), picture=picture)


def html(facts: Facts, results: Mapping[str, Result] | None = None) -> str:
    """Return the runbook as one HTML page that asks for nothing else, and forbids the browser to."""
    page = _page(facts, results)
    style, script = _file("runbook.css"), _file("runbook.js")
    drawing = svg(facts)
    inner = re.findall(r"<style>(.*?)</style>", drawing, re.DOTALL)
    policy = (
        f"default-src 'none'; style-src {' '.join(map(_digest, (style, *inner)))}; script-src {_digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return _PAGES.get_template("runbook.html.j2").render(
        page,
        style=Markup(style),  # noqa: S704 - this package's own files
        script=Markup(script),  # noqa: S704
        picture=Markup(drawing),  # noqa: S704 - escaped where it is drawn
        policy=policy,
        unbroken=_unbroken,
        inline=lambda text: Markup(_INLINE.renderInline(text)),  # noqa: S704 - js-default lets no HTML through
    )


def _page(facts: Facts, results: Mapping[str, Result] | None) -> dict[str, Any]:
    written = chapters(facts)
    return {
        "stack": facts.text("stack"),
        "head": _head(facts),
        "owner": facts.get("owner") or "",
        "chapters": written,
        "results": results or {},
        "tally": tally(list(results.values())) if results else "",
        "fence": _fence,
    }


def _head(facts: Facts) -> str:
    return str(facts.get("description") or f"XGEN 2.0 at {facts.text('stack')}")


def tally(results: Sequence[Result]) -> str:
    """Return how many checks ended how, in words."""
    counts = {state: sum(one.state == state for one in results) for state in ("ok", "failed", "not run")}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _fence(text: str) -> str:
    longest = max((len(found) for found in _FENCE.findall(text)), default=0)
    return "`" * max(3, longest + 1)


def _unbroken(text: str) -> Markup:
    """Return a command in which no line ends inside a short word: `--` and `port` on two lines would be misread."""
    return Markup("").join(
        Markup('<span class="word">{}</span>').format(part)
        if "-" in part and len(part) <= _SHORT
        else escape(part)
        for part in _SPACES.split(text)
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return (resources.files("xgen_infra.runbook") / "templates" / name).read_text(encoding="utf-8")
