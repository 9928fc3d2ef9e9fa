"""What a preview found out about one customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from xgen_infra.preview.plan import Plan

Outcome = Literal["previewed", "refused", "failed", "removed"]
"""`refused`: the plan is known, and `up` would refuse it for what is protected or for a policy. `removed`: the file is gone."""


@dataclass(frozen=True)
class SitePreview:
    """One customer.

    `problem` says what failed or why it is refused; `notes` are sentences of ours, said beside the plan. `values` is a unified diff of
    what `xgen render` writes, by file.
    """

    stack: str
    outcome: Outcome
    plan: Plan | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    values: Mapping[str, str] | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the exit status has to say so."""
        return self.outcome in {"failed", "refused"}

    def as_data(self) -> dict[str, Any]:
        """Return the preview for programs."""
        plan = None
        if self.plan:
            changes = [{**asdict(change), "loud": change.loud} for change in self.plan.changes]
            plan = {
                "counts": self.plan.counts,
                "unchanged": self.plan.unchanged,
                "changes": changes,
                "policies": self.plan.policies,
                "violations": [asdict(one) for one in self.plan.violations],
                "warnings": list(self.plan.warnings),
            }
        return {
            "stack": self.stack,
            "outcome": self.outcome,
            "problem": self.problem,
            "notes": list(self.notes),
            "plan": plan,
            "values": dict(self.values) if self.values is not None else None,
            "seconds": self.seconds,
        }
