"""What stops a recovery."""


class RecoveryError(Exception):
    """The state was left as it was; the message says why."""
