"""What a job of the pipelines calls and this machine has not: an engine with a cloud behind it, a customer's cluster.

Called by the scripts that `forge.py` writes, with the name of the program played first. Each call is one line of
JSON in STAND_IN_LOG. STAND_IN_FAILING holds `program:site` words; such a call fails.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

PASSED_ON = (
    "SITE",
    "CI_JOB_NAME",
    "PULUMI_BACKEND_URL",
    "XGEN_AWS_ROLE",
    "AWS_CONFIG_FILE",
    "XGEN_AWS_TOKEN",
)


def note(program: str, words: list[str]) -> None:
    """Add a call to the log; several jobs run at once."""
    seen = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with Path(os.environ["STAND_IN_LOG"]).open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(json.dumps({"program": program, "words": words, "env": seen}) + "\n")


def preview(words: list[str]) -> None:
    """Write what `xgen preview` writes, for as long as that verb is not there."""
    sites = [
        word
        for index, word in enumerate(words)
        if not word.startswith("--") and not words[index - 1].startswith("--")
    ]
    output = Path(words[words.index("--output") + 1])
    rows = "\n".join(f"| {site} | 1 update |" for site in sites)
    output.write_text(f"<!-- xgen-preview -->\n## Preview\n\n| stack | changes |\n|---|---|\n{rows}\n")


def main() -> int:
    program, words = sys.argv[1], sys.argv[2:]
    note(program, words)
    if program == "preview":
        preview(words)
    if words[:2] == ["config", "get"]:
        print(Path(os.environ["STAND_IN_PASSWORD_FILE"]).read_text())
    failing = f"{program}:{os.environ.get('SITE', '')}" in os.environ.get("STAND_IN_FAILING", "").split()
    return (2 if program == "drift" else 1) if failing else 0


if __name__ == "__main__":
    sys.exit(main())
