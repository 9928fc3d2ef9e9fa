"""Peak memory of the program against a program with the same imports and no resources."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence

from bench.measure import Figure
from bench.world import ROOT

_IMPORTS = "import xgen_infra.stack, xgen_infra.load, pulumi, resource"
_PROGRAM = """
import pulumi.runtime
from pathlib import Path
from xgen_infra.folder import read_site

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return f"{args.name}-id", {"kubeconfig": "{}", "names": ["a", "b", "c"], **args.inputs}
    def call(self, args):
        return {"names": ["a", "b", "c"], "zoneIds": ["a", "b", "c"], "partition": "aws", "accountId": "1" * 12}

_, site = read_site(Path("."), "main")
secret = lambda: pulumi.Output.secret("x")
names = xgen_infra.load.Credentials.__dataclass_fields__
pulumi.runtime.set_mocks(Mocks(), project="xgen-infra", stack="main")

@pulumi.runtime.test
def run():
    xgen_infra.stack.build(site, xgen_infra.load.Credentials(**{name: secret() for name in names})).export()
run()
"""
_PRINT = """
import json, sys
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, sorted(sys.modules)]))
"""
_SAME_IMPORTS = """
import json, resource, sys
from importlib import import_module
for name in json.load(sys.stdin):
    try:
        import_module(name)
    except ImportError:
        pass
"""


def against_imports() -> Iterator[Figure]:
    """Yield the peak of the program's process divided by the peak of its imports alone."""
    ours, modules = _peak(_IMPORTS + _PROGRAM + _PRINT)
    imports, _ = _peak(_SAME_IMPORTS + _PRINT, modules)
    yield Figure("peak memory of the program / of its imports", ours / imports, 1.3)
    yield Figure("peak memory of the program", ours / 1024, unit="MiB")


def _peak(program: str, modules: Sequence[str] = ()) -> tuple[int, list[str]]:
    """Return a program's peak memory in KiB, and the modules that it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        input=json.dumps(modules),
        capture_output=True,
        text=True,
        check=True,
    )
    peak, loaded = json.loads(done.stdout.strip().splitlines()[-1])
    return int(peak), list(loaded)
