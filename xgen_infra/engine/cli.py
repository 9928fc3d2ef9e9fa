"""Operations of the Pulumi engine, each one call of its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xgen_infra.engine.events import Result, parse
from xgen_infra.secrecy import opened

_TAIL = 25
_UNLOGGED = frozenset({"stack", "config"})
"""Commands whose standard output may hold secrets."""


class EngineError(Exception):
    """An operation failed; the message is what the engine said. `result` is what had been done by then."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class Engine:
    """The engine for one project folder.

    `environment` is added to the caller's: PULUMI_HOME, PULUMI_BACKEND_URL and the like. A passphrase goes there
    too, never among the arguments. `log` receives the engine's own output, when given. `alone`: nothing is added to
    it, the caller's own environment stays out.
    """

    project: Path
    binary: Path = Path("pulumi")
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    log: Path | None = None
    alone: bool = False

    def up(self, stack: str, *options: str) -> Result:
        """Bring the stack to what the program says."""
        return self._operate("up", stack, "--yes", "--skip-preview", *options)

    def preview(self, stack: str, *options: str) -> Result:
        """Tell what `up` would do."""
        return self._operate("preview", stack, *options)

    def refresh(self, stack: str, *options: str) -> Result:
        """Bring the state to what is there."""
        return self._operate("refresh", stack, "--yes", "--skip-preview", *options)

    def destroy(self, stack: str, *options: str) -> Result:
        """Remove resources."""
        return self._operate("destroy", stack, "--yes", "--skip-preview", *options)

    def outputs(self, stack: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs; secret ones as "[secret]" unless asked for."""
        shown = ["--show-secrets"] if show_secrets else []
        outputs: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--stack", stack, *shown))
        return outputs

    def export(self, stack: str) -> dict[str, Any]:
        """Return the stack's state, secrets encrypted."""
        state: dict[str, Any] = json.loads(self.run("stack", "export", "--stack", stack))
        return state

    def init(self, stack: str) -> None:
        """Make the stack in the backend."""
        self.run("stack", "init", stack, "--no-select")

    def cancel(self, stack: str) -> None:
        """Clear the lock that an interrupted operation left."""
        self.run("cancel", "--yes", "--stack", stack)

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run any command and return its standard output; raises EngineError.

        `given` is what it reads on its standard input: a secret goes there, never among the arguments.
        """
        opened.note((given or "").strip())
        with self._started(arguments, given) as process:
            output, error = _ended(process, given)
        if "--show-secrets" in arguments:
            opened.answered((str(self.project), *arguments), output)
        self._record(arguments, output if arguments[0] not in _UNLOGGED else "", error)
        if process.returncode != 0:
            raise EngineError(_tail(error or output))
        return output

    def _started(self, arguments: Sequence[str], given: str | None) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                [str(self.binary), *arguments, "--non-interactive", "--color", "never"],
                cwd=self.project,
                env=self._env(),
                stdin=None if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
        except FileNotFoundError as error:
            if error.filename != str(self.binary):
                raise
            raise EngineError(
                f"there is no {self.binary} on PATH: install the Pulumi engine (Pulumi documentation, "
                '"Download & install Pulumi")'
            ) from None

    def _operate(self, operation: str, stack: str, *options: str) -> Result:
        with tempfile.TemporaryDirectory(prefix="xgen-engine-") as folder:
            events = Path(folder) / "events.json"
            command = [operation, "--stack", stack, "--event-log", str(events), *options]
            try:
                self.run(*command)
            except EngineError as error:
                result = parse(events)
                lines = [*map(str, result.violations), *result.diagnostics]
                said = "\n".join(dict.fromkeys(line for line in lines if line))
                raise EngineError(said or str(error), result) from None
            return parse(events)

    def _env(self) -> dict[str, str]:
        return {
            **({} if self.alone else os.environ),
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **self.environment,
        }

    def _record(self, arguments: Sequence[str], *texts: str) -> None:
        if self.log is None:
            return
        with self.log.open("a") as stream:
            stream.write(f"$ pulumi {' '.join(arguments)}\n{''.join(texts)}\n")


def _ended(process: subprocess.Popen[str], given: str | None = None) -> tuple[str, str]:
    """Give it its input and return what the engine wrote. An interruption reaches it once: it ends what it began and gives its lock back."""
    try:
        return process.communicate(given)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate()
        except KeyboardInterrupt:
            process.kill()
        raise


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_TAIL:])
