"""The Pulumi engine by its command line: operations, and what their event log says."""

from xgen_infra.engine.cli import Engine, EngineError
from xgen_infra.engine.events import Result, Step, Violation

__all__ = ["Engine", "EngineError", "Result", "Step", "Violation"]
