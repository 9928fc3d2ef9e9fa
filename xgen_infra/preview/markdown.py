"""The comment of a merge request: what changes for whom, loudest first, within GitLab's limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xgen_infra.engine import Violation
from xgen_infra.preview.plan import KNOWN_LATER, Change, Property
from xgen_infra.preview.site import SitePreview

MARKER = "<!-- xgen preview -->"
"""The comment's first line: by it the comment is found again and updated in place."""
LIMIT = 1_000_000
"""Characters of a note (GitLab documentation, "Instance limits": size of comments)."""
_VALUE = 120
_PROPERTIES = 8
_DIFF, _CREATIONS, _TABLE = 1, 2, 3
_HEAD = 9


@dataclass
class Part:
    """A piece of the comment. Where it is too long, what has the lowest `rank` goes first; `instead` says so."""

    text: str
    rank: int = _HEAD
    instead: str = ""


def markdown(previews: Sequence[SitePreview], against: str = "", limit: int = LIMIT) -> str:
    """Return the comment; `against` names the revision that was compared with, as people know it."""
    parts = [Part(_head(previews, against))]
    for one in previews:
        parts += _site(one)
    return _cut(parts, limit)


def _head(previews: Sequence[SitePreview], against: str) -> str:
    where = f" against {_code(against)}" if against else ""
    lines = [MARKER, f"## What `pulumi up` would change{where}", ""]
    if against:
        lines += [
            "Previewed without any credential, in a world in memory: ids, addresses and account facts are made up.",
            "",
        ]
    lines += [
        "| customer | | create | update | replace | delete | unchanged |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for one in previews:
        counts = list(one.plan.counts.values()) if one.plan else ["-"] * 4
        unchanged = one.plan.unchanged if one.plan else "-"
        warned = ["**warnings**"] if one.plan and one.plan.warnings else []
        verdict = ", ".join(filter(None, [_verdict(one), *warned]))
        cells = [_code(one.stack), verdict, *counts, unchanged]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def _verdict(one: SitePreview) -> str:
    match one.outcome:
        case "failed":
            return "**the preview failed**"
        case "refused":
            broken = one.plan is not None and one.plan.stopped
            return f"**`up` would be refused{': policies' if broken else ''}**"
        case "removed":
            return "**file removed**"
    if one.plan and any(change.loud for change in one.plan.changes):
        return "**look at this: data**"
    if one.plan and any(change.op in {"replace", "delete"} for change in one.plan.changes):
        return "replaces or deletes"
    return "no resource changes" if one.plan and not one.plan.changes else ""


def _site(one: SitePreview) -> Iterator[Part]:
    yield Part("\n".join([f"### {_code(one.stack)}", ""]))
    if one.outcome == "removed":
        yield Part(
            "Its file is no longer in the repository. That alone touches nothing: the stack and its resources stay, "
            "without a file to manage them by. `xgen destroy` removes a customer while the file is still there.\n"
        )
    if one.problem:
        said = "`up` would be refused:" if one.outcome == "refused" else "Failed:"
        yield Part("\n".join([f"**{said}**", "", *_fenced(one.problem), ""]))
    for note in one.notes:
        yield Part(f"> {note}\n")
    if one.plan:
        yield from _policies(one.plan.violations)
        yield from _warnings(one.plan.warnings)
        yield from _plan(one.plan.changes, one.stack)
    if one.values:
        yield _values(one)


def _policies(violations: Sequence[Violation]) -> Iterator[Part]:
    said = {True: "**Policies are broken, and `up` would stop there:**", False: "Policies advise against it:"}
    for stops, title in said.items():
        lines = [str(one) for one in violations if one.stops == stops]
        if lines:
            yield Part("\n".join([title, "", *_fenced("\n".join(lines)), ""]))


def _warnings(warnings: Sequence[str]) -> Iterator[Part]:
    if warnings:
        yield Part("\n".join(["**The engine warns:**", "", *_fenced("\n".join(warnings)), ""]))


def _plan(changes: Sequence[Change], stack: str) -> Iterator[Part]:
    loud = [change for change in changes if change.loud]
    if loud:
        lines = ["> **Data would be lost, or something protected would go:**", ">"]
        lines += [f"> - **{change.op}** {_name(change)}{_why(change)}" for change in loud]
        yield Part("\n".join([*lines, ""]))
    gone = [change for change in changes if change.op in {"replace", "delete"}]
    if gone:
        yield _table("Replacements and deletions", gone, stack, _TABLE + 1)
    updated = [change for change in changes if change.op == "update"]
    if updated:
        yield _table("Updates", updated, stack, _TABLE)
    created = [change for change in changes if change.op == "create"]
    if created:
        lines = [f"<details><summary>Creations: {len(created)}</summary>", ""]
        lines += [f"- {_name(change)}" for change in created]
        instead = f"_Left out: the list of {len(created)} creations of {_code(stack)}._\n"
        yield Part("\n".join([*lines, "", "</details>", ""]), _CREATIONS, instead)


def _table(title: str, changes: Sequence[Change], stack: str, rank: int) -> Part:
    lines = [f"**{title}**", "", "| | resource | what changes |", "|---|---|---|"]
    lines += [f"| {change.op} | {_name(change)} | {_properties(change.properties)} |" for change in changes]
    instead = f"_Left out: the table of {len(changes)} {title.lower()} of {_code(stack)}._\n"
    return Part("\n".join([*lines, ""]), rank, instead)


def _properties(properties: Sequence[Property]) -> str:
    forcing = sorted(properties, key=lambda one: not one.forces_replacement)
    shown = [_property(one) for one in forcing[:_PROPERTIES]]
    if len(forcing) > _PROPERTIES:
        shown.append(f"and {len(forcing) - _PROPERTIES} more")
    return "<br>".join(shown)


def _property(one: Property) -> str:
    forced = " (forces replacement)" if one.forces_replacement else ""
    after = f"_{KNOWN_LATER[1:-1]}_" if one.after == KNOWN_LATER else _code(one.after)
    return f"{_code(one.path)}: {_code(one.before)} → {after}{forced}"


def _why(change: Change) -> str:
    words = [change.data] if change.data else []
    if change.protected:
        words.append("protected: the engine refuses")
    if change.retained:
        words.append("retained: the old one stays where it is, outside the stack")
    return f": {'; '.join(words)}" if words else ""


def _values(one: SitePreview) -> Part:
    files = one.values or {}
    text = "\n".join(files.values())
    summary = f"What goes to the customer's Git: {len(files)} files differ"
    lines = [f"<details><summary>{summary}</summary>", "", *_fenced(text, "diff"), "", "</details>", ""]
    size = text.count("\n") + 1
    instead = (
        f"_Left out: {size} lines of what goes to Git for {_code(one.stack)} "
        f"({len(files)} files); `xgen render {one.stack}` writes them._\n"
    )
    return Part("\n".join(lines), _DIFF, instead)


def _cut(parts: Sequence[Part], limit: int) -> str:
    """Join the parts; what is too much is replaced by a line that says what was left out."""
    size = sum(len(part.text) + 1 for part in parts)
    shortened = False
    while size > limit:
        left = [part for part in parts if part.instead and part.text != part.instead]
        if not left:
            break
        chosen = min(left, key=lambda part: (part.rank, -len(part.text)))
        size += len(chosen.instead) - len(chosen.text)
        chosen.text, shortened = chosen.instead, True
    text = "\n".join(part.text for part in parts)
    if shortened:
        text = text.replace(
            "\n\n",
            "\n\n_This comment is longer than GitLab takes, so parts are left out; each says so._\n\n",
            1,
        )
    if len(text) <= limit:
        return text
    said = (
        "\n\n_Cut here: the comment is longer than GitLab takes. `xgen preview --output` writes all of it._\n"
    )
    return text[: limit - len(said)] + said


def _name(change: Change) -> str:
    return f"{_code(change.name)} ({_code(change.type)})"


def _code(value: object) -> str:
    """Return a value as code in a line or cell of a table: nothing in it is taken for Markdown or HTML."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{text if len(text) <= _VALUE else text[: _VALUE - 1] + '…'}`" if text else "(empty)"


def _fenced(text: str, language: str = "") -> Iterable[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", text, fence]
