"""Runs checks side by side, a bounded number at a time, each within its own time."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from xgen_infra.preflight.check import Check, Level, Result, StopError, refuse, warn
from xgen_infra.preflight.scene import Scene, said

_SEE = "see the check aws-identity, and grant this principal the right to look; then run it again"
_LEVELS = (Level.OK, Level.WARNING, Level.ERROR)


@dataclass(frozen=True)
class Outcome:
    """What came of one check. `broken` is a mistake of this program, never of the site."""

    check: Check
    results: tuple[Result, ...]
    seconds: float
    broken: Exception | None = field(default=None, repr=False)

    @property
    def level(self) -> Level:
        """The worst of its results."""
        return max((result.level for result in self.results), key=_LEVELS.index, default=Level.OK)


def run(
    checks: Sequence[Check], scene: Scene, *, parallel: int, tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Return every check's outcome in the order of `checks`; `tell` gets each as it ends.

    A check that does not end in its time is left behind with a warning: its thread ends with the process.
    """
    waiting, running = deque(checks), dict[str, tuple[Check, float]]()
    ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    outcomes: dict[str, Outcome] = {}
    while waiting or running:
        while waiting and len(running) < parallel:
            check = waiting.popleft()
            running[check.name] = (check, time.monotonic())
            work = (check, scene, ended)
            threading.Thread(target=_work, args=work, name=f"check {check.name}", daemon=True).start()
        for outcome in _next(ended, running):
            del running[outcome.check.name]
            outcomes[outcome.check.name] = outcome
            tell(outcome)
    return [outcomes[check.name] for check in checks]


def _next(ended: queue.SimpleQueue[Outcome], running: dict[str, tuple[Check, float]]) -> Iterator[Outcome]:
    """Yield what ended next, or else what is out of time."""
    now = time.monotonic()
    due = min(started + check.seconds for check, started in running.values())
    try:
        outcome = ended.get(timeout=max(0.0, due - now))
    except queue.Empty:
        late = [(check, started) for check, started in running.values() if started + check.seconds <= due]
        for check, started in late:
            result = warn(f"no answer within {check.seconds:g} s", check.mend)
            yield Outcome(check, (result,), round(time.monotonic() - started, 1))
        return
    if outcome.check.name in running:
        yield outcome


def _work(check: Check, scene: Scene, ended: queue.SimpleQueue[Outcome]) -> None:
    started, broken = time.monotonic(), None
    results: list[Result] = []
    try:
        for result in check.look(scene):
            results.append(result)  # noqa: PERF402 - what came before a failure stays
    except StopError as stop:
        results.append(stop.result)
    except (ClientError, BotoCoreError) as error:
        results.append(warn(f"AWS did not answer this check: {said(error)}", _SEE))
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others found
        broken = error
        results.append(refuse(f"the check itself failed ({type(error).__name__})"))
    shown = tuple(
        replace(
            result,
            found=scene.secrets.hide(result.found),
            mend="" if result.level is Level.OK else scene.secrets.hide(result.mend or check.mend),
        )
        for result in results
    )
    ended.put(Outcome(check, shown, round(time.monotonic() - started, 1), broken))
