"""What a rotation cannot go on from by itself."""


class RotationError(Exception):
    """A rotation stopped; the message says what was found and what to do. A working key is in use all the same."""
