"""The engine's event log (`--event-log`), as far as this program reads it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.engine import special

SAME = "same"
SECRET = "[secret]"  # noqa: S105 - how the event log shows one
REPLACING = frozenset({"replace", "create-replacement", "delete-replaced"})


@dataclass(frozen=True)
class Step:
    """One step on one resource; `diffs` are the property paths that changed, `keys` those that force a replacement.

    `protect` and `retain` (retainOnDelete) are the resource's own options as the state has them. `before` and `after`
    are its inputs, secrets as "[secret]", what is not known yet as `special.UNKNOWN`.
    """

    op: str
    urn: str
    type: str
    diffs: tuple[str, ...] = ()
    protect: bool = False
    keys: tuple[str, ...] = ()
    retain: bool = False
    before: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class Violation:
    """What a policy pack finds wrong with a resource; `level` is `mandatory` where it stops the operation."""

    pack: str
    rule: str
    level: str
    urn: str
    message: str

    @property
    def stops(self) -> bool:
        """Whether the engine refuses the operation for it."""
        return self.level == "mandatory"

    def __str__(self) -> str:
        """Say it in one line, as a person would read it."""
        return f"{self.rule}: {self.urn.rsplit('::', 1)[-1]}: {self.message}"


@dataclass(frozen=True)
class Result:
    """One operation: its steps, what it said (warnings and errors, coloured marks removed), seconds it took.

    `violations` are what policy packs found; `judged` counts the resources that each rule of them looked at.
    `errors` are those of the diagnostics that are no warnings.
    """

    steps: tuple[Step, ...]
    diagnostics: tuple[str, ...]
    changes: Mapping[str, int]
    seconds: float
    violations: tuple[Violation, ...] = ()
    judged: Mapping[str, int] = field(default_factory=dict)
    errors: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[Step, ...]:
        """The steps that were not `same` and not a mere reading."""
        return tuple(step for step in self.steps if step.op not in {SAME, "read", "refresh"})

    @property
    def replaced(self) -> tuple[Step, ...]:
        """The steps that replace a resource."""
        return tuple(step for step in self.steps if step.op in REPLACING)


def parse(log: Path) -> Result:
    """Read an event log; one that breaks off gives what it has."""
    events = events_of(log)
    steps = [step for event in events for step in _step(event)]
    summary: dict[str, Any] = next((event["summaryEvent"] for event in events if "summaryEvent" in event), {})
    counted = summary.get("resourceChanges") or Counter(step.op for step in steps)
    return Result(
        steps=tuple(steps),
        diagnostics=tuple(_diagnostics(events)),
        changes=dict(counted),
        seconds=float(summary.get("durationSeconds", 0)),
        violations=tuple(_violations(events)),
        judged=_judged(events),
        errors=tuple(_diagnostics(events, {"error"})),
    )


def events_of(log: Path) -> list[dict[str, Any]]:
    """Return the events of a log, as the engine wrote them; of one that breaks off, those that are whole."""
    return [json.loads(line) for line in _lines(log)]


def _lines(log: Path) -> Iterable[str]:
    if not log.exists():
        return []
    text = log.read_text(errors="replace")
    return [line for line in text.splitlines() if line.endswith("}")]


def _step(event: Mapping[str, Any]) -> Iterable[Step]:
    metadata = (event.get("resourcePreEvent") or {}).get("metadata")
    if not metadata or metadata["type"] == "pulumi:pulumi:Stack":
        return
    paths = metadata.get("detailedDiff") or dict.fromkeys(metadata.get("diffs") or ())
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    yield Step(
        metadata["op"],
        metadata["urn"],
        metadata["type"],
        tuple(sorted(paths)),
        bool(old.get("protect")),
        tuple(sorted(metadata.get("keys") or ())),
        bool(old.get("retainOnDelete")),
        _plain(old.get("inputs") or {}),
        _plain(new.get("inputs") or {}),
    )


def _plain(value: Any) -> Any:
    """Return a value with `SECRET` in the place of each secret, which the log shows as an object with a signature."""
    if isinstance(value, dict):
        if value.get(special.SIGNATURE) == special.SECRET:
            return SECRET
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _violations(events: Iterable[Mapping[str, Any]]) -> Iterable[Violation]:
    for event in events:
        if said := event.get("policyEvent"):
            yield Violation(
                said.get("policyPackName", ""),
                said.get("policyName", ""),
                said.get("enforcementLevel", ""),
                said.get("resourceUrn", ""),
                " ".join(bare(said.get("message", "")).split("\n")).strip(),
            )


def _judged(events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count by rule the resources that it passed or failed (the engine's summary of each resource)."""
    counted: Counter[str] = Counter()
    for event in events:
        for name in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            summary = event.get(name) or {}
            counted.update([*(summary.get("passed") or ()), *(summary.get("failed") or ())])
    return dict(counted)


def _diagnostics(
    events: Iterable[Mapping[str, Any]], severities: Collection[str] = ("error", "warning")
) -> Iterable[str]:
    for event in events:
        said = event.get("diagnosticEvent")
        if said and said.get("severity") in severities:
            text = bare(said.get("message", "")).strip().removeprefix("an unhandled error occurred: ")
            # Where a plugin was found is the engine's own affair.
            if not text.startswith("using pulumi-"):
                yield text


def bare(message: str) -> str:
    """Return a message without the engine's colour marks, `<{%reset%}>` and the like."""
    while (start := message.find("<{%")) >= 0:
        end = message.find("%}>", start)
        if end < 0:
            break
        message = message[:start] + message[end + 3 :]
    return message
