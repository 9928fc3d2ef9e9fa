"""Whether the six services run as they should, and if not, why."""

from xgen_infra.health.judge import Judge, Verdict

__all__ = ["Judge", "Verdict"]
