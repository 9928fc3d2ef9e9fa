"""`xgen destroy` where the engine loses a connection: the stage is run again, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xgen_infra.cli.destroy import remove_all
from xgen_infra.engine import Engine, EngineError, Result

CUT = "error reading from server: connection reset by peer"


class Failing(Engine):
    """An engine with an empty state whose removals fail as they are told to, one after the other."""

    def __init__(self, *errors: str) -> None:
        super().__init__(Path())
        object.__setattr__(self, "errors", list(errors))
        object.__setattr__(self, "runs", [])

    def export(self, stack: str) -> dict[str, Any]:
        return {"deployment": {"resources": []}}

    def destroy(self, stack: str, *options: str) -> Result:
        self.runs.append(options)
        if self.errors:
            raise EngineError(self.errors.pop(0))
        return Result((), (), {}, 0.0)

    errors: list[str]
    runs: list[tuple[str, ...]]


def test_a_stage_whose_connection_was_cut_is_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    engine = Failing(CUT)
    remove_all(engine, "aww")
    assert engine.runs == [("--exclude-protected",)] * 2
    assert "the engine lost its connection to a provider; the stage is run again" in capsys.readouterr().out


def test_a_connection_that_is_cut_every_time_is_an_error() -> None:
    engine = Failing(*[CUT] * 5)
    with pytest.raises(EngineError, match="error reading from server"):
        remove_all(engine, "aww")
    assert len(engine.runs) == 3


def test_what_a_provider_refuses_is_not_tried_again() -> None:
    engine = Failing("aws: Delete network-vpc: DependencyViolation")
    with pytest.raises(EngineError, match="DependencyViolation"):
        remove_all(engine, "aww")
    assert len(engine.runs) == 1
