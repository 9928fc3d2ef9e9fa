"""After an operation that was cut off: what was made and is in no state is found and taken into the state."""

from xgen_infra.recovery.recover import Recovered, Recovery, RecoveryError

__all__ = ["Recovered", "Recovery", "RecoveryError"]
