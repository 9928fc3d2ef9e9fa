"""Shows that no secret of a rehearsal is where none belongs."""

from xgen_infra.rehearsal.secrecy.watch import Watch

__all__ = ["Watch"]
