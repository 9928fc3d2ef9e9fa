"""A mistake made on purpose: `xgen`, with one verb more that quotes every secret of a stack in an exception."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

from xgen_infra import cli
from xgen_infra.engine import Engine
from xgen_infra.secrecy import known


def fail(site: str) -> None:
    """Open the stack's state, and raise what nobody expects."""
    shown = Engine(Path.cwd()).run("stack", "export", "--show-secrets", "--stack", site)
    values = known.of_state(json.loads(shown)).values()
    quoted = (
        f"{value}\npassword={value}\n{json.dumps(value)}\n{quote(value)}\n{b64encode(value.encode()).decode()}"
        for value in values
    )
    raise RuntimeError("\n".join(quoted))


if __name__ == "__main__":
    cli.VERBS["fail"] = cli.Verb("xgen_infra.rehearsal.secrecy.bug:fail", "Fail.")
    cli.main()
