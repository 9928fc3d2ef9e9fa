"""What the engine would do to one customer's stack, as data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xgen_infra.engine import Engine, EngineError, Result, Step, Violation
from xgen_infra.engine.events import SECRET
from xgen_infra.engine.special import UNKNOWN
from xgen_infra.findings import keeps_secret
from xgen_infra.rehearsal.standins.wire import at, has_unknown, steps
from xgen_infra.secrecy import redact

Op = Literal["create", "update", "replace", "delete"]
KNOWN_LATER = "(known only after up)"
HIDDEN = "(secret)"
NOTHING = "(nothing)"
_PROTECTED = "marked for protection"
_NO_MORE = "preview failed"
"""What the engine says last where a policy alone made the preview fail."""
_OPS: Mapping[str, Op] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "delete": "delete",
}
_HOLDS_DATA = {
    "aws:s3/bucket:Bucket": "a bucket with its objects",
    "aws:s3/bucketV2:BucketV2": "a bucket with its objects",
    "aws:kms/key:Key": "a KMS key: what it encrypted cannot be read any more",
    "aws:ebs/volume:Volume": "a volume",
    "aws:ecr/repository:Repository": "an image repository with its images",
    "aws:rds/cluster:Cluster": "a database",
    "aws:rds/instance:Instance": "a database",
    "aws:eks/cluster:Cluster": "a cluster with everything that runs in it",
    "kubernetes:core/v1:PersistentVolume": "a volume",
    "kubernetes:core/v1:PersistentVolumeClaim": "a volume's claim",
    "kubernetes:core/v1:Namespace": "a namespace with everything in it",
    "kubernetes:apps/v1:StatefulSet": "a database or store: its pods stop, its claims stay",
}
"""Types whose deletion or replacement loses data or stops what holds it."""


@dataclass(frozen=True)
class Property:
    """One property that changes; values are shortened texts, never a secret."""

    path: str
    before: str
    after: str
    forces_replacement: bool


@dataclass(frozen=True)
class Change:
    """One resource that changes.

    `data` says what of a customer's would be lost or stopped, or is empty. `protected`: the engine refuses to delete
    or replace it. `retained`: it stays in the cloud or cluster when it leaves the state.
    """

    op: Op
    type: str
    name: str
    properties: tuple[Property, ...] = ()
    data: str = ""
    protected: bool = False
    retained: bool = False

    @property
    def loud(self) -> bool:
        """Whether it has to be read first: data, or something protected, is deleted or replaced."""
        return self.op in {"replace", "delete"} and bool(self.data or self.protected)

    @property
    def unknown(self) -> bool:
        """Whether a new value is known only after `up`."""
        return any(one.after == KNOWN_LATER for one in self.properties)


@dataclass(frozen=True)
class Plan:
    """The engine's plan for one stack: what changes, loudest first, and how many resources stay as they are.

    `violations` are what the policy pack finds, those that stop `up` first; `policies` is how many looked.
    `warnings` are the engine's and the providers' own, without credentials: of a cluster that is unreachable, the plan
    is what the state alone makes of it.
    """

    changes: tuple[Change, ...]
    unchanged: int
    violations: tuple[Violation, ...] = ()
    policies: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether a mandatory policy is broken: `up` would stop there."""
        return any(one.stops for one in self.violations)

    @property
    def counts(self) -> dict[str, int]:
        """Count the changes by operation."""
        counted = Counter(change.op for change in self.changes)
        return {op: counted[op] for op in ("create", "update", "replace", "delete")}


def planned(engine: Engine, stack: str, *options: str) -> tuple[Plan, str]:
    """Return a stack's plan, and what the engine refuses of it because it is protected.

    The plan is whole where something is protected or a policy is broken: the engine goes on after it has refused.
    Raises EngineError for anything else.
    """
    try:
        return plan_of(engine.preview(stack, *options)), ""
    except EngineError as error:
        if error.result is None:
            raise
        plan = plan_of(error.result)
        said = [line for line in error.result.errors if line != _NO_MORE]
        protected = any(_PROTECTED in line for line in said)
        if not protected and (said or not plan.stopped):
            raise
        return plan, "\n".join(dict.fromkeys(said))


def plan_of(result: Result) -> Plan:
    """Read a preview's steps."""
    seen: dict[str, Change] = {}
    for step in result.steps:
        op = _OPS.get(step.op)
        if op is None:
            continue
        change = _change(op, step)
        before = seen.get(step.urn)
        if before is None or (op == "replace" and len(change.properties) > len(before.properties)):
            seen[step.urn] = change
    changes = sorted(seen.values(), key=_loudest_first)
    unchanged = {step.urn for step in result.steps if step.op == "same"} - seen.keys()
    violations = sorted(dict.fromkeys(result.violations), key=lambda one: not one.stops)
    warnings = [redact.text(line) for line in result.diagnostics if line and line not in result.errors]
    return Plan(
        tuple(changes),
        len(unchanged),
        tuple(violations),
        len(result.judged),
        tuple(dict.fromkeys(warnings)),
    )


def _change(op: Op, step: Step) -> Change:
    gone = op in {"replace", "delete"}
    return Change(
        op,
        step.type,
        step.name,
        tuple(_properties(step)) if op in {"update", "replace"} else (),
        _HOLDS_DATA.get(step.type, "") if gone else "",
        step.protect,
        step.retain,
    )


def _properties(step: Step) -> Iterator[Property]:
    keys = {steps(key)[0] for key in step.keys}
    for path in step.diffs:
        way = steps(path)
        before, after = at(step.before, way), at(step.after, way)
        yield Property(
            path,
            _shown(before, way, step.before),
            _shown(after, way, step.after),
            bool(way) and way[0] in keys,
        )


def _shown(value: Any, way: list[str | int], around: Any) -> str:
    """Return the value at `way` in `around` in few words, without what nobody should read."""
    parents = [at(around, way[:length]) for length in range(len(way))]
    later, hidden = UNKNOWN in parents, SECRET in parents
    if value is None and not later and not hidden:
        return NOTHING
    if hidden or any(map(keeps_secret, way)) or _holds_secret(value):
        return HIDDEN
    if later or has_unknown(value):
        return KNOWN_LATER
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(keeps_secret(key) or _holds_secret(one) for key, one in value.items())
    if isinstance(value, list):
        return any(map(_holds_secret, value))
    return bool(value == SECRET)


def _loudest_first(change: Change) -> tuple[bool, int, str, str]:
    order = ("delete", "replace", "update", "create")
    return not change.loud, order.index(change.op), change.type, change.name
