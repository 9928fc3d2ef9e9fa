"""What can be known before the first `up`: checks that only look."""

from xgen_infra.preflight.check import Check, Level, Result
from xgen_infra.preflight.checks import CHECKS
from xgen_infra.preflight.run import Outcome, run
from xgen_infra.preflight.scene import Scene
from xgen_infra.preflight.secrets import Secrets

__all__ = ["CHECKS", "Check", "Level", "Outcome", "Result", "Scene", "Secrets", "run"]
