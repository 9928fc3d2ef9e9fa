"""What goes to the customer's Git, at two revisions: the text of both, and whether the chart renders."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from xgen_infra import catalog
from xgen_infra.delivery.services import whole
from xgen_infra.rehearsal.processes import clean_environment
from xgen_infra.site import Site

_SECONDS = 300
_BESIDE = ("nice", "-n", "19")
"""The engine's runs take longer and are waited for: what runs beside them gives way."""


class RenderError(Exception):
    """A revision's `xgen render`, or the chart, failed; the message is what it said."""


def rendered(program: Path, stack: str, root: Path, out: Path) -> dict[str, str]:
    """Return the files that a program's own `xgen render` writes for a stack, by path; raises RenderError.

    It runs in a process of its own with nothing of the caller's environment; `root` is for its HOME.
    """
    command = [sys.executable, "-m", "xgen_infra.cli", "render", stack, "--out", str(out)]
    environment = clean_environment(root, PYTHONPATH=str(program))
    done = _run(command, environment, program)
    if done.returncode:
        raise RenderError((done.stderr or done.stdout).strip().replace(f"{program}/", ""))
    return {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def refuse_broken_chart(helm: Path, chart: Path, site: Site, root: Path) -> None:
    """Render a chart with every service's whole values; raises RenderError with what Helm says.

    What only a resource knows has its planned value. `root` is for values and HOME.
    """
    for name in catalog.NAMES:
        values = root / f"{name}.json"
        values.write_text(json.dumps(whole(site, name, {})))
        command = [str(helm), "template", name, str(chart), "--values", str(values)]
        done = _run(command, clean_environment(root), root)
        if done.returncode:
            said = done.stderr.replace("Use --debug flag to render out invalid YAML", "").strip()
            raise RenderError(f"the chart does not render for {name}: {said}")


def _run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*_BESIDE, *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"{' '.join(command[:4])} did not end within {_SECONDS} s") from None


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return a unified diff for each file that differs, by path."""
    found = {}
    for path in sorted({*old, *new}):
        lines = difflib.unified_diff(
            old.get(path, "").splitlines(),
            new.get(path, "").splitlines(),
            f"a/{path}" if path in old else "/dev/null",
            f"b/{path}" if path in new else "/dev/null",
            lineterm="",
            n=2,
        )
        if text := "\n".join(lines):
            found[path] = text
    return found
