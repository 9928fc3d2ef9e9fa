"""Running the checks: each step is ok, failed or not run, with what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from xgen_infra.health.access import UnreachableError, said
from xgen_infra.runbook.facts import RunbookError
from xgen_infra.runbook.scene import Scene
from xgen_infra.runbook.step import CheckFailedError, NotRunError, Step

State = Literal["ok", "failed", "not run"]


@dataclass(frozen=True)
class Result:
    """What a step's check came to."""

    step: str
    state: State
    saw: str


def run(steps: Sequence[Step], scene: Scene) -> Iterator[Result]:
    """Run the checks of steps in order. A cluster that cannot be reached fails one check; the others are not run."""
    told = False
    for step in steps:
        try:
            result = Result(step.id, "ok", step.check.look(scene))
        except UnreachableError as error:
            result = Result(step.id, "not run" if told else "failed", str(error))
            told = True
        except NotRunError as error:
            result = Result(step.id, "not run", str(error))
        except (CheckFailedError, RunbookError) as error:
            result = Result(step.id, "failed", str(error))
        except ApiException as error:
            result = Result(step.id, "failed", f"the API server refuses: {said(error)}")
        except HTTPError as error:
            result = Result(step.id, "failed", f"the API server does not answer: {error}")
        yield result
