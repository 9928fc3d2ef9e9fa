"""A build agent with nothing but Python gets the command by itself, once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from vendor.folder import ROOT, environment, k3s, write


def test_an_agent_installs_the_locked_dependencies_once_whoever_asks_first(tmp_path: Path) -> None:
    folder = tmp_path / "customers"
    folder.mkdir()
    write(folder, {"shop": k3s("shop")})
    python = Path(sys.executable).resolve()
    env = environment(XGEN_CACHE=str(tmp_path / "cache"), PYTHON=str(python), PATH=os.environ["PATH"])
    command: list[str | Path] = [ROOT / "ci" / "xgen", "-C", folder, "sites"]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        output, _ = process.communicate(timeout=400)
        assert process.returncode == 0
        assert "docker.x2bee.com" in output
    (made,) = (path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    assert (made / "complete").exists()
    begun = time.monotonic()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    assert time.monotonic() - begun < 30
    installed = subprocess.run(
        [made / "bin" / "python", "-c", "import pytest"], capture_output=True, check=False
    )
    assert installed.returncode != 0, "only what the program needs is installed"
