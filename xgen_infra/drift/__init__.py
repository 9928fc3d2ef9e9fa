"""What differs between a stack's state and what is really there."""

from xgen_infra.drift.compare import compare
from xgen_infra.drift.model import Difference, Drift, Unseen

__all__ = ["Difference", "Drift", "Unseen", "compare"]
