"""After an operation that was cut off: what was made and is in no state is found and taken into the state."""

from xgen_infra.recovery.backend import mend_state
from xgen_infra.recovery.errors import RecoveryError
from xgen_infra.recovery.recover import Recovered, Recovery

__all__ = ["Recovered", "Recovery", "RecoveryError", "mend_state"]
